"""A whole site, deployed once for all end-to-end tests, on this machine, beside whatever else runs here.

E2E_INVENTORY=inventories/NAME drives a site that is already there (and is left there) instead of deploying one.
E2E_KEEP=1 leaves the test's own site standing.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
import yaml

from known import Known, self_test_picture
from panoramax_ops.opening import Opened, open_accounts
from panoramax_ops.scratch import write_inventory
from panoramax_ops.verify.executed import execute
from signing_in import client, sign_in

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "artefacts"
# Seconds; nothing that a script does here takes so long.
LONGEST_SCRIPT = 900
SETTINGS = """---
site_name: panoramax-e2e
site_domain: localhost
site_bind_address: 127.0.0.1
site_https_port: 18443
site_http_port: 18080
site_back_subnet: 172.30.78.0/24
site_title: Panoramax under test
site_operator: The test suite
site_contact: maps@example.org
site_admin_email: first.admin@example.org
site_admin_name: First Administrator
site_licence_id: CC-BY-SA-4.0
site_licence_url: https://creativecommons.org/licenses/by-sa/4.0/
"""


@dataclass(frozen=True)
class Site:
    """The deployed site: where it is, and how its inventory is called."""

    inventory: Path
    project: str
    url: str
    ca: Path
    state: Path

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the project's scripts on this site's inventory, e.g. run("accounts.py", "list")."""
        script, *arguments = command
        python = ROOT / ".venv" / "bin" / "python"
        return subprocess.run(
            [str(python), f"scripts/{script}", "-i", str(self.inventory), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=check,
            timeout=LONGEST_SCRIPT,
        )


@dataclass
class Person:
    """An account made for the tests."""

    email: str
    name: str
    password: str
    letter: Path


ARTEFACTS.mkdir(exist_ok=True)


def make(target: str, inventory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a make target as an operator would, with the output kept among the artefacts."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "ANSIBLE_"))}
    done = subprocess.run(
        ["make", target, f"INVENTORY={inventory.relative_to(ROOT)}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )
    with (ARTEFACTS / f"make-{target}.log").open("a", encoding="utf-8") as log:
        log.write(f"$ make {target} {' '.join(arguments)}\n{done.stdout}\n(exit {done.returncode})\n\n")
    return done


def playbook(inventory: Path, name: str) -> str:
    """Run one of the playbooks to its good end. Returns what it said."""
    program = str(ROOT / ".venv" / "bin" / "ansible-playbook")
    command = [program, "-i", str(inventory), f"playbooks/{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@contextmanager
def declared(inventory: Path, playbook_name: str, settings: dict[str, Any]) -> Iterator[None]:
    """The site with these settings in its inventory, brought in step with them by a playbook, and back again."""
    file = inventory / "group_vars" / "all" / "zz_declared.yml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    try:
        playbook(inventory, playbook_name)
        yield
    finally:
        file.unlink()
        playbook(inventory, playbook_name)


def interrupt_deployment(inventory: Path, container: str) -> None:
    """Begin to deploy, and kill it as soon as a container of that name is there: the next run must go on from there."""
    with (ARTEFACTS / "make-deploy-interrupted.log").open("ab") as log:
        log.write(f"--- killed when {container} is there\n".encode())
        log.flush()
        running = subprocess.Popen(
            ["make", "deploy", f"INVENTORY={inventory.relative_to(ROOT)}"],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + 1800
        while running.poll() is None and time.monotonic() < deadline and not _exists(container):
            time.sleep(0.2)
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    # Ansible's workers live in sessions of their own; what one is in the middle of, it finishes.
    time.sleep(3)


def _exists(container: str) -> bool:
    try:
        docker.from_env().containers.get(container)
    except docker.errors.DockerException:
        return False
    return True


def site_of(inventory: Path) -> Site:
    """The deployed site of an inventory."""
    text = (inventory / "group_vars" / "all" / "site.yml").read_text(encoding="utf-8")
    project = re.search(r"^site_name: (\S+)", text, re.MULTILINE)
    state = ROOT / "state" / inventory.name
    return Site(
        inventory=inventory,
        project=project.group(1) if project else "panoramax",
        url=(state / "url").read_text(encoding="utf-8").strip(),
        ca=state / "ca.crt",
        state=state,
    )


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The deployed site."""
    if given := os.environ.get("E2E_INVENTORY"):
        yield site_of(ROOT / given)
        return
    inventory = write_inventory("e2e", SETTINGS)
    (ARTEFACTS / "make-deploy-interrupted.log").unlink(missing_ok=True)
    for service in ("database", "migrate", "proxy"):
        interrupt_deployment(inventory, f"panoramax-e2e-{service}")
    deployed = make("deploy", inventory)
    assert deployed.returncode == 0, deployed.stdout[-4000:]
    yield site_of(inventory)
    if not os.environ.get("E2E_KEEP"):
        make("uninstall", inventory, "CONFIRM=yes")


@pytest.fixture(scope="session")
def new_person(site: Site) -> Callable[..., Person]:
    """Makes an account by the script, as an administrator would, and reads the initial password from the letter."""

    def create(name: str, role: str = "user") -> Person:
        email = f"{name.lower().replace(' ', '.')}.{secrets.token_hex(3)}@example.org"
        shown = f"{name} {secrets.token_hex(2)}"
        done = site.run("accounts.py", "--json", "create", email, "--name", shown, "--role", role, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        letter = Path(json.loads(done.stdout)["letter"])
        return Person(email, shown, password_in(letter), letter)

    return create


@pytest.fixture(scope="session")
def run(site: Site) -> Callable[..., Any]:
    """Runs accounts.py --json, and returns what it answers; checks the exit code."""

    def command(*arguments: str, code: int = 0) -> Any:
        done = site.run("accounts.py", "--json", *arguments, check=False)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)

    return command


@pytest.fixture
def email(site: Site) -> Iterator[str]:
    """An address of somebody whose account, if one is made, is gone after the test."""
    address = f"someone-{secrets.token_hex(4)}@example.org"
    yield address
    site.run("accounts.py", "delete", address, "--pictures", "delete", "--yes", check=False)


@pytest.fixture
def people(run: Callable[..., Any], site: Site) -> Iterator[Callable[..., Person]]:
    """Makes accounts that are gone after the test."""
    made: list[str] = []

    def create(name: str = "Acct Person", **options: str) -> Person:
        mark = secrets.token_hex(4)
        email, name = f"acct-{mark}@example.org", f"{name} {mark}"
        made.append(email)
        extra = [text for key, value in options.items() for text in (f"--{key}", value)]
        answer = run("create", email, "--name", name, *extra)
        return Person(email, name, password_in(Path(answer["letter"])), Path(answer["letter"]))

    yield create
    for email in made:
        site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


@pytest.fixture
def opened(site: Site) -> Iterator[Opened]:
    """The site as the scripts open it."""
    with open_accounts(site.inventory) as found:
        yield found


def password_in(letter: Path) -> str:
    """The initial password, as a person reads it from the letter."""
    match = re.search(r"password:\s+(\S+)", letter.read_text(encoding="utf-8"), re.IGNORECASE)
    assert match, letter
    return match.group(1)


def _signed_in(site: Site, person: Person) -> httpx.Client:
    password = secrets.token_urlsafe(18)
    session = sign_in(site.url, site.ca, person.email, person.password, new_password=password)
    person.password = password
    return session


@pytest.fixture
def anonymous(site: Site) -> Iterator[httpx.Client]:
    """A client that nobody signed in."""
    with client(site.url, site.ca) as session:
        yield session


@pytest.fixture(scope="session")
def user(site: Site, new_person: Callable[..., Person]) -> Iterator[httpx.Client]:
    """A client with the session of an ordinary user."""
    with closing(_signed_in(site, new_person("Ulla User"))) as session:
        yield session


@pytest.fixture(scope="session")
def other_user(site: Site, new_person: Callable[..., Person]) -> Iterator[httpx.Client]:
    """A client with the session of another ordinary user."""
    with closing(_signed_in(site, new_person("Otto Other"))) as session:
        yield session


@pytest.fixture(scope="session")
def admin(site: Site, new_person: Callable[..., Person]) -> Iterator[httpx.Client]:
    """A client with the session of an administrator."""
    with closing(_signed_in(site, new_person("Ada Admin", role="admin"))) as session:
        yield session


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The Docker Engine that carries the site."""
    return docker.from_env()


@pytest.fixture(scope="session")
def known(site: Site, engine: docker.DockerClient) -> Known:
    """The picture that the blurring tests itself with, and where face and plate are in it."""
    return self_test_picture(site.project, engine)


@pytest.fixture(scope="session")
def database_sql(site: Site, engine: docker.DockerClient) -> Callable[..., list[list[str]]]:
    """Runs SQL in the site's database by psql on the local socket; returns rows of text, NULL as an empty string."""

    def run(sql: str, user: str = "postgres", database: str = "panoramax") -> list[list[str]]:
        container = engine.containers.get(f"{site.project}-database")
        command = ["psql", "--no-psqlrc", "-qAtX", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-h", "/run/postgresql"]
        command += ["-U", "postgres", "-d", database, "-c", sql if user == "postgres" else f"SET ROLE {user}; {sql}"]
        code, text = execute(container, command, again=sql.lstrip().upper().startswith("SELECT"))
        if code != 0:
            raise RuntimeError(text)
        return [line.split("\x1f") for line in text.splitlines()]

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Uninstalling comes last, whatever the files are called."""
    items.sort(key=lambda item: item.path.name == "test_uninstall.py")
