"""The reader of PyTorch checkpoints runs nothing and refuses what it does not know."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from prepare.checkpoint import CheckpointError, Node, read_checkpoint


def archive(code: bytes, **storages: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("x/data.pkl", code)
        for key, content in storages.items():
            file.writestr(f"x/data/{key[1:]}", content)
    return out.getvalue()


class Evil:
    """Would create a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return open, (str(self.target), "w")


def test_code_is_not_run(tmp_path: Path) -> None:
    target = tmp_path / "created"
    result = read_checkpoint(archive(pickle.dumps({"model": Evil(target)}, protocol=2)))
    assert not target.exists()
    assert isinstance(result["model"], Node)


def tensor_code(offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"K" + bytes([value]) for value in values) + b"t"

    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K" + bytes([offset])
    return b"\x80\x02" + call + numbers(shape) + numbers(stride) + b"\x89tR."


def test_tensors_are_read_with_their_layout() -> None:
    numbers = np.arange(12, dtype="<f4")
    code = tensor_code(2, (2, 3), (1, 2))
    tensor = read_checkpoint(archive(code, s0=numbers.tobytes()))
    assert tensor.tolist() == [[2, 4, 6], [3, 5, 7]]


@pytest.mark.parametrize(("offset", "shape", "stride"), [(0, (13,), (1,)), (11, (2,), (1,)), (0, (4, 4), (200, 1))])
def test_tensors_outside_their_storage_are_refused(
    offset: int, shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    with pytest.raises(CheckpointError, match="outside"):
        read_checkpoint(archive(tensor_code(offset, shape, stride), s0=bytes(48)))


def test_other_opcodes_are_refused() -> None:
    with pytest.raises(CheckpointError, match="opcode"):
        read_checkpoint(archive(pickle.dumps({1, 2}, protocol=4)))
    with pytest.raises(CheckpointError):
        read_checkpoint(archive(b"\x80\x02."))


def test_a_zip_without_a_pickle_is_refused() -> None:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    with pytest.raises(CheckpointError, match="not a PyTorch checkpoint"):
        read_checkpoint(out.getvalue())
