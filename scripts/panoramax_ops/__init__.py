"""What the scripts in `scripts/` share: the inventory, the way to the containers, Keycloak, the database, letters."""
