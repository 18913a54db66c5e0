"""Detectors as plug-ins: a name in the settings, a factory here.

Another detector is a class with `detect` and one `register` line: a different ONNX model, or a client of a service.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .engines import Engine
from .geometry import FACE, PLATE, Detection
from .scene import Scene
from .settings import Settings, SettingsError


class Detector(Protocol):
    """Finds regions to blur."""

    name: str

    def detect(self, scene: Scene) -> list[Detection]:
        """All regions of its kind, widened and inside the picture."""


@dataclass(frozen=True)
class Context:
    """What a detector may need when it is made."""

    settings: Settings
    engine: Engine


Factory = Callable[[Context], Detector]
_factories: dict[str, Factory] = {}
#: instead of a name: no detector of ours
OWN = "own"
BY_MODE = {"fast": ("centerface", "cascade"), "thorough": ("centerface", "platedet")}


def register(name: str, factory: Factory) -> None:
    """Make a detector known under a name for BLUR_FACES or BLUR_PLATES."""
    _factories[name] = factory


def create_detectors(context: Context) -> list[Detector]:
    """The face and the plate detector that the settings name, and the operator's own models.

    Raises:
        SettingsError: an unknown name, or own models alone where there are none.
    """
    from . import centerface, plates  # noqa: F401 - they register themselves
    from .own import create_own

    own = create_own(context)
    names = zip(
        (context.settings.faces, context.settings.plates), BY_MODE[context.settings.mode], (FACE, PLATE), strict=True
    )
    detectors: list[Detector] = []
    for chosen, usual, kind in names:
        name = chosen or usual
        if name == OWN and any(one.kind == kind for one in own):
            continue
        if name not in _factories:
            msg = f"no detector is called {name!r}; known are {', '.join(sorted(_factories))}"
            raise SettingsError(f"{msg}, or {OWN} with an own model of kind {kind}")
        detectors.append(_factories[name](context))
    return [*detectors, *own]
