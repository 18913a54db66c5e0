"""All settings of the service, read once from the environment (`BLUR_*`) and typed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

PREFIX = "BLUR_"
CHOICES = {
    "engine": ("auto", "openvino", "onnxruntime"),
    "device": ("auto", "cpu", "cuda"),
    "mode": ("fast", "thorough"),
    "log_level": ("debug", "info", "warning", "error"),
}
LARGEST = 1 << 40


class SettingsError(ValueError):
    """A setting is unknown or has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """One field per variable: `threads` is `BLUR_THREADS`. Defaults suit a container of 1.2 GiB on two cores."""

    host: str = "0.0.0.0"
    port: int = 8001
    #: files in PEM form; with both the service speaks TLS, with none plain HTTP
    tls_certificate: str = ""
    tls_key: str = ""
    log_level: str = "info"
    models: Path = Path("/models")
    #: file with the key of the proofs (`proof.py`); without one, answers have none
    proof_key: Path = Path()
    #: auto: the faster one on this processor, timed at start-up
    engine: str = "auto"
    device: str = "auto"
    #: fast: cascade; thorough: every plate pass over the whole picture, about five times slower
    mode: str = "fast"
    #: 0: as many as the processors this process may use
    threads: int = 0
    #: detector names of `detectors.py`; empty: what the mode asks for; own: only the operator's own models
    faces: str = ""
    plates: str = ""
    #: file with the operator's own models whose finds are blurred as well (`own.py`)
    own_models: Path = Path()
    face_threshold: float = 0.3
    #: 0: what suits the detector
    plate_threshold: float = 0.0
    max_bytes: int = 50_000_000
    #: two thirds of it for progressive files, whose coefficients need memory too
    max_pixels: int = 75_000_000
    #: pictures that may be here at once, the one in work included
    queue: int = 8
    #: bytes of all pictures that may be here at once
    queue_bytes: int = 100_000_000
    #: seconds a caller may take to send its picture
    body_timeout: float = 60.0
    #: seconds one picture may take; after that the process ends, to be started again
    picture_timeout: float = 300.0
    #: engine of another make that does the blurring instead, as http://HOST:PORT; empty: this program does it
    foreign_url: str = ""
    #: seconds that engine may take for one picture
    foreign_timeout: float = 120.0
    #: seconds after which the health check asks for a fresh self-test
    selftest_interval: float = 600.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Settings from `BLUR_*` variables.

        Raises:
            SettingsError: an unknown variable, or a value of the wrong kind or outside its bounds.
        """
        source = os.environ if environment is None else environment
        known = {f"{PREFIX}{field.name.upper()}": field for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in source.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                msg = f"{name} is not a setting; known are {', '.join(sorted(known))}"
                raise SettingsError(msg)
            values[known[name].name] = _parse(name, text, type(known[name].default))
        if bool(values.get("tls_certificate")) != bool(values.get("tls_key")):
            msg = f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY belong together: set both or neither"
            raise SettingsError(msg)
        settings = cls(**values)
        if settings.foreign_timeout >= settings.picture_timeout:
            msg = f"{PREFIX}FOREIGN_TIMEOUT must be less than {PREFIX}PICTURE_TIMEOUT, after which the service restarts"
            raise SettingsError(msg)
        return settings


def _parse(name: str, text: str, kind: type) -> Any:
    key = name.removeprefix(PREFIX).lower()
    if key in CHOICES and text not in CHOICES[key]:
        msg = f"{name} must be one of {', '.join(CHOICES[key])}, not {text!r}"
        raise SettingsError(msg)
    if issubclass(kind, Path):
        return Path(text)
    if issubclass(kind, str):
        return text
    try:
        value = int(text) if kind is int else float(text)
    except ValueError:
        msg = f"{name} must be a number, not {text!r}"
        raise SettingsError(msg) from None
    minimum = 0 if key in ("threads", "plate_threshold") else 1 if kind is int else 0.001
    maximum = 1 if "threshold" in key else LARGEST
    if not minimum <= value <= maximum:
        msg = f"{name} must lie between {minimum} and {maximum}, not {text}"
        raise SettingsError(msg)
    return value
