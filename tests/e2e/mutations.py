"""Ways to break a running site, one thing at a time, each taken back at the end: what the verifier must notice."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from panoramax_ops.verify.photo import start
from panoramax_ops.verify.realm import administration
from panoramax_ops.verify.site import Site

GUARD = "The database's guard is whole"
PUBLIC = "Nothing is public"
DEFAULT = "Default visibility"
ALONE = "The API by itself refuses strangers"
SETTINGS = "Settings in force"
ORIGINALS = "No original without its job"
PROVED = "What is shown was proved to be blurred"
ANSWERED = "Files are what the blurring answered"
FILES = "Files are readable by their service only"
CONFINED = "Containers are confined"
PORTS = "Published ports"
WAY_OUT = "No way out to the internet"
IMAGES = "Images are pinned"
DOCKER = "Secrets are not shown by Docker"
HARDENED = "The realm is hardened"
REGISTRATION = "Registration is closed"
CLIENTS = "The realm's clients are closed"
MANAGERS = "Nobody manages the realm"
ENCRYPTED = "Connections are encrypted"
FOREIGN = "Other sites' pages read nothing"
CLOCKS = "Clocks agree"
HARVEST = "Nothing can be harvested"


@dataclass(frozen=True)
class Mutation:
    """One way. `named`: the checks that must notice, and `word` what one of them says; `also`: checks that may."""

    name: str
    named: frozenset[str]
    word: str
    broken: Callable[[Site], AbstractContextManager[None]]
    also: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Its name in the list of tests."""
        return self.name


def sql(do: str, undo: str) -> Callable[[Site], AbstractContextManager[None]]:
    """Statements, and those that take them back."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        try:
            site.sql.run(f"BEGIN; {do}; COMMIT")
            yield
        finally:
            site.sql.run(f"BEGIN; {undo}; COMMIT")

    return broken


def function(identity: str, text: str) -> Callable[[Site], AbstractContextManager[None]]:
    """A function with another body, until its own is put back."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        before = site.sql.read(
            f"SELECT encode(convert_to(pg_get_functiondef('{identity}'::regprocedure), 'UTF8'), 'hex')"
        )
        try:
            site.sql.run(f"CREATE OR REPLACE FUNCTION {text}")
            yield
        finally:
            site.sql.run(bytes.fromhex(before[0][0]).decode())

    return broken


@contextlib.contextmanager
def dropped_trigger(site: Site) -> Iterator[None]:
    """A trigger of the guard is dropped."""
    found = "tgrelid = 'pictures'::regclass AND tgname = 'a_priv_never_public'"
    definition = site.sql.read(f"SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE {found}")[0][0]
    try:
        site.sql.run("DROP TRIGGER a_priv_never_public ON pictures")
        yield
    finally:
        site.sql.run(f"BEGIN; {definition}; ALTER TABLE pictures ENABLE ALWAYS TRIGGER a_priv_never_public; COMMIT")


@contextlib.contextmanager
def public_upload(site: Site) -> Iterator[None]:
    """The superuser makes something visible to anyone."""
    owner = site.cast["user"].session
    identifier = uuid.UUID(start(owner))
    disable, enable = (
        f"ALTER TABLE upload_sets {how} TRIGGER a_priv_never_public" for how in ("DISABLE", "ENABLE ALWAYS")
    )
    change = f"UPDATE upload_sets SET visibility = 'anyone' WHERE id = '{identifier}'"
    try:
        site.sql.run(f"BEGIN; {disable}; {change}; {enable}; COMMIT")
        yield
    finally:
        site.sql.run(f"DELETE FROM upload_sets WHERE id = '{identifier}'")


def command(service: str, do: str, undo: str) -> Callable[[Site], AbstractContextManager[None]]:
    """Shell commands in a container, and those that take them back."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        try:
            code, output = site.execute(service, "sh", "-c", do)
            assert code == 0, output
            yield
        finally:
            code, output = site.execute(service, "sh", "-c", undo)
            assert code == 0, output

    return broken


def together(
    *mutations: Callable[[Site], AbstractContextManager[None]],
) -> Callable[[Site], AbstractContextManager[None]]:
    """Several at once, taken back in the reverse order."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for mutation in mutations:
                stack.enter_context(mutation(site))
            yield

    return broken


def mounted(site: Site, service: str, name: str) -> Path:
    """The file of this host that a container sees under a name."""
    mounts = site.engine.containers.get(f"{site.project}-{service}").attrs["Mounts"]
    return Path(next(mount["Source"] for mount in mounts if mount["Destination"] == name))


def rewritten(service: str, name: str, old: str, new: str) -> Callable[[Site], AbstractContextManager[None]]:
    """A mounted file with other words, until it is put back as it was, its time included."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        path = mounted(site, service, name)
        text, before = path.read_text(encoding="utf-8"), path.stat()
        assert old in text, f"{name} is not what this mutation was written for"
        try:
            # In place: the container has the file itself mounted.
            path.write_text(text.replace(old, new), encoding="utf-8")
            _reload(site, service)
            yield
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            _reload(site, service)

    return broken


def _reload(site: Site, service: str) -> None:
    if service != "proxy":
        return
    old = _workers(site)
    code, output = site.execute("proxy", "nginx", "-s", "reload")
    assert code == 0, output
    # Old workers go on answering until the new ones have come, which takes its time on a busy machine.
    deadline = time.monotonic() + 20
    while (not (now := _workers(site)) or now & old) and time.monotonic() < deadline:
        time.sleep(0.2)


def _workers(site: Site) -> set[str]:
    # The brackets keep the shell that asks, which has these words on its own command line, from being found.
    _, listed = site.execute("proxy", "sh", "-c", "grep -l 'nginx: [w]orker' /proc/[0-9]*/cmdline 2>/dev/null")
    return set(listed.split())


@contextlib.contextmanager
def readable_secret(site: Site) -> Iterator[None]:
    """Everybody on the host and in the container may read the API's secrets."""
    path = mounted(site, "api", "/run/secrets/api.json")
    mode = path.stat().st_mode & 0o7777
    try:
        path.chmod(0o644)
        yield
    finally:
        path.chmod(mode)


@contextlib.contextmanager
def on_front(site: Site) -> Iterator[None]:
    """A service is connected to the network that leads outside."""
    network, container = site.engine.networks.get(f"{site.project}-front"), f"{site.project}-website"
    network.connect(container)
    try:
        yield
    finally:
        network.disconnect(container)


def stranger(**options: Any) -> Callable[[Site], AbstractContextManager[None]]:
    """One more container of the site."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        image = site.engine.containers.get(f"{site.project}-website").image.id
        name = f"{site.project}-mutation-{uuid.uuid4().hex[:6]}"
        healthy = {"test": ["CMD", "true"], "interval": 10**9}
        container = site.engine.containers.create(
            options.get("image", image),
            entrypoint=["sleep", "300"],
            command=[],
            name=name,
            labels={"org.private-panoramax": site.project},
            **{
                "network": f"{site.project}-back",
                "user": "101:101",
                "read_only": True,
                "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"],
                "mem_limit": "32m",
                "pids_limit": 20,
                "healthcheck": healthy,
            }
            | {key: value for key, value in options.items() if key != "secret"}
            | ({"environment": {"X": site.secrets[options["secret"]]}} if "secret" in options else {}),
        )
        try:
            container.start()
            deadline = time.monotonic() + 30
            while _health(container) == "starting" and time.monotonic() < deadline:
                time.sleep(0.3)
            yield
        finally:
            container.remove(force=True)

    return broken


def _health(container: Any) -> str:
    container.reload()
    return str(container.attrs["State"].get("Health", {}).get("Status", ""))


def realm(path: str, **changes: Any) -> Callable[[Site], AbstractContextManager[None]]:
    """Another value of something below the realm (path empty: of the realm itself), until its own is put back."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        with administration(site) as realms:
            where = f"{site.realm}{path}"
            if path.startswith("/clients?"):
                where = f"{site.realm}/clients/{realms.read(where)[0]['id']}"
            before = realms.read(where)
        try:
            with administration(site) as realms:
                realms.send("PUT", where, {**before, **changes})
            yield
        finally:
            with administration(site) as realms:
                realms.send("PUT", where, before)

    return broken


@contextlib.contextmanager
def manager(site: Site) -> Iterator[None]:
    """A person gets a right to manage the realm."""
    user = site.cast["other"].user_id
    with administration(site) as realms:
        client = realms.read(f"{site.realm}/clients?clientId=realm-management")[0]["id"]
        role = realms.read(f"{site.realm}/clients/{client}/roles/view-users")
        path = f"{site.realm}/users/{user}/role-mappings/clients/{client}"
        realms.send("POST", path, [role])
    try:
        yield
    finally:
        with administration(site) as realms:
            realms.send("DELETE", path, [role])


@contextlib.contextmanager
def unknown_client(site: Site) -> Iterator[None]:
    """Somebody adds a client to the realm."""
    with administration(site) as realms:
        realms.send("POST", f"{site.realm}/clients", {"clientId": "mutation", "enabled": False})
    try:
        yield
    finally:
        with administration(site) as realms:
            found = realms.read(f"{site.realm}/clients?clientId=mutation")
            realms.send("DELETE", f"{site.realm}/clients/{found[0]['id']}", None)


@contextlib.contextmanager
def identity_provider(site: Site) -> Iterator[None]:
    """Somebody lets people of another service in."""
    path = f"{site.realm}/identity-provider/instances"
    with administration(site) as realms:
        provider = {"alias": "mutation", "providerId": "oidc", "enabled": False,
                    "config": {"clientId": "x", "clientSecret": "x", "authorizationUrl": "https://mutation.invalid/a",
                               "tokenUrl": "https://mutation.invalid/t"}}  # fmt: skip
        realms.send("POST", path, provider)
    try:
        yield
    finally:
        with administration(site) as realms:
            realms.send("DELETE", f"{path}/mutation", None)
