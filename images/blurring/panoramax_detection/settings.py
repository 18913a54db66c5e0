"""Which models there are and what they want: a JSON file that role `blurring` writes, and `DETECT_*` variables."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

DETECTORS = Path("/etc/private-panoramax/detectors.json")
MODELS = Path("/detection")


class SettingsError(Exception):
    """What is declared cannot be used; the message names the detector and what is wrong."""


@dataclass(frozen=True)
class Declared:
    """One detector, as the inventory declares it; `docs/detection.md` says what each setting means."""

    name: str
    sha256: str
    labels: tuple[str, ...]
    threshold: float = 0.5
    layout: str = "yolo"
    size: int = 640
    tiles: int = 1
    overlap: float = 0.5
    colours: str = "rgb"
    scale: float = 255.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    smallest: int = 8
    margin: float = 0.0

    @property
    def path(self) -> Path:
        """Where the model lies: files are named by what is in them."""
        return MODELS / f"{self.sha256}.onnx"


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
    """Raises SettingsError for a file or a variable that is not as role `blurring` writes them."""
    source = os.environ if environment is None else environment
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        detectors = tuple(_declared(entry) for entry in entries)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SettingsError(f"{path} cannot be used ({type(error).__name__}: {error}); deploy again") from error
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = source.get(f"DETECT_{field.name.upper()}")
        if text is not None:
            values[field.name] = int(text) if isinstance(field.default, int) else text
    return Settings(detectors, **values)


def _declared(entry: dict[str, Any]) -> Declared:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Declared(**values)
