"""Images are named by their content: the same content is the same image, anything else is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from images_plan import ImagesPlanError, images_plan, images_references


@pytest.fixture
def images_dir(tmp_path: Path) -> Path:
    for name in ("base", "web"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(f"FROM {name}\n")
    return tmp_path


def _references(images_dir: Path, salt: str = "trixie") -> dict[str, str]:
    return images_references(images_plan(["web"], str(images_dir), "p", salt))


def test_unchanged_content_keeps_the_reference(images_dir: Path) -> None:
    before = _references(images_dir)
    (images_dir / "web" / "Dockerfile").touch()
    (images_dir / "web" / "node_modules").mkdir()
    (images_dir / "web" / "node_modules" / "x.js").write_text("not part of the image")
    assert _references(images_dir) == before
    assert before["web"].startswith("p/web:")


def test_changed_content_changes_the_reference(images_dir: Path) -> None:
    before = _references(images_dir)
    (images_dir / "web" / "run").write_text("#!/bin/sh\n")
    named = _references(images_dir)
    (images_dir / "web" / "run").chmod(0o755)
    executable = _references(images_dir)
    assert len({before["web"], named["web"], executable["web"]}) == 3
    assert before["base"] == executable["base"]


def test_a_changed_base_changes_all(images_dir: Path) -> None:
    before = _references(images_dir)
    assert not set(before.values()) & set(_references(images_dir, salt="trixie 2026-12").values())


def test_build_arguments_make_another_image_of_that_one_only(images_dir: Path) -> None:
    def plan(arguments: dict[str, dict[str, str]]) -> dict[str, str]:
        return images_references(images_plan(["web"], str(images_dir), "p", "trixie", arguments))

    before = _references(images_dir)
    assert plan({}) == plan({"web": {}}) == before
    changed = plan({"web": {"RUNTIME": "cuda"}})
    assert changed["web"] not in (before["web"], plan({"web": {"RUNTIME": "rocm"}})["web"])
    assert changed["base"] == before["base"]


def test_an_image_without_sources_is_refused_by_name(images_dir: Path) -> None:
    with pytest.raises(ImagesPlanError, match=r"images_names: nope: .*Dockerfile does not exist"):
        images_plan(["nope"], str(images_dir), "p", "trixie")
