"""Which models there are and what they want: a JSON file that role `blurring` writes, and `DETECT_*` variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from panoramax_blurring.own_model import Declared, read_declared

DETECTORS = Path("/etc/private-panoramax/detectors.json")


@dataclass(frozen=True)
class Settings:
    """The detectors, and what the service is run with."""

    detectors: tuple[Declared, ...]
    port: int = 8002
    threads: int = 0
    max_bytes: int = 50_000_000
    max_pixels: int = 75_000_000
    tls_certificate: str = ""
    tls_key: str = ""
    log_level: str = "info"


def load(path: Path = DETECTORS, environment: Mapping[str, str] | None = None) -> Settings:
    """Raises ModelError for a file that is not as role `blurring` writes it."""
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = source.get(f"DETECT_{field.name.upper()}")
        if text is not None:
            values[field.name] = int(text) if isinstance(field.default, int) else text
    return Settings(read_declared(path), **values)
