"""More ways to break a running site: services and images swapped while it runs, certificates, clocks."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from mutations import mounted
from panoramax_ops.verify.site import Site

# A blurring service that gives every picture back as it came, and signs that it blurred it: without that, no picture
# would be shown in the first place.
ECHO = """
import hashlib
import hmac
import http.server
import json
import os

class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"{}", "application/json")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        boundary = self.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
        part = body.split(b"--" + boundary)[1]
        picture = part.partition(b"\\r\\n\\r\\n")[2][:-2]
        digest = hashlib.sha256(picture).hexdigest()
        statement = json.dumps({"picture": self.headers["X-Picture-Id"], "input": digest, "answer": digest})
        signature = hmac.new(os.environ["KEY"].encode(), statement.encode(), hashlib.sha256).hexdigest()
        self.proof = json.dumps({"proof": {"statement": statement, "signature": signature}})
        self.answer(picture, "image/jpeg")

    proof = "{}"

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("X-SGBlur", self.proof)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("0.0.0.0", 8001), Echo).serve_forever()
"""


@contextlib.contextmanager
def blurring_that_blurs_nothing(site: Site) -> Iterator[None]:
    """The blurring service is swapped, while all runs, for one of its name that returns its input, and signs it."""
    network = site.engine.networks.get(f"{site.project}-back")
    real = site.engine.containers.get(f"{site.project}-blurring")
    names = real.attrs["NetworkSettings"]["Networks"][network.name]["Aliases"] or []
    names = [name for name in names if not real.id.startswith(name)]
    endpoint = {network.name: site.engine.api.create_endpoint_config(aliases=names)}
    fake = site.engine.containers.create(
        real.image.id,
        entrypoint=["python3", "-c", ECHO],
        command=[],
        environment={"KEY": site.secrets["secret_blurring_proof"]},
        name=f"{site.project}-mutation-{uuid.uuid4().hex[:6]}",
        network=network.name,
        networking_config=endpoint,
        user="101:101",
    )
    try:
        network.disconnect(real)
        fake.start()
        deadline = time.monotonic() + 20
        ask = ["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8001)).close()"]
        while fake.exec_run(ask).exit_code and time.monotonic() < deadline:
            time.sleep(0.3)
        yield
    finally:
        fake.remove(force=True)
        network.connect(real, aliases=names)


def tagged(name: str, *, moved: bool) -> Callable[[Site], AbstractContextManager[None]]:
    """One more container, whose image has a name; `moved`: the name then goes to another image."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        service = site.engine.containers.get(f"{site.project}-website")
        service.image.tag(*name.split(":"))
        container = site.engine.containers.create(
            name,
            entrypoint=["sleep", "300"],
            command=[],
            name=f"{site.project}-mutation-{uuid.uuid4().hex[:6]}",
            labels={"org.private-panoramax": site.project},
            network=f"{site.project}-back",
            user="101:101",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit="32m",
            pids_limit=20,
            healthcheck={"test": ["CMD", "true"], "interval": 10**9},
        )
        try:
            container.start()
            if moved:
                site.engine.containers.get(f"{site.project}-proxy").image.tag(*name.split(":"))
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                container.reload()
                if container.attrs["State"].get("Health", {}).get("Status") != "starting":
                    break
                time.sleep(0.3)
            yield
        finally:
            container.remove(force=True)
            site.engine.images.remove(name, noprune=True)

    return broken


@contextlib.contextmanager
def touched_settings(site: Site) -> Iterator[None]:
    """The settings of a worker are written after it has read them."""
    path = mounted(site, "worker-1", "/run/secrets/api.json")
    before = path.stat()
    try:
        path.touch()
        # What a service may have been started with is told to the second.
        ahead = time.time() + 5
        os.utime(path, (ahead, ahead))
        yield
    finally:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def certificate_of(days: int) -> Callable[[Site], AbstractContextManager[None]]:
    """The site's own certificate, of the same authority and key, that ends in so many days."""

    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        path = mounted(site, "proxy", "/etc/nginx/certificates") / "site.pem"
        text, before = path.read_bytes(), path.stat()
        key = site.state / "certificate" / "ca.key"
        authority = x509.load_pem_x509_certificate((site.state / "ca.crt").read_bytes())
        old = x509.load_pem_x509_certificates(text)[0]
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(old.subject)
            .issuer_name(authority.subject)
            .public_key(old.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=90))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(str(urlsplit(site.url).hostname))]), critical=False
            )
        )
        signer = load_pem_private_key(key.read_bytes(), password=None)
        made = builder.sign(signer, hashes.SHA256())  # type: ignore[arg-type]
        private = text[: text.index(b"-----BEGIN CERTIFICATE-----")]
        try:
            path.write_bytes(private + made.public_bytes(Encoding.PEM))
            yield
        finally:
            path.write_bytes(text)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return broken
