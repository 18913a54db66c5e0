"""A model of the operator's own whose finds are blurred: the text on a sign, beside faces and plates."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import yaml
from PIL import Image

from conftest import Site, declared
from detecting_kit import example, own_upload, street
from engine_kit import Sql, proof
from known import assert_gone

# The sign's writing, and a part of the house above it.
WRITING, HOUSE = (1300, 640, 1830, 760), (900, 250, 1200, 450)


def seen(owner: httpx.Client, other: httpx.Client, sql: Sql) -> tuple[dict[str, str], Image.Image]:
    """Upload the street. Returns the models that its proof names, and what another person sees of it, grey."""
    collection, picture = own_upload(owner)
    try:
        answer = other.get(f"/api/pictures/{picture}/hd.jpg")
        return proof(sql, picture)["models"], Image.open(io.BytesIO(answer.content)).convert("L")
    finally:
        owner.delete(f"/api/collections/{collection}")


@pytest.fixture(scope="module")
def checksum(site: Site) -> Iterator[str]:
    """The site with the model of docs/detection.md among what blurs; the model's checksum."""
    [model] = yaml.safe_load(example())["site_detectors"]
    model |= {"kind": "plate"}
    del model["version"]
    with declared(site.inventory, "blurring.yml", {"site_blurring_models": [model]}):
        yield str(model["sha256"])


def test_without_it_the_writing_can_be_read(user: httpx.Client, other_user: httpx.Client, database_sql: Sql) -> None:
    before = Image.open(io.BytesIO(street())).convert("L")
    models, after = seen(user, other_user, database_sql)
    assert "own/text" not in models
    with pytest.raises(AssertionError, match="the writing"):
        assert_gone(before, after, WRITING, "the writing on the sign")


def test_what_it_finds_is_blurred_and_the_proof_names_it(
    checksum: str, user: httpx.Client, other_user: httpx.Client, database_sql: Sql
) -> None:
    before = Image.open(io.BytesIO(street())).convert("L")
    models, after = seen(user, other_user, database_sql)
    assert_gone(before, after, WRITING, "the writing on the sign")
    assert np.array_equal(np.asarray(before.crop(HOUSE)), np.asarray(after.crop(HOUSE)))
    assert models["own/text"] == checksum[:16]
    assert {"faces.onnx", "plates.onnx"} <= set(models)
