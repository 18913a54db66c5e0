"""scripts/accounts.py against the real Keycloak, database and API. All that it makes is removed again."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from conftest import ROOT, Person, Site, password_in
from panoramax_ops.opening import Opened, open_accounts
from pictures import FLAT, geovisio_pictures, unique
from signing_in import SignInError, client, sign_in

pytestmark = pytest.mark.e2e

CUT_OFF_SECONDS = 2.0


def log_in(site: Site, person: Person) -> httpx.Client:
    """First login with the letter in hand; then the person has a password of their own."""
    password = secrets.token_urlsafe(18)
    session = sign_in(site.url, site.ca, person.email, person.password, new_password=password)
    person.password = password
    return session


def upload(session: httpx.Client) -> str:
    """Upload one real picture and wait until it can be seen; returns its id."""
    made = session.post("/api/upload_sets", json={"title": "acct", "estimated_nb_files": 1})
    assert made.status_code == 200, made.text
    picture = unique((geovisio_pictures() / FLAT[0]).read_bytes())
    sent = session.post(f"{made.headers['location']}/files", files={"file": ("a.jpg", picture, "image/jpeg")})
    assert sent.status_code == 202, sent.text
    found = str(sent.json()["picture_id"])
    until = time.monotonic() + 120
    while session.get(f"/api/pictures/{found}/thumb.jpg").status_code != 200:
        assert time.monotonic() < until, "the picture did not become ready"
        time.sleep(1)
    return found


def watch(sessions: dict[str, httpx.Client], stop: threading.Event) -> dict[str, float]:
    """Ask for `users/me` all the time; returns when each session was last answered."""
    answered: dict[str, float] = {}

    def ask(name: str, session: httpx.Client) -> None:
        while not stop.is_set():
            started = time.monotonic()
            if session.get("/api/users/me").status_code == 200:
                answered[name] = started
            time.sleep(0.02)

    threads = [threading.Thread(target=ask, args=item) for item in sessions.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered


class Refreshing:
    """What an app of the site would hold of a person: a refresh token, got with the person's own session."""

    def __init__(self, site: Site, opened: Opened, session: httpx.Client) -> None:
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        back = f"{site.url}/api/auth/redirect"
        query = {
            "client_id": "geovisio",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": back,
            "state": "x",
        }
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        asked = session.get("/oauth/realms/panoramax/protocol/openid-connect/auth", params=query)
        code = httpx.URL(asked.headers["location"]).params["code"]
        self._opened = opened
        self._held = ""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        assert self._ask(form).status_code == 200

    def _ask(self, form: dict[str, str]) -> httpx.Response:
        client_secret = str(self._opened.inventory.require("secret_oauth_client"))
        answer = self._opened.accounts.keycloak._send(
            "POST",
            "/realms/panoramax/protocol/openid-connect/token",
            data={**form, "client_id": "geovisio", "client_secret": client_secret},
        )
        self._held = answer.json().get("refresh_token", self._held)
        return answer

    def again(self) -> int:
        """Status of one more refresh."""
        return self._ask({"grant_type": "refresh_token", "refresh_token": self._held}).status_code


def test_from_the_letter_to_the_cut_off(
    site: Site,
    run: Callable[..., Any],
    people: Callable[..., Person],
    opened: Opened,
    record_property: Callable[..., None],
) -> None:
    person, colleague = people(), people("Acct Colleague")
    browser, other = log_in(site, person), log_in(site, colleague)
    picture = upload(browser)
    token = Path(run("tokens", "create", person.email, "--for", "camera car")["file"])
    machine = client(
        site.url, site.ca, headers={"Authorization": f"Bearer {token.read_text(encoding='utf-8').strip()}"}
    )
    assert machine.get("/api/users/me").status_code == 200
    app = Refreshing(site, opened, browser)
    assert app.again() == 200

    stop = threading.Event()
    answers: list[dict[str, float]] = []
    watcher = threading.Thread(target=lambda: answers.append(watch({"cookie": browser, "token": machine}, stop)))
    watcher.start()
    time.sleep(0.5)
    run("disable", person.email, "--why", "left")
    done = time.monotonic()
    assert app.again() == 400, "refresh tokens end at once"
    assert time.monotonic() - done < CUT_OFF_SECONDS
    time.sleep(CUT_OFF_SECONDS)
    stop.set()
    watcher.join()
    after = {name: round(last - done, 3) for name, last in answers[0].items()}
    print(f"last answer after the command had ended (negative: before): {after} s")
    record_property("cut_off_seconds", json.dumps(after))
    assert set(after) == {"cookie", "token"}
    assert all(seconds < CUT_OFF_SECONDS for seconds in after.values())
    assert browser.get("/explore").status_code in (302, 401, 403)
    assert machine.get(f"/api/pictures/{picture}/thumb.jpg").status_code in (401, 403, 404)
    with pytest.raises(SignInError):
        sign_in(site.url, site.ca, person.email, person.password)
    assert other.get(f"/api/pictures/{picture}/thumb.jpg").status_code == 200, "pictures stay"

    run("enable", person.email)
    assert sign_in(site.url, site.ca, person.email, person.password).get("/api/users/me").status_code == 200
    assert machine.get("/api/users/me").status_code in (401, 403), "tokens are made anew"


def test_deleting_hands_pictures_over_or_deletes_them_with_their_files(
    site: Site, run: Callable[..., Any], people: Callable[..., Person], tmp_path: Path
) -> None:
    person, heir = people(), people("Acct Heir")
    browser, other = log_in(site, person), log_in(site, heir)
    picture = upload(browser)

    archive = tmp_path / "person.tar.gz"
    counts = run("export", person.email, "--to", str(archive))["counts"]
    assert (counts["pictures"], counts["picture files"]) == (1, 1)
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        jpeg = tar.extractfile(next(name for name in names if name.startswith("pictures/")))
        assert jpeg is not None
        assert jpeg.read(3) == b"\xff\xd8\xff"
    assert {"README.txt", "keycloak.json", "log.json", "panoramax/pictures.json"} <= set(names)

    run("delete", person.email, "--pictures", f"transfer:{heir.email}", code=1)  # nobody was asked
    run("delete", person.email, "--pictures", f"transfer:{heir.email}", "--yes")
    assert browser.get("/api/users/me").status_code in (401, 403)
    assert other.get(f"/api/pictures/{picture}/thumb.jpg").status_code == 200
    assert run("show", heir.email)["pictures"] in (0, 1)  # 0 where the site notes no use yet
    run("show", person.email, code=1)

    run("delete", heir.email, "--pictures", "delete", "--yes")
    again = people("Acct Later")
    assert log_in(site, again).get(f"/api/pictures/{picture}/thumb.jpg").status_code == 404


def test_an_import_is_checked_repeated_and_printed(site: Site, run: Callable[..., Any], tmp_path: Path) -> None:
    mark = secrets.token_hex(4)
    file = tmp_path / "people.csv"
    emails = [f"acct-{mark}-{number}@example.org" for number in range(9)]
    lines = [f"{email};Acct {mark} {number};;{['de', 'fr'][number % 2]}" for number, email in enumerate(emails)]
    text = "\ufeffE-Mail;Name;Role;Language\r\n" + "\r\n".join(lines) + "\r\n"
    try:
        file.write_text(f"{text}{emails[0].upper()};=cmd();boss\r\n", encoding="utf-8")
        refused = run("import", str(file), "--yes", code=1)
        assert [(found["line"], found["column"]) for found in refused["problems"]] == [(11, "name"), (11, "role")]
        assert run("list", "--like", mark) == [], "one bad line, and nothing is changed"
        skipped = run("import", str(file), "--yes", "--skip-bad", code=1)
        assert (skipped["counts"], skipped["letter_count"]) == ({"created": 9}, 9)

        file.write_text(text, encoding="utf-8")
        again = run("import", str(file), "--yes")
        assert (again["counts"], again["letter_count"]) == ({"kept": 9}, 9)
        assert {person["state"] for person in run("list", "--like", mark)} == {"new"}
        printed = PdfReader(again["letters"])
        assert len(printed.pages) == 9
        assert emails[0] in printed.pages[0].extract_text()
        letter = (site.state / "letters" / f"acct.{mark}.0.html").read_text(encoding="utf-8")
        password = letter.partition('class="password">')[2].partition("<")[0]
        own = secrets.token_urlsafe(18)
        assert sign_in(site.url, site.ca, emails[0], password, new_password=own).get("/api/users/me").is_success
    finally:
        for email in emails:
            site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


def test_a_group_is_listed_and_printed_by(run: Callable[..., Any], people: Callable[..., Person]) -> None:
    person = people(group="Field team North")
    assert [found["email"] for found in run("list", "--group", "field TEAM north")] == [person.email]
    run("set-group", person.email, "")
    assert run("list", "--group", "Field team North") == []
    assert person.email in [found["email"] for found in run("list", "--group", "-")]


def test_tokens_end_and_are_revoked(site: Site, run: Callable[..., Any], people: Callable[..., Person]) -> None:
    person = people()
    assert all(token["ends"] for token in run("tokens", "list", person.email)), (
        "also the one that comes with the account"
    )
    made = run("tokens", "create", person.email, "--for", "camera car", "--expires", "7")
    header = {"Authorization": f"Bearer {Path(made['file']).read_text(encoding='utf-8').strip()}"}
    with client(site.url, site.ca, headers=header) as machine:
        assert machine.get("/api/users/me").status_code == 200
        run("tokens", "revoke", person.email, made["id"][:8])
        assert machine.get("/api/users/me").status_code in (401, 403)
    run("tokens", "revoke", person.email, "all")
    assert run("tokens", "list", person.email) == []


def test_the_record_shows_what_was_done_and_that_nobody_touched_it(
    site: Site, run: Callable[..., Any], people: Callable[..., Person]
) -> None:
    person = people()
    run("disable", person.email, "--why", "left")
    lines = run("log", "--account", f" {person.email.upper()} ")
    assert [(line["action"], line.get("why", "")) for line in lines] == [("create", ""), ("disable", "left")]
    assert person.password not in json.dumps(lines)
    assert run("log", "--verify")["faults"] == []
    record = site.state / "accounts.log"
    whole = record.read_text(encoding="utf-8")
    try:
        record.write_text("".join(line for line in whole.splitlines(keepends=True) if '"left"' not in line), "utf-8")
        assert run("log", "--verify", code=1)["faults"]
        assert run("log", "--account", person.email)[-1]["why"] == "left", "the database keeps it all the same"
    finally:
        record.write_text(whole, encoding="utf-8")


@pytest.mark.parametrize("words", [[], ["tokens"], ["create"]])
def test_the_shell_completes_commands_and_values(site: Site, words: list[str]) -> None:
    wanted = {0: "reset-password", 1: "revoke"}
    line = ["accounts.py", "-i", str(site.inventory), *words]
    if words == ["create"]:
        line += ["x@example.org", "--role"]
    environment = {
        **os.environ,
        "_ACCOUNTS.PY_COMPLETE": "complete_bash",
        "_ACCOUNTS_PY_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(line) + " ",
        "COMP_CWORD": str(len(line)),
    }
    python = ROOT / ".venv" / "bin" / "python"
    done = subprocess.run(
        [str(python), "scripts/accounts.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ("admin" if words == ["create"] else wanted[len(words)]) in done.stdout.split(), done


def test_who_somebody_is_can_change(site: Site, run: Callable[..., Any], people: Callable[..., Person]) -> None:
    person = people()
    session = log_in(site, person)
    changed = run("rename", person.email, "--name", f"Acct Renamed {person.name[-8:]}")
    new = person.email.replace("acct-", "acct-new-")
    run("set-email", person.email, new)
    assert sign_in(site.url, site.ca, new, person.password).get("/api/users/me").json()["name"] == changed["username"]
    assert session.get("/api/users/me").json()["name"] != ""
    run("set-email", new, person.email)
    assert [line["action"] for line in run("log", "--account", person.email)] == [
        "create",
        "rename",
        "set-email",
        "set-email",
    ]


def test_an_expired_initial_password_opens_nothing_until_a_new_one(
    site: Site, run: Callable[..., Any], people: Callable[..., Person], opened: Opened
) -> None:
    person = people()
    user_id = opened.accounts.find(person.email)["id"]
    assert opened.accounts.keycloak.password_date(user_id) is not None
    opened.accounts.keycloak.remove_password(user_id)
    assert opened.accounts.keycloak.password_date(user_id) is None
    with pytest.raises(SignInError):
        sign_in(site.url, site.ca, person.email, person.password)
    letter = Path(run("reset-password", person.email)["letter"])
    person.password = password_in(letter)
    assert log_in(site, person).get("/api/users/me").status_code == 200


def test_two_administrators_at_once_do_no_harm(
    site: Site, run: Callable[..., Any], people: Callable[..., Person]
) -> None:
    person = people()
    command = ["accounts.py", "--json"]
    mark = secrets.token_hex(4)
    both: list[subprocess.CompletedProcess[str]] = []

    def together(*arguments: str) -> list[int]:
        both.clear()
        threads = [
            threading.Thread(target=lambda: both.append(site.run(*command, *arguments, check=False))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(done.returncode for done in both)

    email = f"acct-{mark}@example.org"
    try:
        assert together("create", email, "--name", f"Acct {mark}") == [0, 1]
        letter = next(json.loads(done.stdout)["letter"] for done in both if done.returncode == 0)
        twin = Person(email, f"Acct {mark}", password_in(Path(letter)), Path(letter))
        assert log_in(site, twin).get("/api/users/me").status_code == 200, "the letter left is the one that counts"
    finally:
        site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)
    assert together("disable", person.email) == [0, 0]
    assert together("enable", person.email) == [0, 0]
    assert run("show", person.email)["state"] == "new"


def test_only_one_at_a_time_takes_an_administrator_away(site: Site, opened: Opened) -> None:
    entered = threading.Event()

    def second() -> None:
        with open_accounts(site.inventory) as other, other.accounts.database.alone():
            entered.set()

    with opened.accounts.database.alone():
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(3), "two hold the lock"
    waiting.join(60)
    assert entered.is_set()
