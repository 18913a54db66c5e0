"""An engine outside of the site blurs, where the operator allows it: by TLS, and told nothing but bare pictures.

"Outside" is a container that is not the site's, on the network that leads out; it is our own service with a
certificate of another authority.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from conftest import Site, declared
from engine_kit import Sql, assert_blurred, proof, published, shown, state, upload
from known import Known
from mail_server import make_certificate

HOST = "blur.panoramax.test"


@dataclass
class Lab:
    """The engine outside, which can be replaced by one with another certificate."""

    site: Site
    docker: docker.DockerClient
    sql: Sql
    image: str
    engine: Any = None

    def run(self, certificate: tuple[Path, Path]) -> None:
        """Let an engine with this certificate have the name, and nobody else."""
        self.close()
        self.engine = self.docker.containers.create(
            self.image,
            environment={"BLUR_TLS_CERTIFICATE": "/tls/tls.pem", "BLUR_TLS_KEY": "/tls/tls.key", "BLUR_PORT": "443"},
            user="0:0",
            volumes={str(path): {"bind": f"/tls/tls{path.suffix}", "mode": "ro"} for path in certificate},
        )
        self.docker.networks.get(f"{self.site.project}-front").connect(self.engine, aliases=[HOST])
        self.engine.start()

    def close(self) -> None:
        """Remove the engine."""
        if self.engine:
            self.engine.remove(force=True, v=True)
            self.engine = None

    def published(self, picture: str) -> None:
        """Wait until a picture is."""
        published(self.sql, picture, 90, self.docker.containers.get(f"{self.site.project}-blurring").logs)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("right"), HOST)


@pytest.fixture(scope="module")
def lab(
    site: Site, user: httpx.Client, engine: docker.DockerClient, database_sql: Sql, right: tuple[Path, Path]
) -> Iterator[Lab]:
    assert user.get("/api/users/me").status_code == 200
    image = engine.containers.get(f"{site.project}-blurring").attrs["Config"]["Image"]
    made = Lab(site, engine, database_sql, image)
    made.run(right)
    settings = {
        "site_blurring_engine": f"https://{HOST}",
        "site_blurring_engine_outside": True,
        "site_outside_authority_file": str(right[0]),
    }
    try:
        with declared(site.inventory, "blurring.yml", settings):
            yield made
    finally:
        made.close()
    names = [container.name for container in engine.containers.list(all=True)]
    assert f"{site.project}-outside-engine" not in names, "without an engine outside there is no way to one"


def test_it_blurs_and_the_proof_names_it(lab: Lab, known: Known, user: httpx.Client, other_user: httpx.Client) -> None:
    picture = upload(user, known.jpeg)
    lab.published(picture)
    assert_blurred(known, shown(other_user, picture))
    assert HOST in proof(lab.sql, picture)["engine"]


def test_the_way_leads_to_that_engine_and_nowhere_else(lab: Lab) -> None:
    api = lab.docker.containers.get(f"{lab.site.project}-api")
    relay = lab.docker.containers.get(f"{lab.site.project}-outside-engine")
    address = relay.attrs["NetworkSettings"]["Networks"][f"{lab.site.project}-back"]["IPAddress"]
    program = (
        "import http.client, sys\n"
        f"c = http.client.HTTPConnection('{address}', 8080, timeout=5)\n"
        "c.request(sys.argv[1], sys.argv[2], headers={'Host': 'elsewhere.example.org'})\n"
        "print(c.getresponse().status)"
    )
    asked = [("GET", "/"), ("GET", "/metrics"), ("GET", "/blur/"), ("CONNECT", "elsewhere.example.org:443")]
    asked += [("GET", "http://elsewhere.example.org/"), ("POST", "/blur/../metrics")]
    for method, path in asked:
        output = api.exec_run(["python3", "-c", program, method, path]).output
        assert isinstance(output, bytes)
        assert output.strip() in {b"400", b"403", b"404", b"405"}, (method, path, output)


def test_nobody_else_is_taken_for_the_engine(
    lab: Lab,
    known: Known,
    right: tuple[Path, Path],
    user: httpx.Client,
    other_user: httpx.Client,
    tmp_path: Path,
) -> None:
    lab.run(make_certificate(tmp_path, HOST))
    picture = upload(user, known.jpeg)
    relay = lab.docker.containers.get(f"{lab.site.project}-outside-engine")
    deadline = time.monotonic() + 60
    while b"certificate verify error" not in relay.logs():
        assert time.monotonic() < deadline, relay.logs()[-2000:]
        time.sleep(1)
    assert state(lab.sql, picture) == "not-processed"
    assert other_user.get(f"/api/pictures/{picture}/hd.jpg").status_code != 200
    assert b" bytes, " not in lab.engine.logs(), "it was sent a picture"
    lab.run(right)
    lab.published(picture)


def test_the_verifier_says_where_pictures_go(lab: Lab) -> None:
    done = lab.site.run("verify.py", "--json", "--read-only", check=False)
    assert "goes to the engine outside" in done.stdout, done.stdout[-2000:] + done.stderr[-1000:]
