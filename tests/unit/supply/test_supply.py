"""What the commands of scripts/supply.py read: this project's own pins, and the answers of the package managers."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from panoramax_ops.supply import registries
from panoramax_ops.supply.pins import Pin, pins
from panoramax_ops.supply.vulnerabilities import Audit, audit, lock_files, read_npm, read_python

ROOT = Path(__file__).resolve().parents[3]


def test_the_pins_of_this_project_are_found_in_every_kind_of_file() -> None:
    found = {(pin.kind, pin.name): pin for pin in pins(ROOT)}
    assert found["python", "geovisio"].file == "images/api/requirements.in"
    assert found["npm", "@panoramax/web-viewer"].file == "images/website/tools/viewer.json"
    assert found["maven", "org.keycloak:keycloak-quarkus-dist"].file == "images/keycloak/Dockerfile"
    assert found["go", "github.com/anchore/syft/cmd/syft"].version.startswith("v1.")
    assert found["python", "psycopg"].version[0].isdigit(), "extras belong to the name, not to the version"


def test_a_package_is_pinned_in_one_place() -> None:
    places = Counter((pin.kind, pin.name) for pin in pins(ROOT))
    assert {name for name, count in places.items() if count > 1} == set()


def test_a_version_may_stand_in_an_argument_of_the_dockerfile(tmp_path: Path) -> None:
    image = tmp_path / "images" / "identity"
    image.mkdir(parents=True)
    (image / "Dockerfile").write_text("ARG SERVER=1.2.3\nRUN mvn -Dartifact=org.example:server:${SERVER}:tar.gz\n")
    tools = tmp_path / "images" / "website" / "tools"
    tools.mkdir(parents=True)
    (tools / "viewer.json").write_text('{"package": "viewer", "version": "4.0.0"}')
    assert Pin("maven", "org.example:server", "1.2.3", "images/identity/Dockerfile") in pins(tmp_path)


def test_a_missing_package_manager_is_said_and_hides_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pin = Pin("npm", "vite", "1.0.0", "package.json")
    answer = registries.newest([pin])[pin]
    assert isinstance(answer, registries.NotAskedError)
    assert str(answer) == "npm is not installed"


def test_the_reason_of_a_package_manager_is_passed_on() -> None:
    with pytest.raises(registries.NotAskedError, match="python3: no way"):
        registries.run(["python3", "-c", "import sys; sys.exit('no way')"])


def test_every_lock_file_is_audited() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in lock_files(ROOT)}
    assert {"requirements.txt", "images/api/requirements.txt", "images/website/package-lock.json"} <= names
    assert all((ROOT / name).exists() for name in names)


def test_findings_of_python_packages_name_the_remedy() -> None:
    result = Audit("requirements.txt")
    vulnerable = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}]}
    read_python({"dependencies": [vulnerable, {"name": "rich", "version": "15.0.0", "vulns": []}]}, result)
    assert result.findings == ["jinja2 2.0: PYSEC-1, fixed in 2.1, 3.0"]
    assert (result.packages, result.unknown) == (2, "")


def test_packages_without_data_do_not_pass_as_clean() -> None:
    result = Audit("requirements.txt")
    read_python({"dependencies": [{"name": "rich", "skip_reason": "not found"}]}, result)
    assert result.unknown == "no data about 1 of 1 packages from the package registry"
    empty = Audit("requirements.txt")
    read_python({}, empty)
    assert empty.unknown


def test_findings_of_npm_name_the_advisory_and_not_what_only_depends_on_it() -> None:
    result = Audit("package-lock.json")
    advisory = {"title": "Path traversal", "severity": "high"}
    answer = {
        "vulnerabilities": {
            "vite": {"via": [advisory], "range": "<6", "severity": "high"},
            "vitest": {"via": ["vite"], "range": "<2", "severity": "high"},
        },
        "metadata": {"dependencies": {"total": 40}},
    }
    read_npm(answer, result)
    assert result.findings == ["vite <6: Path traversal (high)"]
    assert result.packages == 40


def test_a_refusal_of_the_audit_does_not_pass_as_clean(tmp_path: Path) -> None:
    result = Audit("package-lock.json")
    read_npm({"error": {"summary": "audit endpoint returned an error"}}, result)
    assert result.unknown == "audit endpoint returned an error"
    lock = tmp_path / "requirements.txt"
    lock.write_text("not a lock file ! --hash\n")
    assert audit(lock, tmp_path).unknown


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_the_services_of_continuous_integration_run_the_targets_that_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert yaml.safe_load(text)
    targets = set(re.findall(r"make ([a-z-]+)$", text, re.MULTILINE))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"check", "newer", "audit"} <= targets <= known
    assert "bash .ci/run" in text
