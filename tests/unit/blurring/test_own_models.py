"""The operator's own models: what they answer, turned into boxes in the picture's pixels."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from starlette.testclient import TestClient

from panoramax_blurring import layouts, own_model
from panoramax_blurring.detectors import Context, create_detectors
from panoramax_blurring.errors import ModelError
from panoramax_blurring.own import OwnDetector, create_own
from panoramax_blurring.own_model import Declared, Found, OwnModel, tiles
from panoramax_blurring.scene import Scene
from panoramax_blurring.settings import Settings as BlurringSettings
from panoramax_blurring.settings import SettingsError
from panoramax_detection import settings
from panoramax_detection.app import create_app
from panoramax_detection.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
Floats = NDArray[np.float32]


def test_what_the_inventory_leaves_out_is_what_the_service_takes_for_granted() -> None:
    spec = yaml.safe_load((ROOT / "roles" / "site" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = spec["argument_specs"]["main"]["options"]["site_detectors"]["options"]
    ours = {field.name: field.default for field in fields(Declared)}
    for name, option in options.items():
        if "default" in option:
            default = option["default"]
            assert ours[name] == (tuple(default) if isinstance(default, list) else default), name
    assert set(ours) == set(options) - {"version", "model", "url"} | {"kind"}
    assert options["layout"]["choices"] == list(layouts.LAYOUTS)


def test_layout_yolo_takes_the_best_class_in_either_order() -> None:
    answer = np.array([[[50, 40, 20, 10, 0.1, 0.9], [10, 10, 4, 4, 0.4, 0.3]]], np.float32)
    expected = [[40, 35, 60, 45, pytest.approx(0.9), 1]]
    assert layouts.yolo(answer, 2, 0.5).tolist() == expected
    assert layouts.yolo(answer.transpose(0, 2, 1), 2, 0.5).tolist() == expected


def test_layout_yolo_objectness_multiplies() -> None:
    answer = np.array([[[50, 40, 20, 10, 0.5, 0.8], [50, 40, 20, 10, 0.9, 0.8]]], np.float32)
    assert layouts.yolo_objectness(answer, 1, 0.5)[:, 4].tolist() == [pytest.approx(0.72)]


def test_layout_boxes_drops_classes_without_a_label() -> None:
    answer = np.array([[[1, 2, 3, 4, 0.9, 0], [1, 2, 3, 4, 0.9, 7], [1, 2, 3, 4, 0.1, 0]]], np.float32)
    assert layouts.boxes(answer, 1, 0.5).tolist() == [[1, 2, 3, 4, pytest.approx(0.9), 0]]


def test_layout_map_boxes_connected_areas() -> None:
    plane = np.zeros((20, 30), np.float32)
    # A ring with an arm: one area. A faint one beside it, and a sure one that touches it by a corner only.
    plane[2:8, 2:10] = 0.9
    plane[4:6, 4:8] = 0
    plane[5, 10:14] = 0.9
    plane[15:18, 2:8] = 0.4
    plane[18:20, 8:12] = 0.8
    found = layouts.pixel_map(plane[None, None], 1, 0.5)
    assert sorted(box[:4] for box in found.tolist()) == [[2, 2, 14, 8], [8, 18, 12, 20]]
    faint = layouts.pixel_map(plane[None, None], 1, 0.35)
    assert sorted(box[:4] for box in faint.tolist())[1] == [2, 15, 8, 18]


@pytest.mark.parametrize("layout", list(layouts.LAYOUTS))
def test_an_answer_of_another_form_is_refused_with_its_form(layout: str) -> None:
    with pytest.raises(layouts.LayoutError, match=r"\[3, 3\]"):
        layouts.LAYOUTS[layout](np.zeros((3, 3), np.float32), 5, 0.5)


def test_suppression_is_within_a_label_and_counts_the_smaller_box() -> None:
    rows = [[0, 0, 10, 10, 0.9, 0], [0, 0, 4, 4, 0.8, 0], [0, 0, 10, 10, 0.7, 1], [20, 0, 30, 10, 0.6, 0]]
    left = layouts.suppress(np.array(rows, np.float32), 0.5)
    assert left[:, 4].tolist() == [pytest.approx(score) for score in (0.9, 0.7, 0.6)]


def test_tiles_cover_the_picture_and_overlap() -> None:
    assert tiles((400, 300), 1) == [(0, 0, 400, 300)]
    for size in ((4000, 3000), (5760, 2880), (300, 4000)):
        for count in (2, 3, 4):
            covered = np.zeros((size[1], size[0]), np.uint8)
            parts = tiles(size, count)
            for x, y, width, height in parts:
                assert 0 <= x <= x + width <= size[0]
                assert 0 <= y <= y + height <= size[1]
                covered[y : y + height, x : x + width] += 1
            assert covered.min() >= 1, (size, count)
            assert len({x if size[0] > size[1] else y for x, y, *_ in parts}) == count


class Runtime(types.ModuleType):
    """ONNX Runtime with one model: it finds the brightest area of what it is shown, in layout `boxes`."""

    def __init__(self, shape: list[int | str]) -> None:
        super().__init__("onnxruntime")
        self.shape, self.shown = shape, list[tuple[int, ...]]()
        self.low = self.high = 0.0

    def SessionOptions(self) -> Any:  # noqa: N802
        return types.SimpleNamespace(add_session_config_entry=lambda *_: None)

    def InferenceSession(self, _data: bytes, *_: Any, **__: Any) -> Any:  # noqa: N802
        return types.SimpleNamespace(
            get_inputs=lambda: [types.SimpleNamespace(name="x", shape=self.shape)], run=self.run
        )

    def run(self, _names: None, inputs: dict[str, Floats]) -> list[Floats]:
        planes = inputs["x"]
        self.shown.append(planes.shape)
        self.low, self.high = float(planes.min()), float(planes.max())
        rows, columns = np.nonzero(planes[0, 0] > planes[0, 0].min() + 0.9 * (planes[0, 0].max() - planes[0, 0].min()))
        if planes[0, 0].max() - planes[0, 0].min() < 0.1:
            return [np.zeros((1, 1, 6), np.float32)]
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [np.array([[[*edges, 0.9, 0]]], np.float32)]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[OwnModel, Runtime]]:
    """load(shape of the input, settings...) -> a detector of that, and the runtime behind it."""

    def make(shape: list[int | str], **chosen: Any) -> tuple[OwnModel, Runtime]:
        runtime = Runtime(shape)
        monkeypatch.setitem(__import__("sys").modules, "onnxruntime", runtime)
        monkeypatch.setattr(own_model, "MODELS", tmp_path)
        content = b"model"
        checksum = hashlib.sha256(content).hexdigest()
        (tmp_path / f"{checksum}.onnx").write_bytes(content)
        entry = {"name": "lamps", "sha256": checksum, "labels": ("lamp",), "layout": "boxes"} | chosen
        return OwnModel(Declared(**entry), 1), runtime

    return make


def lamp(width: int, height: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    return pixels


def parts(pixels: NDArray[np.uint8]) -> Callable[[int, int, int, int], NDArray[np.uint8]]:
    return lambda x, y, w, h: pixels[y : y + h, x : x + w]


@pytest.mark.parametrize(("shape", "chosen"), [
    ([1, 3, 160, 160], {}),
    ([1, 3, "h", "w"], {"size": 320}),
    ([1, 3, "h", "w"], {"size": 160, "tiles": 2}),
])  # fmt: skip
def test_boxes_come_back_in_the_pictures_own_pixels(
    load: Callable[..., tuple[OwnModel, Runtime]], shape: list[int | str], chosen: dict[str, Any]
) -> None:
    box = (400, 200, 480, 260)
    found, *others = load(shape, **chosen)[0].find((640, 400), parts(lamp(640, 400, box)))
    assert not others
    assert (found.label, found.confidence) == ("lamp", 0.9)
    assert np.abs(np.array(found.box) - box).max() <= 6, found


def test_pixels_are_scaled_and_shaped_as_declared(load: Callable[..., tuple[OwnModel, Runtime]]) -> None:
    one, runtime = load([1, 3, "h", "w"], size=320, mean=(0.5,) * 3, deviation=(0.25,) * 3)
    one.find((640, 400), parts(lamp(640, 400, (400, 200, 480, 260))))
    assert runtime.shown[-1] == (1, 3, 224, 320)
    assert (runtime.low, runtime.high) == (-2.0, 2.0)


def test_margin_widens_and_small_finds_are_dropped(load: Callable[..., tuple[OwnModel, Runtime]]) -> None:
    size, picture = (320, 320), parts(lamp(320, 320, (100, 100, 140, 120)))
    assert load([1, 3, 320, 320], margin=0.5)[0].find(size, picture)[0].box == (90, 90, 150, 130)
    assert load([1, 3, 320, 320], smallest=30)[0].find(size, picture) == []


def test_labels_that_do_not_count_are_dropped(load: Callable[..., tuple[OwnModel, Runtime]]) -> None:
    size, picture = (320, 320), parts(lamp(320, 320, (100, 100, 140, 120)))
    for only, found in ((), ["lamp"]), (("lamp",), ["lamp"]), (("pole",), []):
        one, _ = load([1, 3, 320, 320], labels=("lamp", "pole"), only=only)
        assert [each.label for each in one.find(size, picture)] == found


def test_a_model_that_is_not_the_declared_one_is_refused(load: Callable[..., tuple[OwnModel, Runtime]]) -> None:
    with pytest.raises(ModelError, match="lamps: its model is not there"):
        load([1, 3, 32, 32], sha256="0" * 64)
    (own_model.MODELS / f"{'1' * 64}.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match="not the declared one"):
        load([1, 3, 32, 32], sha256="1" * 64)
    with pytest.raises(ModelError, match=r"one input of \[1, 3, height, width\]"):
        load([1, 32])
    with pytest.raises(ModelError, match=r"layout yolo needs .*labels: 1"):
        load([1, 3, 32, 32], layout="yolo")


def test_the_file_of_detectors_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "detectors.json"
    file.write_text(json.dumps([{"name": "a", "sha256": "b", "labels": ["c"]}]), encoding="utf-8")
    found = settings.load(file, {"DETECT_THREADS": "3"})
    assert (found.detectors[0].labels, found.detectors[0].threshold, found.threads) == (("c",), 0.5, 3)
    file.write_text("[{}]", encoding="utf-8")
    with pytest.raises(ModelError, match="deploy again"):
        settings.load(file, {})


def test_what_it_finds_is_blurred_in_the_pictures_own_pixels_and_across_a_seam(
    load: Callable[..., tuple[OwnModel, Runtime]],
) -> None:
    small = lamp(320, 160, (200, 60, 240, 80))
    [found] = OwnDetector("face", load([1, 3, 160, 320])[0]).detect(
        Scene({1: np.zeros((640, 1280, 3), np.uint8), 4: small}, panorama=False)
    )
    assert (found.kind, found.box, found.score) == ("face", (800, 240, 960, 320), 0.9)
    around = lamp(2048, 1024, (0, 500, 40, 540)) | lamp(2048, 1024, (2008, 500, 2048, 540))
    model, _ = load([1, 3, "h", "w"], size=1280, tiles=2)
    boxes = [one.box for one in OwnDetector("plate", model).detect(Scene({1: around}, panorama=True))]
    covered = np.zeros(2048, bool)
    for left, _, right, _ in boxes:
        covered[int(left) : int(right)] = True
    assert covered[:40].all()
    assert covered[2008:].all()


def test_own_models_join_ours_or_take_their_place(
    load: Callable[..., tuple[OwnModel, Runtime]], tmp_path: Path
) -> None:
    checksum = load([1, 3, 32, 32])[0].declared.sha256
    file = tmp_path / "models.json"
    entry = {"name": "lamps", "sha256": checksum, "labels": ["lamp"], "layout": "boxes", "kind": "face"}
    file.write_text(json.dumps([entry]), encoding="utf-8")

    class Engine:
        name = "none"

        def load(self, _path: Path, _scale: float) -> Any:
            return None

    def names(**chosen: Any) -> list[str]:
        context = Context(BlurringSettings(own_models=file, threads=1, **chosen), Engine())
        return [detector.name for detector in create_detectors(context)]

    assert names() == ["centerface", "cascade", "lamps"]
    assert names(faces="own") == ["cascade", "lamps"]
    with pytest.raises(SettingsError, match="an own model of kind plate"):
        names(plates="own")
    file.write_text(json.dumps([entry | {"kind": "hat"}]), encoding="utf-8")
    with pytest.raises(SettingsError, match="own model lamps: kind must be one of face, plate, not 'hat'"):
        create_own(Context(BlurringSettings(own_models=file), Engine()))


class Still:
    """A detector that says what it was shown."""

    declared = Declared("still", "0", ("size",))
    sees = 100

    def find(self, size: tuple[int, int], cut: Callable[[int, int, int, int], NDArray[np.uint8]]) -> list[Found]:
        assert cut(0, 0, *size).shape == (size[1], size[0], 3)
        return [Found("size", 0.5, (0, 0, *size))]


def test_the_service_answers_in_pixels_of_the_file(jpeg: Callable[..., bytes]) -> None:
    still: Any = Still()
    client = TestClient(create_app({"still": still}, Settings((), max_pixels=1_000_000)))
    answer = client.post("/still/detect/", files={"picture": jpeg(421, 200)})
    assert answer.json() == {"detections": [{"label": "size", "confidence": 0.5, "box": [0, 0, 421, 200]}]}
    assert client.get("/healthz").json()["detectors"] == ["still"]
    assert client.post("/other/detect/", files={"picture": jpeg()}).status_code == 404
    for body, status in ((b"no picture", 415), (jpeg(1200, 1000), 413)):
        assert client.post("/still/detect/", files={"picture": body}).status_code == status
    assert client.post("/still/detect/", content=b"x").status_code == 400


def test_a_detector_that_fails_says_nothing_of_the_picture(jpeg: Callable[..., bytes]) -> None:
    still: Any = Still()
    still.find = lambda _: 1 / 0
    answer = TestClient(create_app({"still": still}, Settings(()))).post("/still/detect/", files={"picture": jpeg()})
    assert (answer.status_code, answer.json()) == (500, {"detail": "detection failed"})
