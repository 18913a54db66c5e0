"""A stock Panoramax beside the site: the same images, none of this project's measures.

Set up as upstream's documentation says for an instance that is not open to the public: `logged-only` by default,
registration closed, authentication forced for uploads. No gate, no guard, no blurring service. Accounts and their
sessions are made directly, since there is no identity provider.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import httpx
from docker.models.containers import Container
from docker.models.networks import Network

LABEL = {"org.private-panoramax.test": "stock"}
PREFIX = "panoramax-stock"
DATABASE = """set -e
initdb --username=postgres --auth=trust --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --no-sync >/dev/null
echo 'host all all all trust' >> "$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off -c jit=off -c max_connections=60
"""
# Nothing may take the first process's jobs.
SECOND = {"PICTURE_PROCESS_THREADS_LIMIT": "0"}
# `True` is not `true` to one setting, `false` is true to another (facts 1.2).
CARELESS = {**SECOND, "API_FORCE_AUTH_ON_UPLOAD": "True", "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL": "false"}
# As upstream's example has it, whose nginx serves these addresses to everybody (facts 8).
DIRECT = {
    **SECOND,
    "API_PERMANENT_PICTURES_PUBLIC_URL": "https://stock.example/permanent",
    "API_DERIVATES_PICTURES_PUBLIC_URL": "https://stock.example/derivates",
}
# Upstream's own serialiser makes the cookie, as its sign-in would.
COOKIE = """
import json, sys
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
app = Flask("x")
app.secret_key = sys.argv[1]
signer = SecureCookieSessionInterface().get_signing_serializer(app)
print(signer.dumps({"account": json.loads(sys.argv[2]), "_permanent": True}))
"""


@dataclass
class Stock:
    """A running stock instance."""

    url: str
    key: str
    database: Container
    api: Container
    project: str
    careless_url: str = ""
    direct_url: str = ""

    def sql(self, statements: str) -> list[list[str]]:
        """Run SQL as superuser; rows of text, NULL as an empty string. Raises RuntimeError with psql's words."""
        command = ["psql", "--no-psqlrc", "-qAtX", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-h", "/tmp"]
        code, output = self.database.exec_run([*command, "-U", "postgres", "-d", "panoramax", "-c", statements])
        assert isinstance(output, bytes)
        if code != 0:
            raise RuntimeError(output.decode())
        return [line.split("\x1f") for line in output.decode().splitlines()]

    def on_file(self, path: str, command: list[str]) -> bool:
        """Run a command on a file, given by its path below the directory of pictures; whether it succeeded."""
        return self.api.exec_run([*command, f"/tmp/pictures/{path}"])[0] == 0

    def account(self, name: str, role: str = "user") -> str:
        """Make an account, as the sign-in of a person would; its identifier."""
        subject = uuid.uuid4()
        [[identifier]] = self.sql(
            "INSERT INTO accounts (name, oauth_provider, oauth_id, role)"
            f" VALUES ('{name}', 'osm', '{subject}', '{role}') RETURNING id"
        )
        return identifier

    def bearer(self, account: str) -> httpx.Client:
        """A client with a new API token of the account."""
        [[token]] = self.sql(f"INSERT INTO tokens (account_id) VALUES ('{account}') RETURNING id")
        session = self.client()
        session.headers["Authorization"] = f"Bearer {jwt(token, self.key)}"
        return session

    def browser(self, account: str) -> httpx.Client:
        """A client with a session cookie of the account."""
        [[name, subject]] = self.sql(f"SELECT name, oauth_id FROM accounts WHERE id = '{account}'")
        person = {"id": account, "name": name, "oauth_provider": "osm", "oauth_id": subject}
        code, output = self.api.exec_run(["python3", "-c", COOKIE, self.key, json.dumps(person)])
        assert code == 0, output
        assert isinstance(output, bytes)
        session = self.client()
        session.cookies.set("session", output.decode().strip())
        return session

    def client(self, url: str = "") -> httpx.Client:
        """A client that nobody signed in; of one of the other processes, by its address."""
        return httpx.Client(base_url=url or self.url, trust_env=False, timeout=30)


def jwt(token: str, key: str) -> str:
    """An API token as upstream signs it (facts 3)."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = part(json.dumps({"alg": "HS256"}).encode())
    body = part(json.dumps({"iss": "geovisio", "sub": token}).encode())
    signature = hmac.new(key.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{part(signature)}"


def settings(key: str, database: str, **changes: str) -> dict[str, str]:
    """Upstream's settings for a private instance."""
    return {
        "FLASK_APP": "geovisio",
        "FLASK_SECRET_KEY": key,
        "DB_URL": f"postgres://postgres@{database}:5432/panoramax",
        "FS_URL": "/tmp/pictures",
        "API_DEFAULT_PICTURE_VISIBILITY": "logged-only",
        "API_REGISTRATION_IS_OPEN": "false",
        "API_FORCE_AUTH_ON_UPLOAD": "true",
        "PICTURE_PROCESS_DERIVATES_STRATEGY": "PREPROCESS",
        "PICTURE_PROCESS_THREADS_LIMIT": "1",
        # Nothing answers there.
        "API_BLUR_URL": "http://127.0.0.1:9",
        # A provider whose addresses are known without asking it.
        "OAUTH_PROVIDER": "osm",
        "OAUTH_CLIENT_ID": "x",
        "OAUTH_CLIENT_SECRET": "x",
        "USER": "geovisio",
        "HOME": "/tmp",
        **changes,
    }


def _wait(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/configuration", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def serve(port: int) -> list[str]:
    """The command of an API process."""
    bind = f"--bind=0.0.0.0:{port}"
    return ["python3", "-m", "gunicorn", bind, "--threads=4", "--no-control-socket", "geovisio:create_api()"]


class _Lab:
    """The containers of one stock instance."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self.engine = engine
        self.suffix = secrets.token_hex(3)
        self.containers: list[Container] = []
        self.network: Network = engine.networks.create(f"{PREFIX}-{self.suffix}", labels=LABEL, internal=True)

    def run(
        self,
        part: str,
        image: str,
        command: list[str],
        environment: Mapping[str, str],
        user: str,
        tmpfs: dict[str, str],
    ) -> Container:
        container = self.engine.containers.run(
            image,
            command=command,
            entrypoint="",
            name=f"{PREFIX}-{part}-{self.suffix}",
            hostname=part,
            labels=LABEL,
            detach=True,
            network=str(self.network.name),
            environment=dict(environment),
            user=user,
            tmpfs=tmpfs,
            shm_size="128m",
            mem_limit="1g",
            init=True,
        )
        self.containers.append(container)
        return container

    def address(self, container: Container) -> str:
        container.reload()
        return str(container.attrs["NetworkSettings"]["Networks"][self.network.name]["IPAddress"])

    def remove(self) -> None:
        for container in self.containers:
            container.remove(force=True, v=True)
        self.network.remove()


def _image(engine: docker.DockerClient, name: str) -> str:
    image = engine.containers.get(name).image
    assert image is not None
    return str(image.id)


@contextmanager
def running(engine: docker.DockerClient, project: str) -> Iterator[Stock]:
    """A stock instance made of the images of the site `project`, for as long as the block lasts.

    The network has no way out. Nothing is left behind.
    """
    lab = _Lab(engine)
    try:
        key = secrets.token_urlsafe(32)
        database = lab.run(
            "database",
            _image(engine, f"{project}-database"),
            ["bash", "-c", DATABASE],
            {"PGDATA": "/var/lib/postgresql/data"},
            user="999:999",
            tmpfs={"/var/lib/postgresql/data": "uid=999,gid=999,mode=0700", "/tmp": "mode=1777"},
        )
        stock = Stock("", key, database, database, f"{PREFIX}-{lab.suffix}")
        psql = ["psql", "-q", "-h", lab.address(database), "-U", "postgres"]
        _wait(lambda: database.exec_run([*psql, "-c", "SELECT 1"])[0] == 0, "the stock database does not answer")
        # In one command each: CREATE DATABASE wants no transaction around it.
        for target, statement in (
            ("postgres", "CREATE DATABASE panoramax"),
            ("panoramax", "CREATE EXTENSION postgis; ALTER DATABASE panoramax SET timezone TO 'UTC'"),
        ):
            code, output = database.exec_run([*psql, "-d", target, "-c", statement])
            assert code == 0, output

        environment = settings(key, lab.address(database))
        stock.api = lab.run(
            "api",
            _image(engine, f"{project}-api"),
            serve(5000),
            environment,
            user="10001:10001",
            tmpfs={"/tmp": "mode=1777"},
        )
        address = lab.address(stock.api)
        stock.url = f"http://{address}:5000"
        _wait(lambda: _answers(stock.url), "the stock API does not answer")

        # In the same container: they have the same pictures.
        for port, changes in ((5001, CARELESS), (5002, DIRECT)):
            stock.api.exec_run(serve(port), environment={**environment, **changes}, detach=True)
        stock.careless_url, stock.direct_url = f"http://{address}:5001", f"http://{address}:5002"
        _wait(lambda: _answers(stock.careless_url) and _answers(stock.direct_url), "the mis-set APIs do not answer")
        yield stock
    finally:
        lab.remove()
