"""scripts/secrets.py: fills what is missing, changes nothing else, shows nothing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from panoramax_ops.errors import RefusedError, UnableError
from panoramax_ops.secret_store import FLASK_KEY, SECRETS, fill, generate, weakness
from panoramax_ops.vault import AnsibleVault

ROOT = Path(__file__).resolve().parents[3]
GOOD = "sGoodEnoughForATest-1234567890"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the secrets of a fresh inventory go."""
    (tmp_path / "lab" / "group_vars" / "all").mkdir(parents=True)
    return tmp_path / "lab" / "group_vars" / "all" / "secrets.yml"


def values(path: Path) -> dict[str, str]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_a_fresh_inventory_gets_every_secret_once(path: Path) -> None:
    first = fill(path, AnsibleVault(path))
    before = path.read_text(encoding="utf-8")
    second = fill(path, AnsibleVault(path))
    assert set(first.made) == set(SECRETS)
    assert second.made == []
    assert path.read_text(encoding="utf-8") == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(set(values(path).values())) == len(SECRETS)
    assert list(path.parent.iterdir()) == [path]


def test_what_is_there_keeps_its_place_comments_and_value(path: Path) -> None:
    path.write_text(
        f"---\n# mine\ncustom_thing: 1\nsecret_oauth_client: {GOOD}  # from before\n# the end", encoding="utf-8"
    )
    result = fill(path, AnsibleVault(path))
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"---\n# mine\ncustom_thing: 1\nsecret_oauth_client: {GOOD}  # from before\n# the end\n")
    assert result.kept == ["secret_oauth_client"]
    assert values(path).keys() == {"custom_thing", *SECRETS}


def test_a_file_that_others_can_read_is_closed(path: Path) -> None:
    fill(path, AnsibleVault(path))
    path.chmod(0o644)
    assert fill(path, AnsibleVault(path)).mode_mended
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("secret_oauth_client:", "secret_oauth_client is empty"),
        ('secret_oauth_client: ""', "secret_oauth_client is empty"),
        ("secret_oauth_client: hunter2", "too weak"),
        ("secret_oauth_client: aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "too weak"),
        ("secret_oauth_client: 12345678901234567890", "not text"),
        ("secret_oauth_client: 'with ${PATH} and more things'", "characters other than"),
        ("secret_flask_key: '12345678901234567e90'", "could be read as a number"),
        (f"secret_oauth_client: {GOOD}\nsecret_oauth_client: {GOOD}", "stands twice"),
        ("secret_oauth_client: [", "line 2"),
        ("- a list", "does not hold"),
    ],
)
def test_what_a_person_has_to_mend_is_refused_by_name_and_nothing_changes(path: Path, line: str, problem: str) -> None:
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(RefusedError, match=problem) as refused:
        fill(path, AnsibleVault(path))
    assert path.read_text(encoding="utf-8") == f"{line}\n"
    assert GOOD not in refused.value.message
    assert "hunter2" not in refused.value.message


def test_the_flask_key_is_never_read_as_json() -> None:
    # geovisio JSON-decodes FLASK_* variables: a key of digits and one e would become a number.
    for _ in range(50):
        key = generate(FLASK_KEY)
        assert not weakness(FLASK_KEY, key)
        with pytest.raises(json.JSONDecodeError):
            json.loads(key)


def test_a_missing_inventory_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "nope" / "group_vars" / "all" / "secrets.yml"
    with pytest.raises(UnableError, match="no inventory"):
        fill(missing, AnsibleVault(missing))


def run(inventory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "secrets.py"), "-i", str(inventory), *arguments],
        capture_output=True,
        text=True,
        env=kept | environment,
        check=False,
    )


def test_the_script_shows_names_and_no_values(path: Path) -> None:
    inventory = path.parents[2]
    done = run(inventory, "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["made"]) == set(SECRETS)
    assert not any(value in done.stdout + done.stderr for value in values(path).values())
    assert run(inventory / "nope").returncode == 2


def test_an_encrypted_file_is_filled_where_the_password_is_configured(path: Path, tmp_path: Path) -> None:
    inventory = path.parents[2]
    password = tmp_path / "vault-password"
    password.write_text("open sesame", encoding="utf-8")
    path.write_text(f"secret_oauth_client: {GOOD}\n", encoding="utf-8")
    vault = [str(Path(sys.executable).with_name("ansible-vault"))]
    environment = os.environ | {
        "ANSIBLE_VAULT_PASSWORD_FILE": str(password),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    subprocess.run([*vault, "encrypt", str(path)], check=True, capture_output=True, env=environment)
    before = path.read_bytes()

    closed = run(inventory)
    assert closed.returncode == 2
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in closed.stderr
    assert path.read_bytes() == before

    opened = run(inventory, ANSIBLE_VAULT_PASSWORD_FILE=str(password))
    assert opened.returncode == 0, opened.stderr
    assert path.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;")
    shown = subprocess.run([*vault, "view", str(path)], check=True, capture_output=True, text=True, env=environment)
    assert yaml.safe_load(shown.stdout).keys() == set(SECRETS)
    assert f"secret_oauth_client: {GOOD}" in shown.stdout


def test_the_script_does_not_stand_in_for_the_standard_module() -> None:
    # scripts/ comes first on the path of every script in it, and libraries import `secrets`.
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import secrets; print(secrets.token_hex(4))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stdout.strip()) == 8


def test_help_has_an_example() -> None:
    from panoramax_ops.secrets_cli import app

    assert "secrets.py -i inventories/local" in CliRunner().invoke(app, ["--help"]).output
