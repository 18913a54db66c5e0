"""Operators' own models among the detectors: what they find is blurred, like a face or like a plate."""

from math import inf

import numpy as np

from .detectors import Context
from .engines import thread_count
from .geometry import FACE, PLATE, Detection, Rules, to_detections
from .own_model import GREY, OwnModel, read_declared
from .scene import WRAP, Scene
from .settings import SettingsError

KINDS = (FACE, PLATE)


class OwnDetector:
    """One model, which may look at any size of the picture; its finds are taken as they are."""

    def __init__(self, kind: str, model: OwnModel) -> None:
        self.kind, self.name, self._model = kind, model.declared.name, model

    def detect(self, scene: Scene) -> list[Detection]:
        """See Detector."""
        width, height = scene.size
        # Nothing is looked at larger than twice what the model will be shown.
        divisor = max(d for d in scene.levels if d == 1 or max(width, height) // d >= self._model.sees)
        tall, wide = scene.levels[divisor].shape[:2]
        size = (wide + (WRAP[divisor] if scene.panorama else 0), tall)
        found = self._model.find(size, lambda x, y, w, h: scene.cut(divisor, (x, y, w, h), GREY))
        boxes = np.array([[*one.box, one.confidence] for one in found], np.float32).reshape(-1, 5)
        boxes[:, :4] *= divisor
        rules = Rules(self.kind, margin=0.0, min_ratio=0.0, max_ratio=inf, max_width=inf, max_area=inf)
        return to_detections(boxes, rules, scene.size, panorama=scene.panorama)


def create_own(context: Context) -> list[OwnDetector]:
    """The operator's own models, as BLUR_OWN_MODELS declares them.

    Raises:
        SettingsError, ModelError: what is declared cannot be used.
    """
    settings = context.settings
    declared = read_declared(settings.own_models) if settings.own_models.name else ()
    for one in declared:
        if one.kind not in KINDS:
            raise SettingsError(f"own model {one.name}: kind must be one of {', '.join(KINDS)}, not {one.kind!r}")
    return [OwnDetector(one.kind, OwnModel(one, thread_count(settings))) for one in declared]
