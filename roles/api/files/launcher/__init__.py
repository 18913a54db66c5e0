"""What runs in the containers of the API around upstream's code."""
