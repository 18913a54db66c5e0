"""What is said about detection models that cannot be what they say they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from panoramax_ops.preflight import specifications
from panoramax_ops.preflight.detectors import detectors
from panoramax_ops.preflight.run import ROLES
from panoramax_ops.preflight.settings import Settings

OPTIONS = specifications.load_options(ROLES)
CHECKSUM = hashlib.sha256(b"model").hexdigest()


@pytest.fixture
def model(tmp_path: Path) -> dict[str, Any]:
    """A detector that is all right."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"model")
    return {"name": "text", "version": "4", "model": str(path), "sha256": CHECKSUM, "labels": ["text"]}


def problems(*entries: dict[str, Any]) -> list[str]:
    values = {"site_detectors": list(entries), "site_extra_services": [{"role": "trees"}]}
    defaults = specifications.defaults(OPTIONS)
    settings = Settings("host", values, lambda value: value, defaults, Path("/inventory"))
    option = OPTIONS["site_detectors"]
    typed = [
        f"{path}: {said}"
        for path, _, said in specifications.type_problems("site_detectors", values["site_detectors"], option)
    ]
    return typed or [f"{problem.what}: {problem.remedy}" for problem in detectors(settings)]


def test_good_ones_are_taken(model: dict[str, Any]) -> None:
    trees = {"name": "trees", "version": "2026.11+a", "url": "http://trees:8000"}
    full = {
        "layout": "map",
        "only": ["text"],
        "threshold": 0.3,
        "size": 1920,
        "tiles": 3,
        "mean": [0.5, 0.5, 0.5],
        "deviation": [1, 1, 1],
    }
    assert problems(model, trees, model | full | {"name": "a-2"}) == []
    assert problems() == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "Text"}, ['name is "Text"', "small letters"]),
        ({"name": "SGBlur"}, ["name is", "small letters"]),
        ({"version": "a b"}, ['text: version is "a b"', "letters, digits"]),
        ({"version": "a]=b"}, ["text: version is"]),
        ({"sha256": "0" * 64}, ["text: sha256 is 000", CHECKSUM, "another file than you meant"]),
        ({"sha256": ""}, ["text: sha256 missing", CHECKSUM]),
        ({"model": "model.onnx"}, ["text: model is model.onnx", "whole path"]),
        ({"model": "/nowhere.onnx"}, ["text: model is /nowhere.onnx", "no such file"]),
        ({"labels": []}, ["text: no labels", "name the model's classes"]),
        ({"labels": ["a", "a"]}, ["twice"]),
        ({"only": ["sign", "text"]}, ["text: only names sign", "give some of its labels: text"]),
        ({"labels": ["a=b"]}, ['label "a=b"', "without [ ] = and |"]),
        ({"labels": [" a"]}, ["no space at its ends"]),
        ({"threshold": 0.0}, ["text: threshold is 0.0", "from 0.01 to 1"]),
        ({"threshold": "high"}, ["site_detectors[0].threshold"]),
        ({"size": 5}, ["text: size is 5", "from 32 to 4096"]),
        ({"tiles": 20}, ["text: tiles is 20"]),
        ({"mean": [0.5]}, ["text: mean is [0.5]", "three numbers"]),
        ({"deviation": [1, 0, 1]}, ["text: deviation is", "not 0"]),
        ({"layout": "detr"}, ["layout", "yolo-objectness"]),
        ({"url": "http://trees:8000"}, ["text: model and url", "either a model or a url"]),
    ],
)
def test_bad_ones_are_told_what_to_do(model: dict[str, Any], changed: dict[str, Any], says: list[str]) -> None:
    [found] = problems(model | changed)
    assert all(part in found for part in says), found


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"url": "http://models.example.org:80"}, ["is no service of site_extra_services", "must not leave the site"]),
        ({"url": "https://trees:8000"}, ["url is", "http://NAME:PORT"]),
        ({"url": "http://trees:8000/x"}, ["http://NAME:PORT"]),
        ({"url": "http://trees:8000", "labels": ["a"]}, ["labels beside url", "remove it"]),
        ({}, ["neither model nor url", "either a model or a url"]),
    ],
)
def test_services_must_be_of_the_site(entry: dict[str, Any], says: list[str]) -> None:
    [found] = problems({"name": "trees", "version": "1"} | entry)
    assert all(part in found for part in says), found


def test_each_has_a_name_of_its_own(model: dict[str, Any]) -> None:
    assert problems(model, model) == ["site_detectors: text stands there twice: give each one a name of its own"]
