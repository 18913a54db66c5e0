"""Mistakes of an operator are refused before anything changes, with value, place and remedy.

The mistakes are data: refusals.yml. Those in the inventory are refused before Ansible is started, seconds for all of
them; those of the host by the playbook. HOSTILE, a regular expression for names, gives those to the playbook as well.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

import refusal_kit as kit
from conftest import ARTEFACTS, ROOT, make
from panoramax_ops.errors import OpsError
from panoramax_ops.preflight.inventory import problems
from panoramax_ops.secret_store import SECRETS, completed
from refusal_files import write_files

# On two cores beside each other; alone it is half of that.
LONGEST_SECONDS = 60


@pytest.fixture(scope="module")
def secrets() -> str:
    """Content of secrets.yml."""
    return completed("", list(SECRETS))


@pytest.fixture(scope="module")
def fillings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a case cannot know beforehand."""
    files = write_files(tmp_path_factory.mktemp("certificates"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        bridge = docker.from_env().networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
        subnet = ".".join(bridge.split(".")[:3]) + ".0/24"
        yield {"files": str(files), "port": str(listener.getsockname()[1]), "subnet": subnet}


def _before_ansible(inventory: Path) -> str:
    try:
        return "\n".join(map(str, problems(inventory)))
    except OpsError as error:
        return f"{error.message} {error.remedy}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in kit.CASES if not case.get("on_host")])
def test_a_wrong_inventory_is_refused_before_ansible_is_started(
    case: dict[str, Any], fillings: dict[str, str], secrets: str
) -> None:
    inventory = kit.write(case, fillings, secrets)
    try:
        said = _before_ansible(inventory)
        assert kit.complaints(case, fillings, inventory, said) == [], said
        assert len(said.splitlines()) <= 2, f"one mistake, many sentences:\n{said}"
    finally:
        kit.remove(inventory)


def test_a_right_inventory_is_not_refused(fillings: dict[str, str], secrets: str) -> None:
    inventory = kit.write({"name": "right"}, fillings, secrets)
    try:
        assert _before_ansible(inventory) == ""
    finally:
        kit.remove(inventory)


def _faults(case: dict[str, Any], fillings: dict[str, str], inventory: Path, run: kit.Run) -> list[str]:
    """What is not as it must be with a run of the playbook."""
    # What Ansible cannot read, it refuses itself, in its own words.
    found = [] if case.get("unreadable") else kit.complaints(case, fillings, inventory, run.output)
    found += [] if run.code else ["the playbook ended well"]
    found += [] if run.seconds < LONGEST_SECONDS else [f"it took {run.seconds:.0f} s"]
    return found + (["something was changed"] if re.search(r"changed=[1-9]", run.output) else [])


def test_the_playbook_refuses_and_changes_nothing(fillings: dict[str, str], secrets: str) -> None:
    chosen = os.environ.get("HOSTILE", "$^")
    cases = [case for case in kit.CASES if case.get("on_host") or re.search(chosen, case["name"])]
    inventories = [kit.write(case, fillings, secrets) for case in cases]
    try:
        before = kit.state(inventories)
        with ThreadPoolExecutor(max_workers=2) as pool:
            runs = list(pool.map(kit.playbook, inventories))
        after = kit.state(inventories)
        wrong = {
            case["name"]: [*found, run.output[-1500:]]
            for case, inventory, run in zip(cases, inventories, runs, strict=True)
            if (found := _faults(case, fillings, inventory, run))
        }
        report = {case["name"]: round(run.seconds, 1) for case, run in zip(cases, runs, strict=True)}
        (ARTEFACTS / "refusals-seconds.yml").write_text(yaml.safe_dump(report, sort_keys=False), encoding="utf-8")
        assert wrong == {}
        assert after == before
    finally:
        for inventory in inventories:
            kit.remove(inventory)


def test_one_run_of_the_playbook_names_every_wrong_host(fillings: dict[str, str], secrets: str) -> None:
    plain = ("set", "says", "never", "name")
    cases = [case for case in kit.CASES if "set" in case and set(case) <= set(plain)]
    inventory, hosts = kit.write_together(cases, fillings, secrets)
    try:
        before = kit.state([inventory])
        run = kit.playbook(inventory, "--limit", "localhost")
        assert run.code != 0
        said = " ".join(run.output.split())
        # Each sentence begins with file and line, and says for which host it is.
        sentences = re.split(r"(?=inventories/e2e-refused-together)", said)
        missing = {
            case["name"]: words
            for case in cases
            if (
                words := [
                    word
                    for word in kit.filled(case["says"], fillings)
                    if not any(
                        f"(for {hosts[case['name']]})" in sentence and word in sentence for sentence in sentences
                    )
                ]
            )
        }
        assert missing == {}, said[-3000:]
        assert [word for case in cases for word in case.get("never", []) if word in said] == []
        assert re.search(r"changed=[1-9]", run.output) is None
        assert kit.state([inventory]) == before
    finally:
        kit.remove(inventory)


def test_make_deploy_says_all_that_is_wrong_at_once_and_makes_no_secrets(fillings: dict[str, str]) -> None:
    case = {"name": "several", "set": {"site_titel": "Ours", "site_https_port": "many", "site_colour": "blue"}}
    inventory = kit.write(case, fillings, "")
    try:
        done = make("deploy", inventory)
        assert done.returncode != 0
        output = " ".join(done.stdout.split())
        for words in (
            "site_titel is not a setting",
            'site_https_port is "many"',
            "site_colour is",
            "nothing was changed",
        ):
            assert words in output, done.stdout
        assert (inventory / "group_vars" / "all" / "secrets.yml").read_text(encoding="utf-8") == ""
    finally:
        kit.remove(inventory)


def test_a_host_without_docker_on_which_none_may_be_installed_is_refused(
    fillings: dict[str, str], secrets: str
) -> None:
    inventory = kit.write({"name": "no docker", "set": {"site_install_docker": False}}, fillings, secrets)
    # In a mount namespace of its own the engine's socket is hidden from the deployment alone.
    hide = f"mount --bind /dev/null /var/run/docker.sock && exec make deploy INVENTORY={inventory.relative_to(ROOT)}"
    try:
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", hide], cwd=ROOT, capture_output=True, text=True, check=False
        )
        output = " ".join((done.stdout + done.stderr).split())
        assert done.returncode != 0
        assert "no Docker Engine answers on /var/run/docker.sock" in output, done.stdout[-2000:]
        assert "site_install_docker is false" in output
        assert "install Docker Engine" in output
    finally:
        kit.remove(inventory)


def test_an_inventory_that_does_not_exist_is_refused() -> None:
    done = make("deploy", ROOT / "inventories" / "nowhere")
    assert done.returncode != 0
    assert "inventories/nowhere" in done.stdout
