"""An operator's own model: what it is shown of a picture, and what it finds there."""

import hashlib
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import layouts
from .errors import ModelError
from .resample import stretch

Pixels = NDArray[np.uint8]
GREY = 114
STRIDE = 32
#: Tiles overlap by this share of their side, so that what lies on an edge is whole in one of them.
SHARED = 0.2
MODELS = Path("/own-models")


@dataclass(frozen=True)
class Declared:
    """One model, as the inventory declares it; `docs/detection.md` says what each setting means."""

    name: str
    sha256: str
    labels: tuple[str, ...]
    #: the labels that count; empty for all
    only: tuple[str, ...] = ()
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
    #: how what it finds is blurred; empty for who only tells of it
    kind: str = ""

    @property
    def path(self) -> Path:
        """Where the model lies: files are named by what is in them."""
        return MODELS / f"{self.sha256}.onnx"


def read_declared(path: Path) -> tuple[Declared, ...]:
    """What a file declares that role `blurring` wrote.

    Raises:
        ModelError: it is another.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_declared(entry) for entry in entries)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be used ({type(error).__name__}: {error}); deploy again") from error


def _declared(entry: dict[str, Any]) -> Declared:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Declared(**values)


@dataclass(frozen=True)
class Found:
    """Something in a picture: box is left, top, right, bottom in whole pixels; confidence from 0 to 1."""

    label: str
    confidence: float
    box: tuple[int, int, int, int]


def tiles(size: tuple[int, int], count: int) -> list[tuple[int, int, int, int]]:
    """(x, y, width, height) of overlapping tiles over a picture of (width, height), `count` along its longer side."""
    if count == 1:
        return [(0, 0, *size)]
    side = -(-max(size) // (1 + (count - 1) * (1 - SHARED)))
    places = []
    for length in size:
        number = 1 if length <= side else int(-(-(length - side) // (side * (1 - SHARED)))) + 1
        piece = int(min(side, length))
        steps = [0] if number == 1 else [round(k * (length - piece) / (number - 1)) for k in range(number)]
        places.append([(start, piece) for start in steps])
    return [(x, y, width, height) for y, height in places[1] for x, width in places[0]]


class OwnModel:
    """A loaded model. Not for several threads at once."""

    def __init__(self, declared: Declared, threads: int) -> None:
        """Load it, and try it on a grey picture.

        Raises:
            ModelError: the file is not there, not the declared one, or not a model of the declared kind.
        """
        self.declared = declared
        self._runtime: Any = importlib.import_module("onnxruntime")
        self._session = self._load(threads)
        inputs = self._session.get_inputs()
        self._input = inputs[0].name
        self._counts = np.array([not declared.only or label in declared.only for label in declared.labels])
        shape = list(inputs[0].shape)
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3:
            raise self._error(f"it must have one input of [1, 3, height, width]; it has {[i.shape for i in inputs]}")
        height, width = shape[2:]
        #: Height and width that the model insists on, if it does.
        self._fixed = (height, width) if isinstance(height, int) and isinstance(width, int) else None
        try:
            self.find((STRIDE * 4, STRIDE * 4), lambda _x, _y, w, h: np.full((h, w, 3), GREY, np.uint8))
        except layouts.LayoutError as error:
            raise self._error(f"{error} (labels: {len(declared.labels)})") from error

    @property
    def sees(self) -> int:
        """Pixels of the longer side of a picture that the model is shown, over all tiles; more would be lost."""
        return max(self._fixed or (self.declared.size,)) * self.declared.tiles

    def _error(self, what: str) -> ModelError:
        return ModelError(f"detector {self.declared.name}: {what}")

    def _load(self, threads: int) -> Any:
        try:
            data = self.declared.path.read_bytes()
        except OSError as error:
            raise self._error(f"its model is not there ({error.strerror}); deploy again") from error
        if hashlib.sha256(data).hexdigest() != self.declared.sha256:
            raise self._error("its model is not the declared one (sha256); deploy again")
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that spin steal the processor from the blurring, which people wait for.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        try:
            return self._runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise self._error(f"ONNX Runtime cannot load its model: {str(error).splitlines()[0][:300]}") from error

    def find(self, size: tuple[int, int], cut: Callable[[int, int, int, int], Pixels]) -> list[Found]:
        """What the model finds in a picture of (width, height), the surest first.

        `cut(x, y, width, height)` gives a part of the picture, BGR uint8[h, w, 3].

        Raises:
            LayoutError: the model answers in another form than declared.
        """
        width, height = size
        found = [layouts.none()]
        for x, y, w, h in tiles(size, self.declared.tiles):
            found.append(self._look(cut(x, y, w, h)) + np.array([x, y, x, y, 0, 0], np.float32))
        boxes = np.concatenate(found)
        margin = self.declared.margin * np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        boxes[:, :2] -= margin[:, None]
        boxes[:, 2:4] += margin[:, None]
        boxes[:, 0:4:2] = boxes[:, 0:4:2].clip(0, width)
        boxes[:, 1:4:2] = boxes[:, 1:4:2].clip(0, height)
        smallest = self.declared.smallest
        boxes = boxes[(boxes[:, 2] - boxes[:, 0] >= smallest) & (boxes[:, 3] - boxes[:, 1] >= smallest)]
        return [self._found(box) for box in layouts.suppress(boxes, self.declared.overlap).tolist()]

    def _found(self, box: list[float]) -> Found:
        x1, y1, x2, y2, score, number = box
        place = (int(x1), int(y1), int(np.ceil(x2)), int(np.ceil(y2)))
        return Found(self.declared.labels[int(number)], round(min(max(score, 0.0), 1.0), 3), place)

    def _look(self, part: Pixels) -> layouts.Boxes:
        """Boxes in pixels of a part of the picture."""
        height, width = part.shape[:2]
        room = self._fixed or (self.declared.size, self.declared.size)
        scale = min(room[0] / height, room[1] / width)
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        if self._fixed is None:
            room = (-(-tall // STRIDE) * STRIDE, -(-wide // STRIDE) * STRIDE)
        shown = np.full((*room, 3), GREY, np.float32)
        shown[:tall, :wide] = stretch(part.astype(np.float32), wide, tall, linear=True)
        if self.declared.colours == "rgb":
            shown = shown[:, :, ::-1]
        mean, deviation = (np.array(each, np.float32) for each in (self.declared.mean, self.declared.deviation))
        shown = (shown / np.float32(self.declared.scale) - mean) / deviation
        planes = np.ascontiguousarray(shown.transpose(2, 0, 1)[None], np.float32)
        output = self._session.run(None, {self._input: planes})[0]
        declared = self.declared
        decoder = layouts.LAYOUTS[declared.layout]
        decoded = decoder(np.asarray(output, np.float32), len(declared.labels), declared.threshold)
        boxes: layouts.Boxes = decoded[self._counts[decoded[:, 5].astype(int)]]
        if declared.layout == "map":
            # A map may be smaller than what the model was shown.
            boxes[:, :4] *= room[1] / output.shape[3]
        boxes[:, :4] /= scale
        return boxes
