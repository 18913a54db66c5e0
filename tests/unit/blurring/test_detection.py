"""Boxes, tiles, windows and the decoding of the networks' outputs, without networks."""

import itertools

import numpy as np
import pytest

from panoramax_blurring import centerface, yolo
from panoramax_blurring.detectors import Context, create_detectors, register
from panoramax_blurring.geometry import FACE_RULES, PLATE_RULES, no_boxes, suppress, to_detections
from panoramax_blurring.plates import WINDOW, group_boxes, windows
from panoramax_blurring.resample import cell_means, enlarge
from panoramax_blurring.scene import MAX_TILE, OVERLAP, Scene, divisors, split
from panoramax_blurring.settings import Settings, SettingsError


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_suppress_keeps_the_best_of_overlapping_boxes() -> None:
    found = suppress(boxes((0, 0, 10, 10, 0.5), (1, 1, 11, 11, 0.9), (50, 50, 60, 60, 0.1)), 0.4)
    assert found[:, 4].tolist() == pytest.approx([0.9, 0.1])
    assert len(suppress(no_boxes(), 0.4)) == 0


@pytest.mark.parametrize("length", [1, 31, 959, 960, 961, 2000, 5760, 12000])
def test_pieces_cover_everything_and_overlap(length: int) -> None:
    piece, starts = split(length, MAX_TILE, OVERLAP)
    assert piece % 32 == 0
    assert starts[0] == 0
    assert starts[-1] + piece >= length
    assert all(b - a <= piece - OVERLAP + 1 for a, b in itertools.pairwise(starts))


def test_a_box_over_the_seam_becomes_two() -> None:
    found = to_detections(boxes((3990, 100, 4020, 130, 0.9)), FACE_RULES, (4000, 2000), panorama=True)
    assert sorted((d.box[0], d.box[2]) for d in found) == [(0.0, 26.0), (3984.0, 4000.0)]
    flat = to_detections(boxes((3990, 100, 4020, 130, 0.9)), FACE_RULES, (4000, 3000), panorama=False)
    assert [(d.box[0], d.box[2]) for d in flat] == [(3984.0, 4000.0)]


def test_senseless_boxes_go() -> None:
    rows = boxes((0, 0, 3, 3, 1), (0, 0, 100, 5, 1), (0, 0, 1000, 200, 1), (10, 10, 60, 25, 1))
    assert len(to_detections(rows, PLATE_RULES, (1600, 1200), panorama=False)) == 1


def _scene(width: int, height: int, *, panorama: bool = False) -> Scene:
    base = np.zeros((height, width, 3), np.uint8)
    base[..., 0] = np.arange(width)[None] % 251
    base[..., 1] = np.arange(height)[:, None] % 251
    levels = {d: np.ascontiguousarray(base[::d, ::d]) for d in divisors((width, height))}
    return Scene(levels, panorama)


@pytest.mark.parametrize(("width", "height", "panorama"), [(3000, 1500, True), (2100, 1300, False), (300, 200, False)])
def test_tiles_know_where_they_are(width: int, height: int, panorama: bool) -> None:
    scene = _scene(width, height, panorama=panorama)
    seen = np.zeros((height, width), bool)
    for tile in scene.tiles(1, (0.0, 1.0), fill=7):
        x, y = int(tile.x), int(tile.y)
        rows = min(tile.pixels.shape[0], height - y)
        columns = np.arange(x, x + tile.pixels.shape[1])
        columns = columns % width if panorama else columns[columns < width]
        expected = scene.levels[1][y : y + rows][:, columns]
        if not panorama or columns.size <= width:
            assert np.array_equal(tile.pixels[:rows, : columns.size], expected) or panorama
        seen[y : y + rows, columns] = True
    assert seen.all()


def test_windows_hold_every_proposal() -> None:
    scene = _scene(4000, 2000, panorama=True)
    generator = np.random.default_rng(3)
    width = generator.uniform(8, 400, 60)
    x, y = generator.uniform(0, 3990, 60), generator.uniform(0, 1900, 60)
    proposals = np.stack([x, y, x + width, np.minimum(y + width / 3, 2000), np.full(60, 0.5)], axis=1).astype(
        np.float32
    )
    tiles = list(windows(scene, proposals))
    assert len(tiles) < 60
    for box in proposals:
        assert any(
            tile.x <= box[0]
            and tile.y <= box[1]
            and box[2] <= tile.x + WINDOW / tile.scale
            and box[3] <= tile.y + WINDOW / tile.scale + 1
            for tile in tiles
        ), box
    assert all(tile.pixels.shape == (WINDOW, WINDOW, 3) for tile in tiles)


def test_groups_stay_in_their_room() -> None:
    found = list(group_boxes(boxes((0, 0, 10, 10, 0.9), (20, 0, 30, 10, 0.8), (500, 0, 510, 10, 0.7)), 50))
    assert [group.tolist() for group in found] == [[0, 0, 30, 10], [500, 0, 510, 10]]


def test_yolo_head_is_decoded() -> None:
    outputs = []
    for stride in (8, 16, 32):
        side = 320 // stride
        outputs += [np.zeros((1, 64, side, side), np.float32), np.full((1, 1, side, side), -20, np.float32)]
    distances = (3, 1, 4, 2)
    for k, distance in enumerate(distances):
        outputs[2][0, 16 * k + distance, 5, 7] = 50
    outputs[3][0, 0, 5, 7] = 2.0
    found = yolo.decode(outputs, 0.2)
    assert found[0, :4].tolist() == pytest.approx([(7.5 - 3) * 16, (5.5 - 1) * 16, (7.5 + 4) * 16, (5.5 + 2) * 16])
    assert found[0, 4] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert len(yolo.decode(outputs, 0.95)) == 0


def test_centerface_heat_map_is_decoded() -> None:
    heat, size, offset = (np.zeros((1, c, 40, 40), np.float32) for c in (1, 2, 2))
    heat[0, 0, 10, 20], size[0, :, 10, 20], offset[0, :, 10, 20] = 0.8, (np.log(6), np.log(4)), (0.25, -0.25)
    found = centerface.decode([heat, size, offset], 0.3)
    assert found[0, :4].tolist() == pytest.approx([81 - 8, 43 - 12, 81 + 8, 43 + 12])


def test_resampling_keeps_flat_colours_and_means() -> None:
    flat = np.full((20, 30, 3), 77, np.uint8)
    assert np.all(enlarge(flat, 64, 32) == 77)
    halves = np.concatenate([np.zeros((4, 8, 3), np.uint8), np.full((4, 8, 3), 200, np.uint8)], axis=1)
    assert cell_means(halves, 2, 1)[0, :, 0].tolist() == [0, 200]


def test_detectors_are_chosen_by_name() -> None:
    class Nothing:
        name = "nothing"

        def detect(self, _scene: Scene) -> list[object]:
            return []

    register("nothing", lambda _context: Nothing())  # type: ignore[arg-type,return-value]
    context = Context(Settings(faces="nothing", plates="nothing"), None)  # type: ignore[arg-type]
    assert [d.name for d in create_detectors(context)] == ["nothing", "nothing"]
    with pytest.raises(SettingsError, match="no detector is called 'egoblur'"):
        create_detectors(Context(Settings(faces="egoblur"), None))  # type: ignore[arg-type]
