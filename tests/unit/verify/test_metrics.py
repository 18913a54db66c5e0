"""The figures for Prometheus, as Prometheus' own client reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.verify.metrics import of_failure, of_report, write
from panoramax_ops.verify.model import Result, Verdict
from panoramax_ops.verify.report import Report

STARTED = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def result(claim: str, verdict: Verdict) -> Result:
    return Result(claim, f"{claim} {verdict}", verdict, "as seen", "as tried", STARTED.isoformat(), 0.5)


def report(*results: Result, ends: str = "2026-06-01T00:00:00+00:00") -> Report:
    return Report(
        "Maps",
        "Operator",
        "https://maps.example.org",
        "example",
        STARTED.isoformat(),
        12.5,
        {},
        ends,
        False,
        [*results],
    )


def figures(path: Path) -> dict[tuple[str, str], float]:
    """Value by name and by the label that tells values of one name apart; all carry the site."""
    families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    assert {family.type for family in families} == {"gauge"}
    assert all(family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels["site"] for sample in samples} == {'a "b" \\c'}
    short = "panoramax_verification_"
    return {
        (sample.name.removeprefix(short), sample.labels.get("claim") or sample.labels.get("verdict", "")): sample.value
        for sample in samples
    }


def test_each_claim_has_its_figure(tmp_path: Path) -> None:
    made = report(
        result("C1", Verdict.HOLDS),
        result("C2", Verdict.HOLDS),
        result("C2", Verdict.BROKEN),
        result("C3", Verdict.UNKNOWN),
        result("C4", Verdict.HOLDS),
        result("C4", Verdict.NOT_COVERED),
        result("C12", Verdict.NOT_COVERED),
    )
    write(tmp_path / "site.prom", 'a "b" \\c', of_report(made))
    found = figures(tmp_path / "site.prom")
    claims = {claim: value for (name, claim), value in found.items() if name == "claim_holds"}
    assert claims == {"C1": 1, "C2": 0, "C3": 0, "C4": 1}
    assert found["findings", ""] == found["checks", "broken"] == 1
    assert (found["checks", "could not check"], found["checks", "holds"], found["checks", "not covered"]) == (1, 3, 2)
    assert found["exit_code", ""] == 1
    assert found["timestamp_seconds", ""] == STARTED.timestamp()
    assert found["duration_seconds", ""] == 12.5
    ends = found["certificate_not_after_timestamp_seconds", ""]
    assert datetime.fromtimestamp(ends, UTC) == datetime(2026, 6, 1, tzinfo=UTC)
    assert [path.name for path in tmp_path.iterdir()] == ["site.prom"]
    assert (tmp_path / "site.prom").stat().st_mode & 0o777 == 0o644


def test_an_unreadable_certificate_has_no_figure(tmp_path: Path) -> None:
    write(tmp_path / "site.prom", 'a "b" \\c', of_report(report(result("C1", Verdict.HOLDS), ends="")))
    assert "certificate" not in (tmp_path / "site.prom").read_text(encoding="utf-8")


def test_a_site_that_is_not_reached_leaves_no_old_figures(tmp_path: Path) -> None:
    path = tmp_path / "site.prom"
    write(path, 'a "b" \\c', of_report(report(result("C1", Verdict.HOLDS))))
    with pytest.raises(UnableError), of_failure(path, 'a "b" \\c', STARTED):
        raise UnableError("It does not answer.")
    found = figures(path)
    assert found["exit_code", ""] == 2
    assert not [name for name, _ in found if name == "claim_holds"]
    with pytest.raises(RefusedError), of_failure(None, "site", STARTED):
        raise RefusedError("No.")


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnableError, match=r"nowhere/site\.prom cannot be written"):
        write(tmp_path / "nowhere" / "site.prom", "site", [])
