"""The launcher: environment, health checks, the worker's loop, answers to refusals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from launcher import environment, health, refusals, serve, worker


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "api.json"


@pytest.fixture
def own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("own_environment")
def test_stray_variables_that_upstream_honours_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLUR_URL", "LOG_LEVEL", "FS_URL", "FLASK_DEBUG", "DEBUG_PICTURES_SKIP_FS_CHECKS_WITH_PUBLIC_URL"):
        monkeypatch.setenv(name, "x")
    environment.apply({"API_BLUR_URL": "http://blurring:8001"})
    assert set(os.environ) <= environment._KEPT | {"API_BLUR_URL", "USER", "HOME", "FLASK_APP"}
    assert os.environ["API_BLUR_URL"] == "http://blurring:8001"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "not JSON"),
        ("{}", "no settings"),
        ("[1]", "no settings"),
        (json.dumps({"A": True, "B": ""}), "A, B"),
    ],
)
def test_a_broken_settings_file_is_refused(settings_file: Path, body: str, complaint: str) -> None:
    settings_file.write_text(body, encoding="utf-8")
    with pytest.raises(environment.SettingsError, match=complaint):
        environment.load(settings_file)


def test_a_missing_settings_file_is_named(settings_file: Path) -> None:
    with pytest.raises(environment.SettingsError, match=str(settings_file)):
        environment.load(settings_file)


@pytest.fixture
def heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "heartbeat"
    monkeypatch.setattr(worker, "beat", file.touch)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return file


@pytest.mark.usefixtures("heartbeat")
def test_a_signal_waits_for_the_job_at_hand_and_no_other_begins() -> None:
    stop = worker.Stop()
    before = signal.signal(signal.SIGTERM, stop)
    done = []

    def step() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("finished all the same")
        return True

    try:
        assert worker.loop(step, stop, 5) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done == ["finished all the same"]


@pytest.mark.usefixtures("heartbeat")
def test_one_failure_does_not_end_the_worker_but_several_in_a_row_do() -> None:
    outcomes = iter([RuntimeError(), True, *[RuntimeError()] * 5, True])

    def step() -> bool:
        outcome = next(outcomes)
        if isinstance(outcome, RuntimeError):
            raise outcome
        return bool(outcome)

    assert worker.loop(step, worker.Stop(), 5) == 1
    assert list(outcomes) == [True]


@pytest.mark.usefixtures("heartbeat")
def test_a_job_that_hangs_fails_after_its_time() -> None:
    before = signal.signal(signal.SIGALRM, worker.too_long)
    stop = worker.Stop()
    failed = []

    def step() -> bool:
        stop.requested = True
        try:
            threading.Event().wait(10)
        except TimeoutError as error:
            failed.append(str(error))
            raise
        return True

    try:
        assert worker.loop(step, stop, 1) == 0
    finally:
        signal.signal(signal.SIGALRM, before)
    assert failed == ["the job took too long"]


def test_a_round_that_no_signal_reaches_ends_the_process() -> None:
    # A lock that is taken twice, in a thread that SIGALRM is blocked for, stands for whatever does not come back.
    program = """
import signal, sys, threading
sys.path.insert(0, sys.argv[1])
from launcher import worker
worker.GRACE = 0
worker.beat = lambda: None
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
worker.loop(lambda: threading.Lock().acquire() and threading.Event().wait(60), worker.Stop(), 1)
"""
    folder = Path(worker.__file__).parents[1]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert time.monotonic() - started < 15


def test_the_workers_health_is_the_age_of_its_heartbeat(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    with pytest.raises(FileNotFoundError):
        health.worker(60, heartbeat)
    heartbeat.touch()
    assert health.worker(60, heartbeat)
    os.utime(heartbeat, (time.time() - 61, time.time() - 61))
    assert not health.worker(60, heartbeat)


@pytest.mark.parametrize(
    ("first_line", "healthy"),
    [(b"HTTP/1.1 200 OK", True), (b"HTTP/1.1 500 INTERNAL SERVER ERROR", False)],
)
def test_the_apis_health_is_its_answer(first_line: bytes, healthy: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(first_line + b"\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert health.api(2.0, server.getsockname()) is healthy
        thread.join()


class Refusal(psycopg.DatabaseError):
    """As psycopg raises for a SQLSTATE that it has no class for."""

    sqlstate = "PV403"


def test_a_refusal_is_found_behind_upstreams_own_error() -> None:
    refusal = Refusal("no")
    outer = RuntimeError("Impossible to create a Report")
    outer.__context__ = refusal
    assert refusals.find(outer) is refusal
    assert refusals.find(RuntimeError("else")) is None
    assert refusals.answer(refusal)[1] == 403


class Client:
    """A provider's client as upstream's, of which one process has not loaded any metadata yet."""

    def __init__(self, metadata: dict[str, str] | None) -> None:
        self.metadata = metadata

    def load_server_metadata(self) -> dict[str, str]:
        """Return the metadata, or fail as with a provider that is down."""
        if self.metadata is None:
            raise ConnectionError
        return self.metadata


class Provider:
    """A provider whose logout address is unknown before the first login, as upstream's."""

    def __init__(self, metadata: dict[str, str] | None) -> None:
        self.client = Client(metadata)

    def logout_url(self) -> str | None:
        """Return nothing, as upstream in a process that served no login."""
        return None


@pytest.mark.parametrize(
    ("metadata", "address"),
    [({"end_session_endpoint": "https://x/logout"}, "https://x/logout"), ({}, None), (None, None)],
)
def test_logging_out_ends_the_providers_session_in_any_process(
    metadata: dict[str, str] | None, address: str | None
) -> None:
    provider = Provider(metadata)
    serve.end_sessions_at_logout(provider)
    assert provider.logout_url() == address
