"""The figures of a verification for Prometheus, as a text file that the node exporter's textfile collector reads.

The format is Prometheus' text exposition format; the collector wants whole files, hence one rename at the end.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from panoramax_ops.errors import OpsError, UnableError
from panoramax_ops.verify.model import GRAVITY, Verdict
from panoramax_ops.verify.report import Report

PREFIX = "panoramax_verification"
# Verdicts on a claim that count as kept. What is not covered at all has no figure: it is neither kept nor broken.
KEPT = {Verdict.HOLDS: 1, Verdict.PARTLY: 1, Verdict.BROKEN: 0, Verdict.UNKNOWN: 0}


@dataclass(frozen=True)
class Metric:
    """One family of figures: its name, what it means, and each value with its labels."""

    name: str
    meaning: str
    values: tuple[tuple[Mapping[str, str], float], ...]

    def text(self, common: Mapping[str, str]) -> str:
        """As Prometheus reads it; `common` labels stand at every value."""
        lines = [f"# HELP {self.name} {_escaped(self.meaning)}", f"# TYPE {self.name} gauge"]
        for labels, value in self.values:
            pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in {**common, **labels}.items())
            lines.append(f"{self.name}{{{pairs}}} {value:.17g}")
        return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def of_report(report: Report) -> list[Metric]:
    """The figures of a verification that was made."""
    claims = [({"claim": claim}, KEPT[verdict]) for claim, verdict in report.claims.items() if verdict in KEPT]
    checks = [({"verdict": str(verdict)}, report.count(verdict)) for verdict in GRAVITY]
    metrics = [
        Metric(
            f"{PREFIX}_claim_holds",
            "1 if all that was checked of a claim holds, 0 if something is broken or could not be checked.",
            tuple(claims),
        ),
        Metric(f"{PREFIX}_checks", "Number of checks by verdict.", tuple(checks)),
        _one("findings", "Number of checks that found a claim broken.", report.count(Verdict.BROKEN)),
        *outcome(report.exit_code, datetime.fromisoformat(report.started).timestamp(), report.seconds),
    ]
    if report.certificate_ends:
        ends = datetime.fromisoformat(report.certificate_ends).timestamp()
        metrics.append(_one("certificate_not_after_timestamp_seconds", "When the site's certificate ends.", ends))
    return metrics


def outcome(exit_code: int, started: float, seconds: float) -> list[Metric]:
    """The figures that there are also where the site could not be reached. Times are seconds (since 1970)."""
    meaning = "0 all that was checked holds, 1 a claim is broken, 2 something or nothing could be checked."
    return [
        _one("exit_code", meaning, exit_code),
        _one("timestamp_seconds", "When the verification began.", started),
        _one("duration_seconds", "How long the verification took.", seconds),
    ]


@contextlib.contextmanager
def of_failure(path: Path | None, site: str, started: datetime) -> Iterator[None]:
    """Write that nothing could be verified if an OpsError is raised inside; old figures would look like a pass."""
    try:
        yield
    except OpsError as error:
        if path:
            seconds = datetime.now(UTC).timestamp() - started.timestamp()
            write(path, site, outcome(error.exit_code, started.timestamp(), seconds))
        raise


def _one(name: str, meaning: str, value: float) -> Metric:
    return Metric(f"{PREFIX}_{name}", meaning, (({}, value),))


def write(path: Path, site: str, metrics: Iterable[Metric]) -> None:
    """Replace the file at once; whoever runs the node exporter may read it. `site` names the site in every figure.

    Raises UnableError if it cannot be written.
    """
    text = "\n".join(metric.text({"site": site}) for metric in metrics) + "\n"
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
        raise UnableError(
            f"{path} cannot be written: {error.strerror}.", "Make the directory, and let the verifier write to it."
        ) from error
