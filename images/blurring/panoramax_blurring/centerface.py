"""Faces: CenterFace (MIT), fully convolutional; one heat map value per 4x4 pixels."""

import numpy as np

from .detectors import Context, register
from .engines import Network, Outputs
from .geometry import FACE_RULES, Boxes, Detection, no_boxes, suppress, to_detections
from .scene import Scene

CELL = 4
WITHIN_TILE, OVER_ALL = 0.3, 0.4
#: shares of the height in which faces are looked for at full size: smaller than that they are near the horizon
FULL_BAND = {True: (0.30, 0.72), False: (0.25, 0.80)}  # key: panorama
HALF_BAND = {True: (0.20, 0.90), False: (0.0, 1.0)}
WHOLE = (0.0, 1.0)


def decode(outputs: Outputs, threshold: float) -> Boxes:
    """Boxes of one tile from heat map [1,1,h,w], log size [1,2,h,w] (height, width) and offset [1,2,h,w] (y, x)."""
    heat, size, offset = (output[0] for output in outputs[:3])
    y, x = np.nonzero(heat[0] > threshold)
    if not len(y):
        return no_boxes()
    height, width = np.exp(size[0, y, x]) * CELL / 2, np.exp(size[1, y, x]) * CELL / 2
    centre_y, centre_x = (y + offset[0, y, x] + 0.5) * CELL, (x + offset[1, y, x] + 0.5) * CELL
    columns = [centre_x - width, centre_y - height, centre_x + width, centre_y + height, heat[0, y, x]]
    return suppress(np.stack(columns, axis=1).astype(np.float32), WITHIN_TILE)


class CenterFace:
    """Looks at full size in a band (whole picture in thorough mode), at a half and smaller sizes everywhere."""

    name = "centerface"

    def __init__(self, network: Network, threshold: float, *, thorough: bool) -> None:
        self.network, self.threshold, self.thorough = network, threshold, thorough

    def detect(self, scene: Scene) -> list[Detection]:
        """See Detector."""
        found = [no_boxes()]
        for divisor in scene.levels:
            band = WHOLE
            if not self.thorough and scene.smallest > 1:
                band = {1: FULL_BAND, 2: HALF_BAND}.get(divisor, {True: WHOLE, False: WHOLE})[scene.panorama]
            for tile in scene.tiles(divisor, band, fill=0):
                boxes = decode(self.network(tile.pixels), self.threshold)
                boxes[:, :4] /= tile.scale
                boxes[:, :4] += (tile.x, tile.y, tile.x, tile.y)
                found.append(boxes)
        return to_detections(suppress(np.concatenate(found), OVER_ALL), FACE_RULES, scene.size, panorama=scene.panorama)


def _create(context: Context) -> CenterFace:
    settings = context.settings
    network = context.engine.load(settings.models / "faces.onnx", 1.0)
    return CenterFace(network, settings.face_threshold, thorough=settings.mode == "thorough")


register(CenterFace.name, _create)
