"""Scenarios run when something that they depend on changed since they passed, and not otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from panoramax_ops.errors import UnableError
from panoramax_ops.scenarios import digest, is_due, load_scenarios, record_pass

ROOT = Path(__file__).resolve().parents[3]
DECLARED = """---
inputs_of_all: [shared]
scenarios:
  small: {always: true}
  big: {inputs: [roles/proxy, Makefile]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone with two scenarios, all of its files new."""
    for name in (
        "molecule/small/molecule.yml",
        "molecule/big/molecule.yml",
        "shared/a",
        "roles/proxy/b",
        "roles/api/c",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "Makefile").write_text("all:\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.pyc\n", encoding="utf-8")
    (tmp_path / "molecule" / "scenarios.yml").write_text(DECLARED, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def _pass(project: Path) -> None:
    scenario = load_scenarios(project)["big"]
    record_pass(project, scenario, digest(project, scenario))


def test_one_that_never_passed_has_to_run(project: Path) -> None:
    assert is_due(project, load_scenarios(project)["big"])


def test_one_that_passed_with_the_same_inputs_has_not(project: Path) -> None:
    _pass(project)
    assert not is_due(project, load_scenarios(project)["big"])
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    assert not is_due(project, load_scenarios(project)["big"]), "committing changes nothing"


@pytest.mark.parametrize("name", ["shared/a", "roles/proxy/b", "Makefile", "molecule/big/molecule.yml", "shared/new"])
def test_a_changed_or_a_new_input_makes_it_due(project: Path, name: str) -> None:
    _pass(project)
    (project / name).write_text("changed", encoding="utf-8")
    assert is_due(project, load_scenarios(project)["big"])


def test_a_removed_input_and_a_changed_mode_make_it_due(project: Path) -> None:
    (project / "shared" / "other").write_text("", encoding="utf-8")
    _pass(project)
    (project / "shared" / "other").chmod(0o755)
    assert is_due(project, load_scenarios(project)["big"])
    _pass(project)
    (project / "shared" / "other").unlink()
    assert is_due(project, load_scenarios(project)["big"])


@pytest.mark.parametrize("name", ["roles/api/c", "molecule/small/molecule.yml", "shared/x.pyc"])
def test_what_it_does_not_depend_on_does_not_matter(project: Path, name: str) -> None:
    _pass(project)
    (project / name).write_text("changed", encoding="utf-8")
    assert not is_due(project, load_scenarios(project)["big"])


def test_one_that_runs_in_any_case_needs_no_note(project: Path) -> None:
    scenario = load_scenarios(project)["small"]
    record_pass(project, scenario, digest(project, scenario))
    assert is_due(project, scenario)
    assert not (project / "molecule" / "small" / "passed").exists()


def test_an_input_that_is_not_there_is_refused(project: Path) -> None:
    (project / "Makefile").unlink()
    with pytest.raises(UnableError, match="big: there is no Makefile"):
        digest(project, load_scenarios(project)["big"])


def test_a_scenario_without_a_declaration_is_refused(project: Path) -> None:
    (project / "molecule" / "third").mkdir()
    (project / "molecule" / "third" / "molecule.yml").write_text("---\n", encoding="utf-8")
    with pytest.raises(UnableError, match="third"):
        load_scenarios(project)


def test_the_projects_own_declarations_name_what_is_there() -> None:
    for scenario in load_scenarios(ROOT).values():
        assert len(digest(ROOT, scenario)) == 64
