#!/usr/bin/env python3
"""More blurring services, more pictures a minute: 1, 2 and 4 of them, each with the same share of a processor.

bench/growth.py -i inventories/NAME
Services of the site's image run beside the site's own, behind the balancer that role blurring configures, and get
pictures from so many callers that none of them waits for work. They are removed again.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import docker
import httpx
import jinja2
import typer
import yaml
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from panoramax_ops.inventory import Inventory
from pictures import geovisio_pictures

ROLE = Path(__file__).resolve().parents[1] / "roles" / "blurring"
STARTING = 180.0


def balancer_files(addresses: dict[str, str]) -> bytes:
    """A tar file with the configuration that role blurring makes for these services."""
    values: dict[str, Any] = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    values |= {"blurring_addresses": addresses}
    template = (ROLE / "templates" / "balancer.conf.j2").read_text(encoding="utf-8")
    text = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(template).render(values)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("nginx.conf")
        entry.size, entry.mode = len(text.encode()), 0o644
        tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


@contextlib.contextmanager
def services(engine: docker.DockerClient, project: str, number: int, share: float) -> Iterator[str]:
    """So many services behind a balancer; the balancer's address."""
    blurring, proxy = (
        engine.containers.get(f"{project}-{name}").attrs["Config"]["Image"] for name in ("blurring", "proxy")
    )
    network = f"{project}-back"
    made: list[Any] = []

    def address(container: Any) -> str:
        container.reload()
        return str(container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"])

    try:
        for index in range(number):
            container = engine.containers.run(
                blurring,
                detach=True,
                name=f"{project}-growth-{index}",
                network=network,
                environment={"BLUR_THREADS": "1", "BLUR_ENGINE": "openvino"},
                nano_cpus=int(share * 1e9),
                read_only=True,
                mem_limit="1200m",
            )
            made.append(container)
        addresses = {str(container.name): address(container) for container in made}
        deadline = time.monotonic() + STARTING
        for one in addresses.values():
            while not _answers(f"http://{one}:8001/healthz"):
                if time.monotonic() > deadline:
                    raise SystemExit("a blurring service did not start: see its log")
                time.sleep(0.5)
        balancer = engine.containers.create(
            proxy,
            entrypoint=["nginx"],
            command=[],
            name=f"{project}-growth-balancer",
            network=network,
            user="101:101",
            tmpfs={"/tmp": "size=128m,mode=1777"},
        )
        made.append(balancer)
        balancer.put_archive("/etc/nginx", balancer_files(addresses))
        balancer.start()
        url = f"http://{address(balancer)}:8001"
        while not _answers(f"{url}/healthz"):
            time.sleep(0.2)
        yield url
    finally:
        for container in reversed(made):
            container.remove(force=True, v=True)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30).status_code == 200
    except httpx.HTTPError:
        return False


def measure(url: str, picture: bytes, callers: int, seconds: float) -> float:
    """Pictures a minute that so many callers get blurred."""
    begun, done, lock = time.monotonic(), 0, threading.Lock()

    def call() -> None:
        nonlocal done
        with httpx.Client(timeout=300) as session:
            while time.monotonic() < begun + seconds:
                answer = session.post(f"{url}/blur/", files={"picture": ("p.jpg", picture, "image/jpeg")})
                if answer.status_code == 503:
                    time.sleep(0.2)
                    continue
                answer.raise_for_status()
                with lock:
                    done += 1

    with ThreadPoolExecutor(callers) as pool:
        for future in [pool.submit(call) for _ in range(callers)]:
            future.result()
    return 60 * done / (time.monotonic() - begun)


def main(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Inventory of a site on this machine.")],
    numbers: Annotated[str, typer.Option(help="Numbers of services to try.")] = "1,2,4",
    share: Annotated[float, typer.Option(help="Processors for each of them.")] = 0.4,
    seconds: Annotated[float, typer.Option(help="How long to measure each number.")] = 45.0,
    width: Annotated[int, typer.Option(help="Pixels of a picture.")] = 1920,
) -> None:
    """Pictures a minute by number of services."""
    project = str(Inventory(inventory).require("site_name"))
    out = io.BytesIO()
    with Image.open(geovisio_pictures() / "b1.jpg") as photo:
        photo.resize((width, photo.height * width // photo.width)).save(out, "JPEG", quality=92)
    results = []
    with contextlib.closing(docker.from_env(timeout=180)) as engine:
        for number in map(int, numbers.split(",")):
            with services(engine, project, number, share) as url:
                measure(url, out.getvalue(), number, 5)
                rate = measure(url, out.getvalue(), 2 * number, seconds)
            results.append({"services": number, "cpus_each": share, "pictures_per_minute": round(rate, 1)})
            print(json.dumps(results[-1]), file=sys.stderr)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    typer.run(main)
