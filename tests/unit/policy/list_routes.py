"""List the routes of the API, for `routes.txt`. To be run where geovisio is installed, best in the API's image:

docker run --rm -i --entrypoint python3 IMAGE - < tests/unit/policy/list_routes.py > tests/unit/policy/routes.txt
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from importlib import import_module
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

NEEDS_A_DATABASE = (
    "geovisio.config_app.persist_config",
    "geovisio.utils.db.create_db_pool",
    "geovisio.workers.runner_pictures.PictureBackgroundProcessor",
    "atexit.register",
)


def main() -> None:
    """Print the version, then a line `METHOD RULE` for each; HEAD and OPTIONS, which every route has, are left out."""
    # Not installed where types are checked.
    geovisio = import_module("geovisio")
    with ExitStack() as stack:
        for name in NEEDS_A_DATABASE:
            stack.enter_context(mock.patch(name))
        app = geovisio.create_app()
    lines = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    print(version("geovisio"))
    print("\n".join(sorted(lines, key=lambda line: line.split(" ")[::-1])))


if __name__ == "__main__":
    main()
