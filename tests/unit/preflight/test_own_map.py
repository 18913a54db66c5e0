"""Background maps that an operator may want, and what is said about those that cannot be used."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import pytest

from panoramax_ops.preflight.outside import map_problem
from website_map import WebsiteMapError, website_map_style

MVT, PNG = 1, 2


def pmtiles(path: Path, kind: int, layers: tuple[str, ...] = (), version: int = 3, compression: int = 2) -> Path:
    """The head of a PMTiles file, without any tile."""
    metadata = json.dumps({"vector_layers": [{"id": layer, "fields": {}} for layer in layers]}).encode()
    metadata = gzip.compress(metadata) if compression == 2 else metadata
    header = bytearray(127)
    header[:8] = b"PMTiles" + bytes([version])
    struct.pack_into("<QQ", header, 24, 127, len(metadata))
    header[97:102] = bytes([compression, 2, kind, 0, 14])
    path.write_bytes(bytes(header) + metadata)
    return path


@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://tiles.example.org/{z}/{x}/{y}.png",
        "http://10.0.0.5:8080/styles/plain/{z}/{x}/{y}@2x.webp",
        "https://tiles.example.org/data/v3/{z}/{x}/{y}.pbf?key=abc",
    ],
)
def test_good_values_are_taken(value: str) -> None:
    assert map_problem(value) == ""


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("map.pmtiles", "the whole path"),
        ("/does/not/exist.pmtiles", "cannot be read"),
        ("https://tiles.example.org/{z}/{x}.png", "each of {z}, {x} and {y} once"),
        ("ftp://tiles.example.org/{z}/{x}/{y}.png", "like https://"),
        ("https://tiles.example.org/{z}/{x}/{y}", "has to end with"),
        ("https://tiles.example.org/{z}/{x}/{y}.png; return 200", "like https://"),
        ("https://user:secret@tiles.example.org/{z}/{x}/{y}.png", "like https://"),
        ("https://tiles.example.org/$host/{z}/{x}/{y}.png", "like https://"),
    ],
)
def test_bad_values_are_told_what_to_do(value: str, named: str) -> None:
    assert named in map_problem(value)


def test_files_are_looked_into(tmp_path: Path) -> None:
    assert map_problem(str(pmtiles(tmp_path / "a", MVT, ("water", "roads")))) == ""
    assert map_problem(str(pmtiles(tmp_path / "b", PNG, compression=1))) == ""
    assert "version 2" in map_problem(str(pmtiles(tmp_path / "c", MVT, version=2)))
    assert "its layers are trees" in map_problem(str(pmtiles(tmp_path / "d", MVT, ("trees",))))
    assert "neither vector tiles nor" in map_problem(str(pmtiles(tmp_path / "e", 0)))
    assert "compressed" in map_problem(str(pmtiles(tmp_path / "f", MVT, ("water",), compression=4)))
    (tmp_path / "g").write_bytes(b"PK" * 100)
    assert "not a PMTiles file" in map_problem(str(tmp_path / "g"))
    damaged = pmtiles(tmp_path / "h", MVT, ("water",))
    damaged.write_bytes(damaged.read_bytes()[:140])
    assert "damaged" in map_problem(str(damaged))


def test_the_style_draws_what_the_file_has(tmp_path: Path) -> None:
    file = str(pmtiles(tmp_path / "a", MVT, ("water", "roads", "trees")))
    style = website_map_style("https://maps.example.org", file, "", "© somebody")
    assert style["sources"]["own"] == {
        "attribution": "© somebody",
        "type": "vector",
        "url": "pmtiles://https://maps.example.org/map/own/background.pmtiles",
    }
    assert {layer.get("source-layer") for layer in style["layers"]} == {None, "water", "roads"}
    with pytest.raises(WebsiteMapError, match="website_map_file: /none"):
        website_map_style("https://maps.example.org", "/none", "", "")


@pytest.mark.parametrize(
    ("ending", "kind", "layer"),
    [("png", "raster", "raster"), ("JPG?key=1", "raster", "raster"), ("pbf", "vector", "line")],
)
def test_tiles_of_another_server_come_from_the_site_itself(ending: str, kind: str, layer: str) -> None:
    style = website_map_style("https://maps.example.org", "", f"https://t.example.org/{{z}}/{{x}}/{{y}}.{ending}", "")
    assert style["sources"]["own"]["type"] == kind
    assert style["sources"]["own"]["tiles"] == ["https://maps.example.org/map/tiles/{z}/{x}/{y}"]
    assert "t.example.org" not in json.dumps(style)
    assert style["layers"][-1]["type"] == layer
