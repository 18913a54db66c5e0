"""Time an engine in a process of its own, so that the loser leaves no memory behind.

`python -m panoramax_blurring.trial ENGINE MODEL THREADS` prints the seconds for one tile.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from .engines import Engine, OnnxRuntimeEngine, OpenVinoEngine

SIDE, RUNS, TIMEOUT = 640, 3, 60.0


def time_tile(engine: Engine, model: Path) -> float:
    """Seconds for one tile, the best of three after a first run."""
    network = engine.load(model, 255.0)
    tile = np.full((SIDE, SIDE, 3), 114, np.uint8)
    network(tile)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        network(tile)
        times.append(time.perf_counter() - start)
    return min(times)


def trial(engine: str, model: Path, threads: int) -> float:
    """Seconds an engine needs for one tile; infinity if it does not run on this machine (it may even crash)."""
    command = [sys.executable, "-m", __name__, engine, str(model), str(threads)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT)
        return float(result.stdout)
    except (subprocess.SubprocessError, ValueError):
        return float("inf")


if __name__ == "__main__":
    kind, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    chosen: Engine = OpenVinoEngine(count) if kind == "openvino" else OnnxRuntimeEngine(count, "cpu")
    print(time_tile(chosen, path))
