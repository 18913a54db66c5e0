"""A process of the API whose threads are all busy leaves new connections to one that is idle."""

from __future__ import annotations

import docker
import pytest

from conftest import Site

pytestmark = pytest.mark.e2e

# As the API is served, but with an application that only waits.
PROGRAM = """
import json, socket, subprocess, sys, threading, time
sys.path.insert(0, "/opt/private-panoramax")
from launcher.serve import arguments
PROCESSES, THREADS, PORT, LONG = 2, 4, 5999, 4.0
open("/tmp/waiting.py", "w").write('''
import time
def application(environ, start_response):
    time.sleep(float(environ["PATH_INFO"].strip("/")))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
''')
line = arguments(f"127.0.0.1:{PORT}", PROCESSES, THREADS)[1:-1]
server = subprocess.Popen([sys.executable, "-m", "gunicorn", *line, "--chdir=/tmp", "waiting:application"])

def ask(seconds):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as connection:
        connection.sendall(f"GET /{seconds} HTTP/1.0\\r\\n\\r\\n".encode())
        while connection.recv(1024):
            pass
    return time.monotonic() - began

try:
    for _ in range(100):
        try:
            ask(0)
            break
        except OSError:
            time.sleep(0.1)
    # All threads but one are busy, and stay so.
    busy = [threading.Thread(target=ask, args=(LONG,)) for _ in range(PROCESSES * THREADS - 1)]
    for thread in busy:
        thread.start()
    time.sleep(0.5)
    took = [ask(0) for _ in range(20)]
    for thread in busy:
        thread.join()
    print(json.dumps(max(took)))
finally:
    server.terminate()
    server.wait()
"""


def test_new_connections_go_where_a_thread_is_free(site: Site, engine: docker.DockerClient) -> None:
    code, output = engine.containers.get(f"{site.project}-api").exec_run(["python3", "-c", PROGRAM], stderr=False)
    assert isinstance(output, bytes)
    assert code == 0, output.decode()
    longest = float(output.decode().splitlines()[-1])
    assert longest < 2, f"answered only after {longest:.1f} s, beside an idle thread"
