"""How requests of the verifier are made and what counts as refused."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.policy import Rule

IDENTIFIER = "00000000-0000-4000-8000-00000000dead"
# What stands in for the parts of a path, by name or converter; what is not here is a word.
PARTS = {"uuid": IDENTIFIER, "int": "1", "format": "jpg", "col": "0", "row": "0", "lang": "en"}
DENIED = frozenset({401, 403, 404, 405, 421})
PARALLEL = 4
PATIENCE = 4
# The gate's own words: an API that answers 403 or 404 itself was reached.
GATE_MESSAGE = "closed here"


@dataclass(frozen=True)
class Attempt:
    """One request of an audit, and the rule that it is about, if there is one. `body` is sent as JSON."""

    method: str
    path: str
    rule: Rule | None = None
    body: dict[str, str] | None = None

    def __str__(self) -> str:
        """As it is shown."""
        return f"{self.method} {self.path}"


def example(path: str, realm: str) -> str:
    """A path of the policy, or of an OpenAPI document, with its parts filled in."""

    def fill(match: re.Match[str]) -> str:
        converter, _, name = (match.group(1) or match.group(2)).rpartition(":")
        return {**PARTS, "realm": realm}.get(name) or PARTS.get(converter) or "x1"

    filled = re.sub(r"<([^>]+)>|\{([^}]+)\}", fill, path)
    # The rule for maps knows two formats; pictures are no maps.
    return filled.replace(".jpg", ".mvt") if "/map/" in filled else filled


def patient(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer of a request that is made again when the site asks to wait: a limit proves nothing about a right.

    Raises UnableError if it goes on asking.
    """
    for _ in range(PATIENCE):
        answer = send()
        if answer.status_code != 429:
            return answer
        time.sleep(min(float(answer.headers.get("retry-after", 1)), 5))
    raise UnableError(f"{answer.request.url.path}: the site asks to wait (429) again and again.", "Run it later.")


def insistent(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer of a request that is made anew when none comes in time: one busy process of the API proves nothing."""
    for _ in range(PATIENCE - 1):
        try:
            return send()
        except httpx.ReadTimeout:
            continue
    return send()


def ask(session: httpx.Client, attempts: Iterable[Attempt]) -> list[tuple[Attempt, httpx.Response]]:
    """Make all requests, some at a time."""

    def one(attempt: Attempt) -> tuple[Attempt, httpx.Response]:
        return attempt, patient(lambda: session.request(attempt.method, attempt.path, json=attempt.body))

    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        return list(pool.map(one, attempts))


# Where a person without a session is led, and one whose session or account was closed.
DOORS = {("", "/api/auth/login"), ("", "/signed-out")}


def to_login(answer: httpx.Response) -> bool:
    """Whether the answer leads to the sign-in, or to the page that tells of a closed session, and nowhere else."""
    found = answer.headers.get("location", "")
    return answer.status_code in {301, 302, 303} and urlsplit(found)[1:3] in DOORS


def refused_anonymous(answer: httpx.Response) -> bool:
    """Whether somebody without a valid session was refused: by a status, or by the way to the sign-in."""
    return answer.status_code in DENIED or to_login(answer)


def refused_by_gate(answer: httpx.Response) -> bool:
    """Whether the gate refused a signed-in caller, so that nothing behind it was reached.

    What is no part of the API is refused by the website not having it.
    """
    request = answer.request
    if request.url.path == "/api" or request.url.path.startswith("/api/"):
        # The answer to HEAD has no words.
        return answer.status_code == 403 and (request.method == "HEAD" or GATE_MESSAGE in answer.text)
    return answer.status_code in {403, 404}


def told(answer: httpx.Response) -> str:
    """What was answered, in short."""
    location = answer.headers.get("location", "")
    return f"{answer.status_code} {location}".strip()
