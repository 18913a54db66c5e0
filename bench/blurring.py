#!/usr/bin/env python3
"""Seconds that the blurring alone takes for a picture, by mode, engine and processor instructions.

bench/blurring.py -i inventories/NAME [--times 3]
The site gives the image of the blurring; nothing of the site is touched. Pictures are geovisio's own: a panorama of
16.6 Mpx, a flat one of 13.8 and one of 2. Instructions are switched off by oneDNN's ONEDNN_MAX_CPU_ISA, which only
OpenVINO knows; an engine that does not run on what is left is said to.
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import docker
import typer
from rich.console import Console
from rich.table import Table

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from panoramax_ops.inventory import Inventory
from pictures import geovisio_pictures

PICTURES = ("4.jpg", "b1.jpg", "e1.jpg")
# Mode, engine, instructions at most (empty: what the processor has).
VARIANTS = (
    ("fast", "openvino", ""),
    ("fast", "onnxruntime", ""),
    ("fast", "openvino", "AVX512_CORE_VNNI"),
    ("fast", "openvino", "AVX512_CORE"),
    ("fast", "openvino", "AVX2"),
    ("thorough", "openvino", ""),
    ("thorough", "onnxruntime", ""),
)
# Runs in the blurring's own container: how often, then pictures (length, bytes); a line of JSON for each one and time.
PROGRAM = """
import json, resource, struct, sys, time
from panoramax_blurring.detectors import Context, create_detectors
from panoramax_blurring.engine_choice import choose_engine
from panoramax_blurring.pipeline import blur
from panoramax_blurring.settings import Settings
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
settings = Settings.from_environment()
engine = choose_engine(settings, settings.models / "plates.onnx")
detectors = create_detectors(Context(settings, engine))
[times] = sys.stdin.buffer.read(1)
while head := sys.stdin.buffer.read(4):
    picture = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
    blur(picture, detectors, settings)
    for _ in range(times):
        wall, processor = time.perf_counter(), spent()
        done = blur(picture, detectors, settings)
        wall, processor = time.perf_counter() - wall, spent() - processor
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"engine": engine.name, "pixels": done.width * done.height, "wall": wall,
                          "processor": processor, "megabytes": memory}), flush=True)
"""


def measure(image: str, variant: tuple[str, str, str], pictures: list[bytes], times: int) -> list[dict[str, Any]]:
    """What each picture took, so many times; empty if the engine does not run with these instructions."""
    mode, engine, instructions = variant
    command = ["docker", "run", "--rm", "-i", "--network=none", "--read-only", "-e", f"BLUR_MODE={mode}"]
    command += ["-e", f"BLUR_ENGINE={engine}"]
    if instructions:
        command += ["-e", f"ONEDNN_MAX_CPU_ISA={instructions}"]
    given = bytes([times]) + b"".join(struct.pack(">I", len(jpeg)) + jpeg for jpeg in pictures)
    done = subprocess.run([*command, image, "python3", "-c", PROGRAM], input=given, capture_output=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    return lines if done.returncode == 0 and len(lines) == times * len(pictures) else []


def rows(image: str, pictures: list[bytes], times: int) -> Iterator[list[str]]:
    """A row of the table for each variant, as soon as it is measured."""
    for variant in VARIANTS:
        mode, engine, instructions = variant
        found = measure(image, variant, pictures, times)
        row = [mode, found[0]["engine"] if found else engine, instructions or "all"]
        for index in range(0, len(found), times):
            same = found[index : index + times]
            wall = statistics.median(one["wall"] for one in same)
            processor = statistics.median(one["processor"] for one in same)
            megapixels = same[0]["pixels"] / 1e6
            row.append(f"{wall:.2f} ({wall / megapixels:.3f}), {processor:.2f}")
        yield [*row, str(max(one["megabytes"] for one in found))] if found else [*row, "does not run", "", "", ""]


def main(
    inventory: Annotated[Path, typer.Option("-i", "--inventory", help="Directory of the inventory.")],
    times: Annotated[
        int, typer.Option(min=1, max=100, help="How often each picture is blurred; the median counts.")
    ] = 3,
) -> None:
    """Measure, and print a table: seconds (seconds per megapixel), processor seconds; memory in MiB."""
    name = str(Inventory(inventory.resolve()).require("site_name"))
    image = str(docker.from_env().containers.get(f"{name}-blurring").attrs["Config"]["Image"])
    pictures = [(geovisio_pictures() / one).read_bytes() for one in PICTURES]
    table = Table("mode", "engine", "instructions", *PICTURES, "MiB", title=f"load before: {os.getloadavg()[0]:.1f}")
    for row in rows(image, pictures, times):
        table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(main)
