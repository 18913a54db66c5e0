"""Which engine runs the models: the one of the settings, or the faster one on this machine."""

import logging
from pathlib import Path

from .engines import Engine, OnnxRuntimeEngine, OpenVinoEngine, thread_count
from .errors import ModelError
from .settings import Settings
from .trial import trial

logger = logging.getLogger(__name__)


def choose_engine(settings: Settings, trial_model: Path) -> Engine:
    """The engine of the settings; for `auto` on a CPU the one that is faster on this machine, timed on a tile.

    Raises:
        ModelError: the device asked for is not there.
    """
    threads = thread_count(settings)
    if settings.device == "cuda" or settings.engine == "onnxruntime":
        return OnnxRuntimeEngine(threads, settings.device)
    if settings.engine == "openvino":
        return OpenVinoEngine(threads)
    if settings.device == "auto" and OnnxRuntimeEngine.has_cuda():
        return OnnxRuntimeEngine(threads, "auto")
    times = {name: trial(name, trial_model, threads) for name in ("openvino", "onnxruntime")}
    logger.info("seconds per tile: %s", times)
    if min(times.values()) == float("inf"):
        msg = f"no engine runs {trial_model.name} on this machine"
        raise ModelError(msg)
    fastest = min(times, key=lambda name: times[name])
    return OpenVinoEngine(threads) if fastest == "openvino" else OnnxRuntimeEngine(threads, "cpu")
