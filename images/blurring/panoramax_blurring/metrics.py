"""Counters of the service in the Prometheus text format, without a library: a dozen numbers."""

import threading
from collections import defaultdict

HELP = {
    "blurring_pictures_total": ("counter", "Pictures by outcome: blurred, refused, failed, turned away."),
    "blurring_boxes_total": ("counter", "Blurred regions by kind."),
    "blurring_megapixels_total": ("counter", "Megapixels of blurred pictures."),
    "blurring_seconds_total": ("counter", "Seconds of work by step (waiting is not work)."),
    "blurring_waiting_seconds_total": ("counter", "Seconds that blurred pictures waited for their turn."),
    "blurring_queue_pictures": ("gauge", "Pictures that are here now, the one in work included."),
    "blurring_queue_bytes": ("gauge", "Bytes of the pictures that are here now."),
    "blurring_selftest_ok": ("gauge", "1 if the last self-test found the known face and plate."),
    "blurring_info": ("gauge", "What runs: engine and detectors."),
}


class Metrics:
    """Thread-safe numbers by name and label text such as `kind="face"`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, dict[str, float]] = defaultdict(dict)

    def add(self, name: str, amount: float, labels: str = "") -> None:
        """Count something."""
        with self._lock:
            self._values[name][labels] = self._values[name].get(labels, 0.0) + amount

    def set(self, name: str, value: float, labels: str = "") -> None:
        """Set a gauge."""
        with self._lock:
            self._values[name][labels] = value

    def text(self) -> str:
        """Everything in the Prometheus text format 0.0.4."""
        lines = []
        with self._lock:
            for name, (kind, explanation) in HELP.items():
                lines += [f"# HELP {name} {explanation}", f"# TYPE {name} {kind}"]
                for labels, value in sorted(self._values[name].items()):
                    lines.append(f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}")
        return "\n".join(lines) + "\n"
