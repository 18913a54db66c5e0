"""docs/adding-a-service.md, followed to the letter: its blocks become the files it names."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import docker
import httpx
import pytest

from conftest import ROOT, Site, make

DOCUMENT = ROOT / "docs" / "adding-a-service.md"
ROLE = ROOT / "roles" / "hello"
FILE = re.compile(r"^`(roles/hello/[\w./]+|inventories/NAME/[\w./]+)`", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _files() -> dict[str, str]:
    """Name of a file to its content: each block belongs to the file that was named last before it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    named = [
        (match.start(), match[1]) for match in re.finditer(r"`(roles/hello/[\w./]+|inventories/NAME/[\w./]+)`", text)
    ]
    found: dict[str, str] = {}
    for block in BLOCK.finditer(text):
        if block[1] != "sh":
            found.setdefault([name for start, name in named if start < block.start()][-1], block[2])
    return found


def _commands(heading: str, site: Site) -> list[str]:
    text = DOCUMENT.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    blocks = "".join(block[2] for block in BLOCK.finditer(text) if block[1] == "sh")
    return (
        blocks.replace("inventories/NAME", f"inventories/{site.inventory.name}")
        .replace("SITE", site.project)
        .splitlines()
    )


def _run(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def hello(site: Site) -> Iterator[str]:
    """The service, deployed and removed by the document's files and commands. What the last one printed."""
    settings = site.inventory / "group_vars" / "all" / "site.yml"
    before = settings.read_text(encoding="utf-8")
    files = _files()
    block = files.pop("inventories/NAME/group_vars/all/site.yml")
    assert sorted(files) == sorted(set(files)), "five files of the role"
    try:
        for name, content in files.items():
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(content, encoding="utf-8")
        settings.write_text(before + block, encoding="utf-8")
        yield [_run(command) for command in _commands("3. Deploy and look", site)][-1]
    finally:
        settings.write_text(before, encoding="utf-8")
        try:
            for command in _commands("4. Remove it", site):
                # The next test that deploys has the site verified; once with the service is what matters here.
                _run(f"{command} ARGS=--no-verify" if command.startswith("make deploy") else command)
        finally:
            shutil.rmtree(ROLE, ignore_errors=True)


def test_other_services_reach_it(hello: str) -> None:
    assert "Good evening." in hello


def test_only_people_who_are_signed_in_reach_it(hello: str, anonymous: httpx.Client, user: httpx.Client) -> None:
    assert hello
    for path in ("/hello", "/hello/", "/hello/index.html"):
        refused = anonymous.get(path, follow_redirects=False)
        assert refused.status_code in (302, 401), (path, refused.status_code)
        assert "Good evening." not in refused.text
    answer = user.get("/hello/")
    assert (answer.status_code, "Good evening." in answer.text) == (200, True)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert user.get("/hellox").status_code == 404
    assert user.post("/hello/").status_code in (403, 404, 405)
    assert user.get("/hello/%2e%2e/etc/passwd").status_code in (400, 404)


def test_it_is_hardened_and_finds_no_cookies(hello: str, site: Site, engine: docker.DockerClient) -> None:
    assert hello
    settings = engine.containers.get(f"{site.project}-hello").attrs["HostConfig"]
    assert settings["ReadonlyRootfs"]
    assert settings["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in settings["SecurityOpt"]
    assert settings["Memory"] == 64 * 2**20
    proxy = engine.containers.get(f"{site.project}-proxy")
    output = proxy.exec_run(["cat", "/etc/nginx/nginx.conf"]).output
    assert isinstance(output, bytes)
    rules = output.decode()
    location = rules.partition("location /hello {")[2].partition("\n        }")[0]
    assert "proxy_pass_request_headers off;" in location
    assert "Cookie" not in location.replace("proxy_hide_header Set-Cookie", "")
    assert "Authorization" not in location


def test_a_second_deployment_changes_nothing_and_a_taken_path_is_refused(hello: str, site: Site) -> None:
    assert hello
    settings = site.inventory / "group_vars" / "all" / "site.yml"
    text = settings.read_text(encoding="utf-8")
    try:
        for path, words in (("/explore", "is taken"), ("/a/b", "one segment")):
            settings.write_text(text.replace("path: /hello", f"path: {path}"), encoding="utf-8")
            done = make("deploy", site.inventory)
            assert done.returncode != 0
            assert words in " ".join(done.stdout.split()), done.stdout[-2000:]
    finally:
        settings.write_text(text, encoding="utf-8")
