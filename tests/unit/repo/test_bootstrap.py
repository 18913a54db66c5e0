"""The environment comes from a bundle's wheels where there are some, and from a package server otherwise."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, in a project without a bundle."""
    specification = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "WHEELS", tmp_path / "bundle" / "wheels")
    return module


def test_without_a_bundle_the_environments_own_pip_is_used(bootstrap: ModuleType) -> None:
    assert bootstrap.pip(Path("venv/python")) == ["venv/python", "-m", "pip", "install"]


def test_with_a_bundle_its_pip_installs_from_it_alone(bootstrap: ModuleType) -> None:
    bootstrap.WHEELS.mkdir(parents=True)
    wheel = bootstrap.WHEELS / "pip-26.3-py3-none-any.whl"
    wheel.touch()
    command = bootstrap.pip(Path("venv/python"))
    assert command[:3] == ["venv/python", f"{wheel}/pip", "install"]
    assert command[3:] == ["--no-index", "--find-links", str(bootstrap.WHEELS)]


def test_a_bundle_without_pip_is_refused(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.WHEELS.mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        bootstrap.pip(Path("venv/python"))
    assert ended.value.code == 2
    assert "unpack the bundle again" in capsys.readouterr().err
