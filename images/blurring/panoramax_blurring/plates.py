"""Licence plates: a thorough sweep with the accurate model, or a cascade of a small and the accurate one."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from . import yolo
from .detectors import Context, register
from .engines import Network
from .geometry import (
    PANORAMA_PLATE_RULES,
    PLATE_RULES,
    Boxes,
    Detection,
    Rules,
    no_boxes,
    suppress,
    to_detections,
)
from .resample import enlarge
from .scene import Scene, Tile

GREY = 114  # the padding these models were trained with
OVERLAP = 0.45
WHOLE = (0.0, 1.0)
#: shares of the height that are looked at enlarged (thorough) and at full size (cascade); key: panorama
ENLARGED_BAND = {True: (0.35, 0.72), False: (0.20, 0.90)}
FULL_BAND = {True: (0.35, 0.72), False: (0.30, 0.80)}
HALF_BAND = {True: (0.20, 0.90), False: WHOLE}
MAX_ENLARGED_PIXELS = 40_000_000
SWEEP_THRESHOLD, CASCADE_THRESHOLD = 0.2, 0.15
PROPOSAL_THRESHOLD, SURE = 0.005, 0.4
WINDOW, EDGE = 320, 48
#: (widest proposal in pixels, scale at which it is confirmed)
SCALES = ((20, 2.0), (48, 1.5), (90, 1.0), (220, 0.5), (1 << 30, 0.25))


def rules_for(scene: Scene) -> Rules:
    """What a plate must look like in this kind of picture."""
    return PANORAMA_PLATE_RULES if scene.panorama else PLATE_RULES


def run_tiles(network: Network, tiles: Iterable[Tile], threshold: float) -> Boxes:
    """Boxes of many tiles in picture coordinates, doubles not yet removed."""
    found = [no_boxes()]
    for tile in tiles:
        boxes = yolo.decode(network(tile.pixels), threshold)
        boxes[:, :4] /= tile.scale
        boxes[:, :4] += (tile.x, tile.y, tile.x, tile.y)
        found.append(boxes)
    return np.concatenate(found)


class Sweep:
    """The accurate model over the whole picture in every size, and enlarged where small plates are."""

    name = "platedet"

    def __init__(self, network: Network, threshold: float) -> None:
        self.network, self.threshold = network, threshold

    def detect(self, scene: Scene) -> list[Detection]:
        """See Detector."""
        found = [run_tiles(self.network, scene.tiles(d, WHOLE, fill=GREY), self.threshold) for d in scene.levels]
        if scene.size[0] * scene.size[1] <= MAX_ENLARGED_PIXELS:
            tiles = scene.tiles(1, ENLARGED_BAND[scene.panorama], fill=GREY, enlarged=1.5)
            found.append(run_tiles(self.network, tiles, self.threshold))
        boxes = suppress(np.concatenate(found), OVERLAP)
        return to_detections(boxes, rules_for(scene), scene.size, panorama=scene.panorama)


class Cascade:
    """A small model proposes at a very low threshold, the accurate one confirms in small windows: 5 times faster."""

    name = "cascade"

    def __init__(self, proposer: Network, confirmer: Network, threshold: float) -> None:
        self.proposer, self.confirmer, self.threshold = proposer, confirmer, threshold

    def _proposals(self, scene: Scene) -> Boxes:
        found = [no_boxes()]
        for divisor in scene.levels:
            band = WHOLE
            if scene.smallest > 1 and divisor <= 2:
                band = (FULL_BAND if divisor == 1 else HALF_BAND)[scene.panorama]
            found.append(run_tiles(self.proposer, scene.tiles(divisor, band, fill=GREY), PROPOSAL_THRESHOLD))
        boxes = suppress(np.concatenate(found), OVERLAP)
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        rules = rules_for(scene)
        limit = rules.max_area * scene.size[0] * scene.size[1]
        good = (width > 5) & (height > 2.5) & (width < rules.max_width * scene.size[0]) & (width * height < limit)
        return boxes[good & (width > 0.5 * height) & (width < 10 * height)]

    def detect(self, scene: Scene) -> list[Detection]:
        """See Detector."""
        proposals = self._proposals(scene)
        confirmed = run_tiles(self.confirmer, windows(scene, proposals), self.threshold)
        boxes = suppress(np.concatenate([confirmed, proposals[proposals[:, 4] > SURE]]), OVERLAP)
        return to_detections(boxes, rules_for(scene), scene.size, panorama=scene.panorama)


def windows(scene: Scene, proposals: Boxes) -> Iterator[Tile]:
    """Few windows of one size that hold every proposal, each at the scale that suits its width, off the edges."""
    width = proposals[:, 2] - proposals[:, 0]
    narrowest = 0
    for widest, wanted in SCALES:
        boxes = proposals[(width >= narrowest) & (width < widest)]
        narrowest = widest
        scale = max(wanted, 1 / scene.smallest)
        side = round(WINDOW / scale)
        for group in group_boxes(boxes, side - 2 * EDGE / scale):
            yield window_around(scene, group, side, scale)


def group_boxes(boxes: Boxes, room: float) -> Iterator[NDArray[np.float32]]:
    """Bounding boxes of groups that fit into a square of side `room`; a larger box is a group of its own."""
    left = [box[:4] for box in boxes[np.argsort(-boxes[:, 4])]]
    while left:
        group, *others = left
        left = []
        for box in others:
            low, high = np.minimum(group[:2], box[:2]), np.maximum(group[2:], box[2:])
            if (high - low <= room).all():
                group = np.concatenate([low, high])
            else:
                left.append(box)
        yield group


def window_around(scene: Scene, group: NDArray[np.float32], side: int, scale: float) -> Tile:
    """The window of `side` picture pixels centred on a group, as a tile of WINDOW pixels."""
    divisor = min(scene.smallest, max(1, round(1 / scale))) if scale < 1 else 1
    height, width = scene.levels[divisor].shape[:2]
    reach = side // divisor
    start_x = int((group[0] + group[2]) / 2 / divisor - reach / 2)
    start_y = int((group[1] + group[3]) / 2 / divisor - reach / 2)
    # In a panorama a window may cross the seam, but must begin inside.
    last_x = width - 1 if scene.panorama else max(0, width - reach)
    x, y = min(max(0, start_x), last_x), min(max(0, start_y), max(0, height - reach))
    pixels = scene.cut(divisor, (x, y, reach, reach), GREY)
    if reach != WINDOW:
        pixels = enlarge(pixels, WINDOW, WINDOW)
    return Tile(pixels, x * divisor, y * divisor, WINDOW / reach / divisor)


def _threshold(context: Context, usual: float) -> float:
    return context.settings.plate_threshold or usual


def _create_sweep(context: Context) -> Sweep:
    network = context.engine.load(context.settings.models / "plates.onnx", 255.0)
    return Sweep(network, _threshold(context, SWEEP_THRESHOLD))


def _create_cascade(context: Context) -> Cascade:
    models, load = context.settings.models, context.engine.load
    proposer, confirmer = load(models / "proposals.onnx", 255.0), load(models / "plates.onnx", 255.0)
    return Cascade(proposer, confirmer, _threshold(context, CASCADE_THRESHOLD))


register(Sweep.name, _create_sweep)
register(Cascade.name, _create_cascade)
