"""Settings from a mounted file into the environment, and nothing else beside them."""

import json
import os
from pathlib import Path

SETTINGS = Path("/run/secrets/api.json")

# What the interpreter and libraries need. All else goes: upstream honours generic names such as LOG_LEVEL, CLIENT_ID or
# BLUR_URL, and the official image sets FS_URL, any of which would override or contradict the rendered settings.
_KEPT = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TZ", "MALLOC_ARENA_MAX", "PYTHONDONTWRITEBYTECODE", "TMPDIR"})


class SettingsError(Exception):
    """The settings file is missing, unreadable or not what role ``api`` renders."""


def load(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the settings: names of environment variables and their values, all text.

    Raises:
        SettingsError: with the file's name and the remedy; never with a value.
    """
    try:
        settings = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); it is mounted by role api") from error
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON; deploy again") from error
    if not isinstance(settings, dict) or not settings:
        raise SettingsError(f"{path} holds no settings; deploy again")
    wrong = sorted(name for name, value in settings.items() if not isinstance(value, str) or not value)
    if wrong:
        raise SettingsError(f"{path}: not a text, or empty: {', '.join(wrong)}; deploy again")
    return settings


def apply(settings: dict[str, str]) -> None:
    """Make ``settings`` the environment of this process."""
    for name in set(os.environ) - _KEPT:
        del os.environ[name]
    # yoyo asks who is logged in, and the user of a container need not have an entry in /etc/passwd.
    os.environ.update({"USER": "geovisio", "FLASK_APP": "geovisio"})
    os.environ.setdefault("HOME", "/tmp")
    os.environ.update(settings)
