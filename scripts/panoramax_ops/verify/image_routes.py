"""What is run in a container of the API's image to list its routes, without a database or any network."""

from __future__ import annotations

# Printed is one line of JSON: {"version": of geovisio, "routes": [[method, rule], ...]}. HEAD and OPTIONS, which every
# route has, are left out.
PROGRAM = """
import atexit, json, os, tempfile
from contextlib import ExitStack
from importlib.metadata import version
from unittest import mock

os.environ.update(
    DB_URL="postgres://nobody@127.0.0.1:1/nothing",
    FS_URL=tempfile.mkdtemp(),
    DB_CHECK_SCHEMA="false",
    OAUTH_PROVIDER="oidc",
    OAUTH_OIDC_URL="http://127.0.0.1:1",
    OAUTH_CLIENT_ID="none",
    OAUTH_CLIENT_SECRET="none",
    FLASK_SECRET_KEY="not-a-secret-only-routes-are-listed",
)
import geovisio

# Each of them would look for the database.
needs_a_database = (
    "geovisio.config_app.persist_config",
    "geovisio.utils.db.create_db_pool",
    "geovisio.workers.runner_pictures.PictureBackgroundProcessor",
    "atexit.register",
)
with ExitStack() as stack:
    for name in needs_a_database:
        stack.enter_context(mock.patch(name))
    app = geovisio.create_app()
routes = {
    (method, rule.rule)
    for rule in app.url_map.iter_rules()
    for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
}
print(json.dumps({"version": version("geovisio"), "routes": sorted(routes)}))
"""
