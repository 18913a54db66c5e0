"""Verdicts, exit codes, and the reports made of them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from rich.console import Console

from panoramax_ops.errors import UnableError
from panoramax_ops.verify import report as reports
from panoramax_ops.verify.model import (
    Check,
    ClaimBrokenError,
    NotCoveredError,
    Result,
    Stage,
    Verdict,
    claim_verdict,
    exit_code,
    left_out,
    run_stages,
)
from panoramax_ops.verify.run import plan
from panoramax_ops.verify.site import Site

SITE = cast("Site", None)


def holds(site: Site) -> str:
    """It is tried.

    And more about it."""
    del site
    return "well"


def breaks(_: Site) -> str:
    """It is tried."""
    raise ClaimBrokenError("<b>open</b> & wide \x00")


def unsure(_: Site) -> str:
    """It is tried."""
    raise UnableError("No answer.", "Look.")


def crashes(_: Site) -> str:
    """It is tried."""
    raise RuntimeError("boom")


def missing(_: Site) -> str:
    """Nothing is tried."""
    raise NotCoveredError("later")


def results_of(*functions: Any, claim: str = "C1") -> list[Result]:
    checks = tuple(Check(claim, function.__name__, function) for function in functions)
    return run_stages([Stage(checks)], SITE, lambda _: None)


def test_what_checks_come_to() -> None:
    results = results_of(holds, breaks, unsure, crashes, missing)
    assert [result.verdict for result in results] == [
        Verdict.HOLDS,
        Verdict.BROKEN,
        Verdict.UNKNOWN,
        Verdict.UNKNOWN,
        Verdict.NOT_COVERED,
    ]
    assert results[0].tries == "It is tried."
    assert results[2].evidence == "No answer. Look."
    assert results[3].evidence == "RuntimeError: boom"


@pytest.mark.parametrize(
    ("functions", "code", "verdict"),
    [
        ([holds], 0, Verdict.HOLDS),
        ([holds, missing], 0, Verdict.PARTLY),
        ([missing], 2, Verdict.NOT_COVERED),
        ([holds, unsure, missing], 2, Verdict.UNKNOWN),
        ([holds, unsure, breaks, missing], 1, Verdict.BROKEN),
    ],
)
def test_exit_code_and_claim(functions: list[Any], code: int, verdict: Verdict) -> None:
    results = results_of(*functions)
    assert exit_code(results) == code
    assert claim_verdict(results) is verdict


def test_nothing_checked_is_no_pass() -> None:
    assert exit_code([]) == 2


def test_checks_side_by_side_keep_their_order() -> None:
    checks = tuple(Check("C1", str(number), holds) for number in range(9))
    found = run_stages([Stage(checks, side_by_side=True)], SITE, lambda _: None)
    assert [result.title for result in found] == [check.title for check in checks]


def test_what_is_left_out_is_told() -> None:
    (result,) = run_stages([Stage((left_out(Check("C5", "x", holds), "no picture"),))], SITE, lambda _: None)
    assert (result.verdict, result.evidence, result.tries) == (Verdict.NOT_COVERED, "no picture", "It is tried.")


def test_reading_only_uploads_nothing_but_says_so() -> None:
    whole, reading = plan(read_only=False), plan(read_only=True)
    titles = [[check.title for stage in stages for check in stage.checks] for stages in (whole, reading)]
    assert titles[0] == titles[1]
    assert len(set(titles[0])) == len(titles[0])
    functions = {check.run.__module__ for stage in reading for check in stage.checks}
    assert "panoramax_ops.verify.pictures" not in functions


@pytest.fixture
def report() -> reports.Report:
    return reports.Report(
        site="Maps & more",
        operator="Example Foundation",
        url="https://maps.example.org",
        inventory="example",
        started="2026-05-04T03:02:01+00:00",
        seconds=12.3,
        versions={"api": "panoramax/api:2.15.1"},
        certificate_ends="2026-06-01T00:00:00+00:00",
        read_only=False,
        results=results_of(holds, breaks, unsure, missing),
    )


def test_the_page_shows_everything_and_is_escaped(report: reports.Report) -> None:
    page = reports.as_html(report)
    assert "Maps &amp; more" in page
    assert "&lt;b&gt;open&lt;/b&gt; &amp; wide" in page
    assert "<b>open</b>" not in page
    for text in (
        "Example Foundation",
        "What has to be looked at",
        "valid until",
        "panoramax/api:2.15.1",
        "03:02:01",
        "Something does not hold.",
        "It is tried.",
        "not covered",
    ):
        assert text in page
    assert "http://" not in page.replace("https://maps.example.org", "")


def test_junit(report: reports.Report) -> None:
    suites = ElementTree.fromstring(reports.as_junit(report))
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "4",
        "1",
        "1",
        "1",
    )
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "<b>open</b> & wide �"


def test_json(report: reports.Report) -> None:
    data = json.loads(json.dumps(reports.as_json(report)))
    assert (data["exit_code"], data["claims"]) == (1, {"C1": "broken"})
    assert [result["verdict"] for result in data["results"]] == ["holds", "broken", "could not check", "not covered"]


@pytest.mark.parametrize("details", [False, True])
def test_terminal(report: reports.Report, *, details: bool) -> None:
    out = io.StringIO()
    reports.show(report, Console(file=out, width=160), details=details)
    assert "<b>open</b> & wide" in out.getvalue()
    assert "4 checks: 1 holds, 1 broken, 1 could not check, 1 not covered (12 s)" in out.getvalue()
    assert ("It is tried." in out.getvalue()) is details


def test_reports_are_private_and_old_ones_go(report: reports.Report, tmp_path: Path) -> None:
    folder, junit = tmp_path / "reports", tmp_path / "junit.xml"
    folder.mkdir()
    for number in range(40):
        (folder / f"verification-20250101T0000{number:02}Z.html").touch()
    page = reports.write(report, junit, None, folder)
    assert page.name == "verification-20260504T030201Z.html"
    assert page.stat().st_mode & 0o777 == 0o600
    assert junit.read_text(encoding="utf-8") == page.with_suffix(".xml").read_text(encoding="utf-8")
    assert len(list(folder.glob("*.html"))) == reports.KEPT
