#!/usr/bin/env python3
"""The way of pictures through a deployed site of this machine: how many a minute, and who waits for whom.

bench/pipeline.py throughput -i inventories/NAME    pictures a minute with 1, 2 and 3 workers, beside the blurring alone
bench/pipeline.py fairness -i inventories/NAME      three pictures of one person while another one has many in the queue
The site's own workers rest meanwhile; people and pictures are removed again.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import docker
import httpx
import typer
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from panoramax_ops import changes, deletion
from panoramax_ops.opening import open_accounts
from panoramax_ops.signing_in import client
from panoramax_ops.verify.psql import Psql
from pictures import geovisio_pictures, unique

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_show_locals=False)
Where = Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")]
PATIENCE = 3600.0
PREPARED = "p.preparing_status = 'prepared'"


@dataclass
class Bench:
    """The site at hand, two people with a session by token, and workers whose number can be chosen."""

    project: str
    engine: docker.DockerClient
    sql: Psql
    people: list[httpx.Client]
    made: list[Any] = field(default_factory=list)

    def upload(self, person: int, pictures: Sequence[bytes]) -> str:
        """Upload pictures as one set. Returns its identifier."""
        session = self.people[person]
        asked = {"title": "Bench", "estimated_nb_files": len(pictures), "no_deduplication": True}
        upload_set = str(session.post("/api/upload_sets", json=asked).raise_for_status().json()["id"])
        longitude = -100 - 50 * secrets.randbelow(10**6) / 1e6

        def send(numbered: tuple[int, bytes]) -> None:
            number, picture = numbered
            fields = {
                "override_capture_time": f"2026-05-06T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
                "override_latitude": str(-40 + number / 10_000),
                "override_longitude": str(longitude),
            }
            files = {"file": (f"{number}.jpg", unique(picture), "image/jpeg")}
            while True:
                answer = session.post(f"/api/upload_sets/{upload_set}/files", files=files, data=fields)
                if answer.status_code != 429:
                    answer.raise_for_status()
                    return
                time.sleep(1)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(send, enumerate(pictures)))
        return upload_set

    def workers(self, number: int) -> None:
        """Let so many workers run, made after the site's first one."""
        for container in self.made:
            container.stop(timeout=120)
            container.remove(v=False)
        self.made.clear()
        own = self.engine.containers.get(f"{self.project}-worker-1")
        for index in range(number):
            options: dict[str, Any] = {
                "entrypoint": own.attrs["Config"]["Entrypoint"],
                "command": own.attrs["Config"]["Cmd"],
                "environment": own.attrs["Config"]["Env"],
                "user": own.attrs["Config"]["User"],
                "volumes_from": [own.name],
                "tmpfs": {"/tmp": "mode=1777"},
                "network": f"{self.project}-back",
                "name": f"{self.project}-bench-{index}",
            }
            self.made.append(self.engine.containers.run(own.attrs["Config"]["Image"], detach=True, **options))

    def count(self, upload_set: str, condition: str) -> int:
        """How many pictures of the set are so."""
        rows = self.sql.read(f"SELECT count(*) FROM pictures p WHERE upload_set_id = '{upload_set}' AND {condition}")
        # A busy Docker Engine loses the output of a short command now and then; who counts asks again.
        return int(rows[0][0]) if rows else 0

    def wait(self, upload_set: str, number: int, condition: str = PREPARED) -> None:
        """Wait until so many are so."""
        deadline = time.monotonic() + PATIENCE
        while self.count(upload_set, condition) < number:
            if time.monotonic() > deadline:
                raise SystemExit("the pictures did not come to an end: see the workers' logs")
            time.sleep(0.1)

    def blurring(self) -> dict[str, float]:
        """Sums of the blurring's own metrics."""
        program = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8001/metrics').read().decode())"
        _, text = self.engine.containers.get(f"{self.project}-blurring").exec_run(["python3", "-c", program])
        assert isinstance(text, bytes)
        found: dict[str, float] = {}
        for name, value in re.findall(r"^(\w+)(?:\{[^}]*\})? ([0-9.e+-]+)$", text.decode(), re.MULTILINE):
            found[name] = found.get(name, 0.0) + float(value)
        return found

    def megabytes(self) -> int:
        """Memory of all workers together."""
        stats = [container.stats(stream=False)["memory_stats"] for container in self.made]
        return sum(int(one["usage"] - one.get("stats", {}).get("cache", 0)) for one in stats) // 2**20


@contextlib.contextmanager
def opened(inventory: Path) -> Iterator[Bench]:
    """Two people, no worker at first; all is as before at the end."""
    with open_accounts(inventory) as site, contextlib.ExitStack() as stack:
        project, url = str(site.inventory.require("site_name")), str(site.inventory.require("site_public_url"))
        ca = site.inventory.state / "ca.crt"
        engine = stack.enter_context(contextlib.closing(docker.from_env(timeout=180)))
        emails = [f"bench-{secrets.token_hex(4)}@example.org" for _ in range(2)]
        sessions = []
        for number, email in enumerate(emails):
            site.accounts.create(email, f"Bench {number} {email[6:14]}", "user", "en", "", if_missing=False)
            stack.callback(
                lambda email=email: deletion.delete(
                    site.accounts, deletion.prepare(site.accounts, email, "delete"), lambda _: None
                )
            )
            key = str(site.inventory.require("secret_flask_key"))
            _, path = changes.create_token(site.accounts, email, "bench", 1, key, site.inventory.state / "tokens")
            session = client(url, ca if ca.exists() else None, timeout=120)
            session.headers["Authorization"] = f"Bearer {path.read_text(encoding='utf-8').strip()}"
            path.unlink()
            sessions.append(stack.enter_context(session))
        own = [
            container
            for container in engine.containers.list(filters={"label": f"org.private-panoramax={project}"})
            if re.fullmatch(rf"{re.escape(project)}-worker-\d+", str(container.name))
        ]
        bench = Bench(project, engine, Psql(engine, project), sessions)
        for container in own:
            stack.callback(container.start)
            container.stop(timeout=330)
        stack.callback(lambda: bench.workers(0))
        yield bench


def sample(width: int) -> bytes:
    """A real flat photo, ``width`` pixels wide."""
    out = io.BytesIO()
    with Image.open(geovisio_pictures() / "b1.jpg") as photo:
        exif = photo.info["exif"]
        photo.resize((width, photo.height * width // photo.width)).save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


@app.command()
def throughput(
    inventory: Where,
    pictures: Annotated[int, typer.Option(help="How many for each number of workers.")] = 40,
    workers: Annotated[str, typer.Option(help="Numbers of workers to try.")] = "1,2,3",
    width: Annotated[int, typer.Option(help="Pixels of a picture; 0: a panorama of 5760 x 2880.")] = 4000,
) -> None:
    """Pictures a minute, and the share of the time in which the blurring worked."""
    picture = sample(width) if width else (geovisio_pictures() / "1.jpg").read_bytes()
    results = []
    with opened(inventory) as bench:
        for number in (int(part) for part in workers.split(",")):
            uploaded = bench.upload(0, [picture] * pictures)
            load, before = os.getloadavg()[0], bench.blurring()
            bench.workers(number)
            # Starting a process is not what is measured.
            while bench.count(uploaded, PREPARED) == 0:
                time.sleep(0.05)
            started, memory = time.monotonic(), bench.megabytes()
            bench.wait(uploaded, pictures)
            seconds = time.monotonic() - started
            after = bench.blurring()
            blurred = after["blurring_seconds_total"] - before.get("blurring_seconds_total", 0.0)
            share = blurred * (pictures - 1) / pictures / seconds
            results.append(
                {
                    "workers": number,
                    "pictures": pictures,
                    "pictures_per_minute": round(60 * (pictures - 1) / seconds, 1),
                    "blurring_seconds_per_picture": round(blurred / pictures, 2),
                    "seconds_per_picture": round(seconds / (pictures - 1), 2),
                    "share_of_time_in_blurring": round(share, 2),
                    "workers_megabytes": memory,
                    "load_before": round(load, 1),
                    "cpus": os.cpu_count(),
                }
            )
    print(json.dumps(results, indent=2))


@app.command()
def fairness(
    inventory: Where,
    queued: Annotated[int, typer.Option(help="Pictures of the one who imports.")] = 300,
    few: Annotated[int, typer.Option(help="Pictures of the other one.")] = 3,
    rounds: Annotated[int, typer.Option(help="Rounds with each order.")] = 1,
    upstream: Annotated[bool, typer.Option(help="The order of arrival too, for which the few wait for all.")] = True,
) -> None:
    """Seconds until the few pictures are visible: in turns, and in the order of arrival, as upstream takes them."""
    picture = sample(1024)
    found: dict[str, list[float]] = {"in_turns": []} | ({"in_order_of_arrival": []} if upstream else {})
    with opened(inventory) as bench:
        for order in [*found] * rounds:
            many = bench.upload(0, [picture] * queued)
            bench.workers(1)
            while bench.count(many, PREPARED) == 0:
                time.sleep(0.05)
            started = time.monotonic()
            mine = bench.upload(1, [picture] * few)
            if order != "in_turns":
                bench.sql.run(
                    "UPDATE priv.turns t SET turn = extract(epoch FROM j.ts) FROM job_queue j WHERE j.id = t.job_id"
                )
            bench.wait(
                mine,
                few,
                "p.status = 'ready' AND EXISTS (SELECT FROM sequences_pictures sp JOIN sequences s ON s.id = sp.seq_id"
                " WHERE sp.pic_id = p.id AND s.status = 'ready')",
            )
            found[order].append(time.monotonic() - started)
            left = queued - bench.count(many, PREPARED)
            bench.workers(0)
            bench.sql.run("DELETE FROM upload_sets WHERE title = 'Bench'")
            print(f"{order}: {found[order][-1]:.1f} s; {left} of {queued} still waited then", file=sys.stderr)
    print(json.dumps({"queued": queued, "few": few} | {k: round(statistics.median(v), 1) for k, v in found.items()}))


if __name__ == "__main__":
    app()
