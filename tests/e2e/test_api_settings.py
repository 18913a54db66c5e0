"""The rendered settings, read by upstream's own reader in the deployed container (facts 1.2)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from conftest import Site

pytestmark = pytest.mark.e2e

# What the launcher does before it starts the API, and then upstream's reader;
# the settings that the command line adds stand for a file that was rendered wrongly.
READ = """
import json, sys
sys.path.insert(0, "/opt/private-panoramax")
from launcher import environment
settings = environment.load(environment.SETTINGS)
settings.update(json.loads(sys.argv[1]))
environment.apply(settings)
from flask import Flask
from geovisio import config_app
app = Flask("geovisio")
config_app.read_config(app, None)
print(json.dumps({name: app.config.get(name) for name in sys.argv[2:]}, default=str))
"""
PRIVATE = {
    "API_FORCE_AUTH_ON_UPLOAD": True,
    "API_REGISTRATION_IS_OPEN": False,
    "API_DEFAULT_COLLABORATIVE_METADATA_EDITING": False,
    "API_PERMANENT_PICTURES_PUBLIC_URL": None,
    "API_DERIVATES_PICTURES_PUBLIC_URL": None,
    "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL": False,
    "PICTURE_PROCESS_DERIVATES_STRATEGY": "PREPROCESS",
    "PICTURE_PROCESS_THREADS_LIMIT": 0,
    "PICTURE_PROCESS_KEEP_UNBLURRED_PARTS": False,
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_NAME": "__Host-session",
    "SESSION_REFRESH_EACH_REQUEST": False,
}


def read(site: Site, *names: str, extra: dict[str, str] | None = None, stray: dict[str, str] | None = None) -> Any:
    """Return the settings ``names`` as upstream understands them in the API's container."""
    environment = [part for name, value in (stray or {}).items() for part in ("-e", f"{name}={value}")]
    done = subprocess.run(
        ["docker", "exec", "-i", *environment, f"{site.project}-api", "python3", "-", json.dumps(extra or {}), *names],
        input=READ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_upstream_understands_what_was_rendered(site: Site) -> None:
    assert read(site, *PRIVATE) == PRIVATE
    more = read(site, "API_DEFAULT_PICTURE_VISIBILITY", "API_BLUR_URL", "SECRET_KEY", "PERMANENT_SESSION_LIFETIME")
    assert more["API_DEFAULT_PICTURE_VISIBILITY"] in {"logged-only", "owner-only"}
    assert more["API_BLUR_URL"]
    assert isinstance(more["SECRET_KEY"], str)
    assert isinstance(more["PERMANENT_SESSION_LIFETIME"], int)


def test_stray_variables_of_the_container_change_nothing(site: Site) -> None:
    stray = {
        "API_FORCE_AUTH_ON_UPLOAD": "no",
        "FORCE_AUTH_ON_UPLOAD": "no",
        "BLUR_URL": "http://elsewhere",
        "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL": "false",
        "FLASK_SESSION_COOKIE_SECURE": "false",
    }
    assert read(site, *PRIVATE, stray=stray) == PRIVATE


@pytest.mark.parametrize(
    ("name", "rendered", "understood"),
    [
        ("API_FORCE_AUTH_ON_UPLOAD", "True", False),
        ("API_ACCEPT_DUPLICATE", "yes", False),
        ("DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL", "false", "false"),
        ("FLASK_SESSION_COOKIE_SECURE", "False", "False"),
        ("FLASK_SECRET_KEY", "12345678901234567890", 12345678901234567890),
    ],
)
def test_the_traps_are_still_there(site: Site, name: str, rendered: str, understood: Any) -> None:
    """Why the filter exists. Where this fails, upstream reads better than it did, and the filter may get simpler."""
    read_as = name.removeprefix("FLASK_")
    assert read(site, read_as, extra={name: rendered}) == {read_as: understood}
