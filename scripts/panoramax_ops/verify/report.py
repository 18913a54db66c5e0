"""The results for people and for programs: at a glance on the terminal, JSON, JUnit XML, and a page to print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from panoramax_ops.files import write_private
from panoramax_ops.inventory import ROOT
from panoramax_ops.verify.model import CLAIMS, Result, Verdict, claim_verdict, exit_code
from panoramax_ops.verify.site import Site

TEMPLATES = ROOT / "templates" / "verification-report"
KEPT = 30
STYLES = {
    Verdict.HOLDS: "green",
    Verdict.BROKEN: "bold red",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.NOT_COVERED: "dim",
    Verdict.PARTLY: "cyan",
}
MARKS = {Verdict.HOLDS: "✔", Verdict.BROKEN: "✘", Verdict.UNKNOWN: "?", Verdict.NOT_COVERED: "-"}
# As long as the longest title.
TITLE_WIDTH = 48


@dataclass(frozen=True)
class Report:
    """One verification. Times are UTC (ISO 8601), `seconds` its duration, `versions` what it was made against.

    `certificate_ends` is empty if the certificate could not be read.
    """

    site: str
    operator: str
    url: str
    inventory: str
    started: str
    seconds: float
    versions: dict[str, str]
    certificate_ends: str
    read_only: bool
    results: list[Result]

    @property
    def exit_code(self) -> int:
        """As the script ends with."""
        return exit_code(self.results)

    @property
    def claims(self) -> dict[str, Verdict]:
        """The verdict on each claim that there are checks of."""
        return {claim: claim_verdict(results) for claim in CLAIMS if (results := self.of(claim))}

    def of(self, claim: str) -> list[Result]:
        """The results on one claim."""
        return [result for result in self.results if result.claim == claim]

    @property
    def findings(self) -> list[Result]:
        """What does not hold, then what could not be checked."""
        return [r for verdict in (Verdict.BROKEN, Verdict.UNKNOWN) for r in self.results if r.verdict is verdict]

    def count(self, verdict: Verdict) -> int:
        """How many checks came to a verdict."""
        return sum(result.verdict is verdict for result in self.results)

    @property
    def summary(self) -> str:
        """All in a sentence."""
        counts = [f"{self.count(verdict)} {verdict}" for verdict in Verdict if self.count(verdict)]
        return f"{len(self.results)} checks: {', '.join(counts)} ({self.seconds:.0f} s)"


def versions(site: Site) -> dict[str, str]:
    """What the site consists of: image of each service and, where it says so, the version of its software."""
    found = {
        str(container.name).removeprefix(f"{site.project}-"): str(container.attrs["Config"]["Image"])
        for container in site.containers()
    }
    commands = {
        "geovisio": ("api", "python3", "-c", "from importlib.metadata import version; print(version('geovisio'))"),
        "PostgreSQL": ("database", "postgres", "--version"),
        "nginx": ("proxy", "nginx", "-v"),
    }
    for software, (service, *command) in commands.items():
        try:
            code, output = site.execute(service, *command)
        except Exception:
            continue
        if code == 0 and output.strip():
            found[software] = output.strip().splitlines()[-1]
    return dict(sorted(found.items()))


def show(report: Report, console: Console, *, details: bool = False) -> None:
    """Print the results to read at a glance, by claim: what holds in a line each, what does not with all evidence.

    With `details`, everything is printed in full, with what was tried.
    """
    for claim, verdict in report.claims.items():
        console.print(Text.assemble((f"{claim:<4}", "bold"), (f"{verdict:<16}", STYLES[verdict]), CLAIMS[claim]))
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=5, justify="right", no_wrap=True)
        table.add_column(width=TITLE_WIDTH, no_wrap=not details)
        table.add_column(ratio=1, no_wrap=not details, overflow="fold" if details else "ellipsis")
        full: list[Result] = []
        for result in report.of(claim):
            style = STYLES[result.verdict]
            loud = result.verdict in {Verdict.BROKEN, Verdict.UNKNOWN}
            evidence: Any = Text("see below" if loud and not details else result.evidence, style if loud else "dim")
            if details:
                evidence = Group(Text(result.tries, style="dim"), Text(result.evidence, style if loud else ""))
            elif loud:
                full.append(result)
            table.add_row(Text(MARKS[result.verdict], style), Text(result.title), evidence)
        console.print(table, soft_wrap=False)
        for result in full:
            words = Text.assemble((f"{result.title}: {result.verdict}\n", STYLES[result.verdict]), result.evidence)
            console.print(Padding(words, (0, 0, 0, 7)), soft_wrap=False)
    style = {0: "bold green", 1: "bold red"}.get(report.exit_code, "bold yellow")
    console.print(Text(report.summary, style))


def as_json(report: Report) -> dict[str, Any]:
    """For programs: the report with the verdict on each claim."""
    return {**asdict(report), "exit_code": report.exit_code, "claims": dict(report.claims)}


def as_junit(report: Report) -> str:
    """JUnit XML: a broken claim is a failure, what could not be checked an error, what is not covered is skipped."""
    suites = ElementTree.Element("testsuites")
    for claim in report.claims:
        results = report.of(claim)
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=f"{claim} {CLAIMS[claim]}",
            tests=str(len(results)),
            failures=str(sum(result.verdict is Verdict.BROKEN for result in results)),
            errors=str(sum(result.verdict is Verdict.UNKNOWN for result in results)),
            skipped=str(sum(result.verdict is Verdict.NOT_COVERED for result in results)),
            timestamp=report.started,
        )
        for result in results:
            case = ElementTree.SubElement(
                suite, "testcase", classname=claim, name=result.title, time=f"{result.seconds:.2f}"
            )
            names = {Verdict.BROKEN: "failure", Verdict.UNKNOWN: "error", Verdict.NOT_COVERED: "skipped"}
            evidence = _printable(result.evidence)
            if name := names.get(result.verdict):
                ElementTree.SubElement(case, name, message=evidence)
            else:
                ElementTree.SubElement(case, "system-out").text = evidence
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _printable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)


def as_html(report: Report) -> str:
    """A page to print and hand on."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(report=report, claims=CLAIMS)


def write(report: Report, junit: Path | None, html: Path | None, directory: Path) -> Path:
    """Write the report into the directory, as JSON, JUnit XML and HTML, and where else it is wanted.

    Returns the path of the page. The newest 30 reports are kept. Raises UnableError if a file cannot be written.
    """
    stem = f"verification-{report.started[:19].replace(':', '').replace('-', '')}Z"
    texts = {
        "json": json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n",
        "xml": as_junit(report),
        "html": as_html(report),
    }
    for kind, text in texts.items():
        write_private(directory / f"{stem}.{kind}", text)
    for path, kind in ((junit, "xml"), (html, "html")):
        if path is not None:
            write_private(path, texts[kind])
    _forget(directory)
    return directory / f"{stem}.html"


def _forget(directory: Path) -> None:
    for kind in ("json", "xml", "html"):
        for old in _oldest(directory.glob(f"verification-*.{kind}")):
            old.unlink(missing_ok=True)


def _oldest(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths)[:-KEPT]
