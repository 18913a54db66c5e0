"""Every route that is not for strangers, in every spelling: reads and writes, one by one, and none of them opens.

Quick, because a stranger's request is answered by the proxy alone: nothing of it reaches a service.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from conftest import Site
from gate_matrix import Asker, Attempt, ways
from gate_requests import exchange, sample
from panoramax_ops.policy import Rule, Who, load_policy

pytestmark = pytest.mark.e2e

POLICY = load_policy(Path(__file__).resolve().parents[2] / "roles" / "proxy" / "files" / "policy.yml")
RULES = [(rule, method) for rule in POLICY.active() for method in rule.methods]
ROUTES = [(rule, method) for rule, method in RULES if rule.who is not Who.ANONYMOUS]
OPEN = {(method, sample(rule)) for rule, method in RULES if rule.who is Who.ANONYMOUS}
# 0: the connection was closed without a word.
REFUSED = {0, 400, 401, 403, 404, 405, 414, 421, 501, 505}
THREADS = 4


def _ask(ask: Asker, way: Attempt, *, limited: bool, credentials: str = "") -> tuple[int, bytes]:
    """The answer; where the gate says that all this is too much at once, later."""
    for _ in range(20):
        status, body = ask(way, credentials)
        if status != 429 or limited:
            break
        time.sleep(1)
    return status, body


def _each(site: Site, routes: list[tuple[Rule, str]], judge: Callable[[Asker, Rule, Attempt], str | None]) -> list[str]:
    """What the judge says of each attempt on each route, where it says anything."""
    authority = httpx.URL(site.url).netloc.decode()

    def some(mine: Iterable[tuple[Rule, str]]) -> list[str]:
        asker = Asker(site.url, str(site.ca))
        try:
            said = [
                judge(asker, rule, way)
                for rule, method in mine
                for way in ways(method, sample(rule), authority, whole=method == rule.methods[0])
            ]
        finally:
            asker.close()
        return [one for one in said if one]

    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(some, [routes[number::THREADS] for number in range(THREADS)])
        return [one for part in parts for one in part]


def test_nothing_opens_to_strangers_however_it_is_asked_for(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    statuses: Counter[int] = Counter()

    def judge(ask: Asker, rule: Rule, way: Attempt) -> str | None:
        if (way.method, way.target) in OPEN:
            return None
        status, body = _ask(ask, way, limited=rule.limit is not None)
        statuses[status] += 1
        # A page of the website: to the sign-in. 429: a route with a limit of its own, which comes first.
        elsewhere = (status == 302 and rule.section == "website") or (status == 429 and rule.limit is not None)
        if (status in REFUSED or elsewhere) and b'"features"' not in body and b'"links"' not in body:
            return None
        return f"{way}: {status} {body[:80]!r}"

    opened = _each(site, ROUTES, judge)
    record_property("requests", dict(statuses))
    assert sum(statuses.values()) > 5000
    assert opened == []


def test_nothing_closed_opens_to_signed_in_people_by_another_spelling(site: Site, user: httpx.Client) -> None:
    cookie = "Cookie: " + "; ".join(f"{item.name}={item.value}" for item in user.cookies.jar)
    for_users = {sample(rule) for rule, _ in RULES if rule.who in {Who.ANONYMOUS, Who.SIGNED_IN, Who.OWNER}}
    # The same path may be theirs by another method; and the way itself must not be what takes the session away.
    closed = [(rule, method) for rule, method in RULES if sample(rule) not in for_users and rule.section == "api"]

    def judge(ask: Asker, rule: Rule, way: Attempt) -> str | None:
        if way.header.startswith(("Cookie", "Authorization")) or way.target.partition("?")[0].rstrip("/") in for_users:
            return None
        status, body = _ask(ask, way, limited=rule.limit is not None, credentials=cookie)
        return None if status in REFUSED or rule.limit else f"{way}: {status} {body[:80]!r}"

    assert _each(site, closed[::3], judge) == []


HIDDEN = (
    b"GET /api/users/ HTTP/1.1\r\nX: ",
    b"GET /api/users/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"POST /api/reports HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
)
CARRIER = b"{line}\r\nHost: {host}\r\n"
LINES = (b"GET / HTTP/1.1", b"POST /api/search HTTP/1.1", b"GET /api/configuration HTTP/1.1")
# Request smuggling: two readers that disagree where the first request ends.
SHAPES = (
    b"Content-Length: 42\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    b"X: x\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Content-Length: 0\r\nContent-Length: 30\r\n\r\n",
    b"Content-Length: 0, 30\r\n\r\n",
    b"Content-Length: +30\r\n\r\n",
    b"Content-Length: 0x1e\r\n\r\n",
    b"Content-Length: 0\r\n\r\n",
    b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    b" X-Folded: 1\r\n\r\n",
    b"X: a\x00b\r\n\r\n",
    b"X: a\rContent-Length: 30\r\n\r\n",
    b"X: a\nContent-Length: 30\n\n",
    b"Connection: Content-Length\r\nContent-Length: 0\r\n\r\n",
)


def test_no_request_hides_in_another(site: Site, database_sql: Callable[..., list[list[str]]]) -> None:
    host = httpx.URL(site.url).netloc
    heads = [CARRIER.replace(b"{line}", line) + shape for line in LINES for shape in SHAPES]
    heads += [b"GET /\r\nHost: {host}\r\n\r\n", b"GET / HTTP/1.1\nHost: {host}\n\n"]
    sent = [(head + hidden).replace(b"{host}", host) for head in heads for hidden in HIDDEN]
    before = database_sql("SELECT count(*) FROM reports")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda data: exchange(site.url, str(site.ca), data, timeout=1).data, sent))
    # Whatever is answered to a second request, it is not the list of people, and no service saw it.
    told = [
        request
        for request, data in zip(sent, answers, strict=True)
        if b'"users"' in data or b'"service": "api"' in data or b'"issue"' in data
    ]
    assert told == []
    assert database_sql("SELECT count(*) FROM reports") == before
