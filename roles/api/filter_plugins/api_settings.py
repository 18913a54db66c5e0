"""Filter ``api_environment``: the API's settings, checked and rendered so that upstream cannot misread them.

Upstream reads most settings without checking them (facts 1.2): a boolean written ``True`` silently counts as false, a
misspelt name is ignored, an empty text falls back to a default that may be ``anyone``. Here each setting is a typed
entry of one table; what the table does not know is refused by name.
"""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleFilterError


class SettingError(AnsibleFilterError):  # type: ignore[misc]
    """A setting that is unknown, not allowed, or of the wrong type; the message names it and the remedy."""


def _boolean(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ValueError("must be true or false, without quotes")


def _integer(least: int, most: int) -> Callable[[Any], str]:
    def render(value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return str(int(value))
        raise ValueError(f"must be a whole number from {least} to {most}")

    return render


def _text(value: Any) -> str:
    # Upstream takes an empty text for "not set", and falls back to its default.
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return str(value)
    raise ValueError("must be a text that is not empty; leave the setting out instead")


def _choice(*choices: str) -> Callable[[Any], str]:
    def render(value: Any) -> str:
        if isinstance(value, str) and value in choices:
            return str(value)
        raise ValueError(f"must be one of {', '.join(choices)}, spelt so")

    return render


def _url(value: Any) -> str:
    text = _text(value)
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(character.isspace() for character in text):
        raise ValueError("must be a full address, http://... or https://...")
    return text


def _base_url(value: Any) -> str:
    # Upstream appends "/blur/" and the like to it.
    text = _url(value)
    if text.endswith("/"):
        raise ValueError("must not end with a slash")
    return text


def _key(value: Any) -> str:
    text = _text(value)
    if len(text) < 16:
        raise ValueError("must have at least 16 characters (scripts/secrets.py makes one)")
    return text


def _json_object(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)
    raise ValueError("must be a mapping")


def _plain(value: Any) -> Any:
    # Ansible hands over mappings and texts of classes of its own.
    return dict(value) if isinstance(value, Mapping) else str(value)


def _flask(render: Callable[[Any], str]) -> Callable[[Any], str]:
    """Flask decodes FLASK_* as JSON: a key of digits only would become a number, ``null`` nothing at all."""

    def quoted(value: Any) -> str:
        return json.dumps(render(value))

    return quoted


@dataclass(frozen=True)
class Setting:
    """How one setting is rendered, and who decides on it.

    Attributes:
        render: Returns the text for the environment, or raises ValueError with what the value must be.
        variable: The role's variable that sets it; ``api_settings_extra`` may not.
        refused: Why it may not be set at all.
        api_only: Whether the worker, which serves nobody, goes without it.
    """

    render: Callable[[Any], str] = _text
    variable: str = ""
    refused: str = ""
    api_only: bool = False


_PICTURES = "it would hand out pictures by addresses that ask nobody who they are"
_SPLIT = "the role renders DB_URL; this would replace it, with the password unencoded"
_VOLUME = "pictures, derivates and unblurred originals lie in one volume with a layout that the proxy and backups know"
_SENTRY = "error reports with personal data would go to a third party"

SETTINGS: dict[str, Setting] = {
    # Files and database
    "FS_URL": Setting(variable="the volume of the role"),
    "FS_TMP_URL": Setting(refused=_VOLUME),
    "FS_PERMANENT_URL": Setting(refused=_VOLUME),
    "FS_DERIVATES_URL": Setting(refused=_VOLUME),
    "DB_URL": Setting(variable="api_database_host, api_database_name and the others"),
    "DB_HOST": Setting(refused=_SPLIT),
    "DB_PORT": Setting(refused=_SPLIT),
    "DB_USERNAME": Setting(refused=_SPLIT),
    "DB_PASSWORD": Setting(refused=_SPLIT),
    "DB_NAME": Setting(refused=_SPLIT),
    "DB_CHECK_SCHEMA": Setting(_boolean, variable="the launcher, which checks schema and guard itself"),
    "DB_MIN_CNX": Setting(_integer(0, 100)),
    "DB_MAX_CNX": Setting(_integer(1, 100), variable="api_database_connections"),
    "DB_STATEMENT_TIMEOUT": Setting(_integer(1000, 3_600_000), variable="api_statement_timeout"),
    # The instance
    "API_SUMMARY": Setting(_json_object, variable="api_instance_name and the others"),
    "API_MAIN_PAGE": Setting(_url, variable="api_public_url"),
    "API_VIEWER_PAGE": Setting(_url, variable="api_public_url"),
    "API_WEBSITE_URL": Setting(_choice("same-host"), variable="api_public_url"),
    "API_PICTURES_LICENSE_SPDX_ID": Setting(variable="api_license_id"),
    "API_PICTURES_LICENSE_URL": Setting(_url, variable="api_license_url"),
    "API_DONATION_URL": Setting(_url),
    "API_LOG_LEVEL": Setting(_choice("debug", "info", "warning", "error"), variable="api_log_level"),
    "API_GIT_VERSION": Setting(),
    "API_ACCEPT_DUPLICATE": Setting(_boolean),
    "API_ENFORCE_TOS_ACCEPTANCE": Setting(_boolean),
    "API_CACHE_IN_CTX": Setting(_boolean),
    "API_READ_ONLY": Setting(_boolean),
    # Privacy
    "API_FORCE_AUTH_ON_UPLOAD": Setting(_boolean, variable="the role, which always sets true"),
    "API_REGISTRATION_IS_OPEN": Setting(_boolean, variable="the role, which always sets false"),
    "API_DEFAULT_PICTURE_VISIBILITY": Setting(_choice("logged-only", "owner-only"), variable="api_default_visibility"),
    "API_DEFAULT_COLLABORATIVE_METADATA_EDITING": Setting(_boolean, variable="api_collaborative_editing"),
    "API_PERMANENT_PICTURES_PUBLIC_URL": Setting(refused=_PICTURES),
    "API_DERIVATES_PICTURES_PUBLIC_URL": Setting(refused=_PICTURES),
    "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL": Setting(
        refused="upstream never parses it: any value, false included, removes all access control from pictures"
    ),
    # Pictures
    "API_BLUR_URL": Setting(_base_url, variable="api_blur_url"),
    "PICTURE_PROCESS_DERIVATES_STRATEGY": Setting(
        _choice("PREPROCESS"), variable="the role: the proxy counts on files that are there"
    ),
    "PICTURE_PROCESS_THREADS_LIMIT": Setting(_integer(0, 0), variable="api_workers: pictures are processed there"),
    "PICTURE_PROCESS_REFRESH_CRON": Setting(),
    "PICTURE_PROCESS_NB_RETRIES": Setting(_integer(0, 1000)),
    "PICTURE_PROCESS_KEEP_UNBLURRED_PARTS": Setting(refused="it would keep what blurring is there to remove"),
    # Signing in
    "OAUTH_PROVIDER": Setting(_choice("oidc"), variable="the role", api_only=True),
    "OAUTH_OIDC_URL": Setting(_base_url, variable="api_oauth_url", api_only=True),
    "OAUTH_CLIENT_ID": Setting(variable="api_oauth_client_id", api_only=True),
    "OAUTH_CLIENT_SECRET": Setting(variable="api_oauth_client_secret", api_only=True),
    "OAUTH_SCOPE": Setting(api_only=True),
    "OAUTH_PROFILE_URL": Setting(variable="api_oauth_profile_url", api_only=True),
    "OAUTH_PROFILE_USE_IFRAME": Setting(_boolean, api_only=True),
    "FLASK_SECRET_KEY": Setting(_flask(_key), variable="api_secret_key", api_only=True),
    "FLASK_PERMANENT_SESSION_LIFETIME": Setting(_integer(300, 2_592_000), variable="api_session_lifetime"),
    "FLASK_SESSION_REFRESH_EACH_REQUEST": Setting(_boolean, variable="the role: a session ends when its time is over"),
    "FLASK_SESSION_COOKIE_NAME": Setting(_flask(_text), variable="the role: __Host- binds the cookie to this host"),
    "FLASK_SESSION_COOKIE_SECURE": Setting(_boolean, variable="the role, which always sets true"),
    "FLASK_SESSION_COOKIE_HTTPONLY": Setting(_boolean, variable="the role, which always sets true"),
    "FLASK_SESSION_COOKIE_SAMESITE": Setting(_flask(_choice("Lax")), variable="the role: Lax is what signing in needs"),
    "FLASK_SESSION_COOKIE_DOMAIN": Setting(refused="a __Host- cookie has no domain"),
    "FLASK_MAX_CONTENT_LENGTH": Setting(_integer(1, 2**40)),
    "REQUESTS_CA_BUNDLE": Setting(variable="api_tls: the authority of the services that are asked by TLS"),
    "INFRA_NB_PROXIES": Setting(_integer(1, 10), variable="api_proxies"),
    "SENTRY_DSN": Setting(refused=_SENTRY),
    "SENTRY_TRACE_SAMPLE_RATE": Setting(refused=_SENTRY),
    "SENTRY_PROFIL_SAMPLE_RATE": Setting(refused=_SENTRY),
}

# Old names that upstream still honours; two of them only seem to work.
LEGACY = {
    "BLUR_URL": "API_BLUR_URL",
    "VIEWER_PAGE": "API_VIEWER_PAGE",
    "MAIN_PAGE": "API_MAIN_PAGE",
    "LOG_LEVEL": "API_LOG_LEVEL",
    "FORCE_AUTH_ON_UPLOAD": "API_FORCE_AUTH_ON_UPLOAD",
    "DERIVATES_STRATEGY": "PICTURE_PROCESS_DERIVATES_STRATEGY",
    "OIDC_URL": "OAUTH_OIDC_URL",
    "CLIENT_ID": "OAUTH_CLIENT_ID",
    "CLIENT_SECRET": "OAUTH_CLIENT_SECRET",
    "NB_PROXIES": "INFRA_NB_PROXIES",
    "SECRET_KEY": "FLASK_SECRET_KEY",
    "SESSION_COOKIE_DOMAIN": "FLASK_SESSION_COOKIE_DOMAIN",
}


def _complaint(name: str, by_role: bool) -> str:
    """Return why ``name`` may not be set, or an empty text if it may."""
    if name in LEGACY:
        return f"is an old name; the setting is called {LEGACY[name]}"
    if name not in SETTINGS:
        near = difflib.get_close_matches(name.upper(), SETTINGS, n=1, cutoff=0.6)
        return "is no setting of the API" + (f"; did you mean {near[0]}?" if near else "")
    setting = SETTINGS[name]
    if setting.refused:
        return f"is not allowed: {setting.refused}"
    if setting.variable and not by_role:
        return f"is set by {setting.variable}"
    return ""


def environment(
    settings: Mapping[str, Any], extra: Mapping[str, Any] | None = None, part: str = "api"
) -> dict[str, str]:
    """Return the environment of the API (``part`` api) or of a worker (``part`` worker).

    Args:
        settings: What the role's variables say; values that are None are left out.
        extra: ``api_settings_extra``: further settings, by upstream's names.
        part: Workers get no key of sessions and no secret of the sign-in.

    Raises:
        SettingError: naming every setting at fault, and what to do.
    """
    faults = []
    rendered = {}
    for origin, by_role in ((settings, True), (extra or {}, False)):
        for name, value in origin.items():
            if value is None and by_role:
                continue
            where = "the role's variables" if by_role else "api_settings_extra"
            complaint = _complaint(str(name), by_role)
            if complaint:
                faults.append(f"{where}: {name} {complaint}")
                continue
            setting = SETTINGS[name]
            try:
                text = setting.render(value)
            except ValueError as error:
                by = f" (variable: {setting.variable})" if by_role and setting.variable else ""
                faults.append(f"{where}: {name}{by} {error}")
                continue
            if part == "api" or not setting.api_only:
                rendered[str(name)] = text
    if ("API_PICTURES_LICENSE_SPDX_ID" in rendered) != ("API_PICTURES_LICENSE_URL" in rendered):
        faults.append("the role's variables: api_license_id and api_license_url belong together: set both or neither")
    if faults:
        raise SettingError("; ".join(faults))
    return dict(sorted(rendered.items()))


class FilterModule:
    """What Ansible asks a filter plugin for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by their names."""
        return {"api_environment": environment}
