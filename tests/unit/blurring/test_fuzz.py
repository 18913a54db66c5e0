"""A few seconds of fuzzing with every test; docs/blurring.md says how to fuzz for longer."""

import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Make = Callable[..., bytes]
PROGRAM = Path(__file__).parent / "fuzz_headers.py"
RUNS, SECONDS = 6000, 60


def corpus(folder: Path, jpeg: Make, exif: Make, with_segments: Make) -> None:
    """Whole files and bare metadata of every kind that the service keeps or cleans."""
    small = jpeg(8, 8)
    photoshop = b"8BIM\x04\x0c\0\0" + len(small).to_bytes(4, "big") + small + b"8BIM\x04\x04\0\0\0\0\0\x04IPTC"
    xmp = b"<x:xmpmeta><a>" + base64.b64encode(small) + b"</a></x:xmpmeta>"
    segments = [
        (0xE1, exif(orientation=6, thumbnail=small)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
        (0xED, b"Photoshop 3.0\0" + photoshop),
        (0xE2, b"ICC_PROFILE\0\1\1profile"),
        (0xFE, b"a comment"),
    ]
    seeds = {
        "plain": jpeg(16, 8),
        "grey": jpeg(16, 8, mode="L"),
        "progressive": jpeg(16, 8, progressive=True),
        "restarts": jpeg(32, 16, subsampling="4:2:0", restart_marker_blocks=1),
        "metadata": with_segments(small, *segments) + b"trailer" + small,
        "exif": exif(orientation=6, thumbnail=small)[6:],
        "exif-big-endian": exif(orientation=3, thumbnail=b"t" * 20, note=b"\0" + small[1:], order=">")[6:],
        "photoshop": photoshop,
        "xmp": xmp,
    }
    for name, seed in seeds.items():
        (folder / name).write_bytes(seed)


def test_no_promise_is_broken(tmp_path: Path, jpeg: Make, exif: Make, with_segments: Make) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    corpus(folder, jpeg, exif, with_segments)
    options = [f"-runs={RUNS}", "-seed=7", f"-max_total_time={SECONDS}", "-max_len=4096", "-timeout=10"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=3 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert len(list(folder.iterdir())) > 50, "the fuzzer found nothing new: is the service's code instrumented?"
