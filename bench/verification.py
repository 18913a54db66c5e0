#!/usr/bin/env python3
"""How long a verification takes on a site with many pictures, and how long people wait for pages of it.

bench/verification.py -i inventories/NAME --number 10000   (the pictures are removed again)

One picture is uploaded and blurred as any other; the rest are copies of its rows in the database, spread over a town,
whose files are hard links to its files. So the database and the number of files are those of a real site; the size on
the disk is not.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "scripts"))

from panoramax_ops.access import open_access
from panoramax_ops.inventory import ROOT, Inventory
from panoramax_ops.verify.photo import Photo, upload
from panoramax_ops.verify.psql import Psql
from panoramax_ops.verify.site import open_site

# Pictures in a sequence.
EACH = 100
LONGITUDE, LATITUDE = 2.30, 48.80

# Run in the API's container. Arguments: what to do, the mark, the number of pictures, the folder of the one to copy.
PROGRAM = """
import hashlib, os, sys, uuid
what, mark, number, source = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
def folder(root, number):
    name = str(uuid.UUID(hashlib.md5(f"{mark}-{number}".encode()).hexdigest()))
    return f"{root}/{name[0:2]}/{name[2:4]}/{name[4:6]}/{name[6:8]}", name[9:]
for n in range(number):
    parent, name = folder("/data/geovisio/permanent", n)
    derivates, _ = folder("/data/geovisio/derivates", n)
    if what == "link":
        os.makedirs(parent, exist_ok=True)
        os.link(f"/data/geovisio/permanent/{source}.jpg", f"{parent}/{name}.jpg")
        os.makedirs(f"{derivates}/{name}", exist_ok=True)
        for file in os.listdir(f"/data/geovisio/derivates/{source}"):
            os.link(f"/data/geovisio/derivates/{source}/{file}", f"{derivates}/{name}/{file}")
    else:
        if os.path.exists(f"{parent}/{name}.jpg"):
            os.unlink(f"{parent}/{name}.jpg")
        if os.path.isdir(f"{derivates}/{name}"):
            for file in os.listdir(f"{derivates}/{name}"):
                os.unlink(f"{derivates}/{name}/{file}")
            os.rmdir(f"{derivates}/{name}")
        for path in (parent, derivates):
            while path.count("/") > 3 and os.path.isdir(path) and not os.listdir(path):
                os.rmdir(path)
                path = os.path.dirname(path)
"""

# In one transaction; upstream's triggers, which would give the workers work, are left out. The guard's are not: each
# copy gets a proof of its own, signed by who administers the database.
FILL = """
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO accounts (id, name) VALUES ('{owner}', 'benchmark.{mark}');
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
  SELECT n, md5('{mark}-' || n)::uuid AS id, md5('{mark}-sequence-' || n / {each})::uuid AS sequence,
         {longitude} + (n / {each}) % 10 * 0.01 + n % {each} * 0.00005 AS x,
         {latitude} + (n / {each}) / 10 * 0.01 AS y
  FROM generate_series(0, {number} - 1) n;
INSERT INTO sequences SELECT row.* FROM sequences template,
  (SELECT sequence, st_multi(st_makeline(st_setsrid(st_makepoint(x, y), 4326) ORDER BY n)) AS line, count(*) AS pictures
   FROM made GROUP BY sequence) AS made,
  LATERAL jsonb_populate_record(template, jsonb_build_object('id', made.sequence, 'account_id', '{owner}',
    'geom', st_asewkt(made.line), 'bbox', box2d(made.line)::text, 'nb_pictures', made.pictures, 'upload_set_id', NULL,
    'last_account_to_edit', NULL)) AS row
  WHERE template.id = '{collection}';
INSERT INTO priv.blurring_proofs (picture_id, statement, signature)
  SELECT id, statement, encode(proof.hmac(key, convert_to(statement, 'UTF8')), 'hex')
  FROM (SELECT made.id, (template.statement::jsonb || jsonb_build_object('picture', made.id))::text AS statement
        FROM priv.blurring_proofs template, made WHERE template.picture_id = '{picture}') AS signed,
       (SELECT key FROM proof.keys() AS key LIMIT 1) AS first;
INSERT INTO pictures SELECT row.* FROM pictures template, made,
  LATERAL jsonb_populate_record(template, jsonb_build_object('id', made.id, 'account_id', '{owner}',
    'geom', st_asewkt(st_setsrid(st_makepoint(x, y), 4326)), 'ts', template.ts + made.n * interval '1 second',
    'upload_set_id', NULL, 'last_account_to_edit', NULL, 'original_content_md5', made.id)) AS row
  WHERE template.id = '{picture}';
INSERT INTO sequences_pictures (seq_id, rank, pic_id) SELECT sequence, n % {each} + 1, id FROM made;
COMMIT;
"""
EMPTY = """
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM sequences_pictures WHERE seq_id IN (SELECT id FROM sequences WHERE account_id = '{owner}');
DELETE FROM priv.blurring_proofs WHERE picture_id IN (SELECT id FROM pictures WHERE account_id = '{owner}');
DELETE FROM pictures WHERE account_id = '{owner}';
DELETE FROM sequences WHERE account_id = '{owner}';
DELETE FROM accounts WHERE id = '{owner}';
COMMIT;
"""
PAGES = {
    "the map's tile of a town": "/api/map/12/2074/1409.mvt",
    "100 pictures of an area": f"/api/search?limit=100&bbox={LONGITUDE},{LATITUDE},{LONGITUDE + 0.1},{LATITUDE + 0.1}",
    "100 sequences": "/api/collections?limit=100",
    "one sequence's pictures": "/api/collections/{collection}/items?limit=100",
}
TIMES = 20


def _files(engine: Any, project: str, what: str, mark: str, number: int, source: str) -> None:
    command = ["python3", "-c", PROGRAM, what, mark, str(number), source]
    code, output = engine.containers.get(f"{project}-api").exec_run(command)
    if code:
        raise RuntimeError(f"{what}: {output.decode()}")


@contextlib.contextmanager
def filled(path: Path, number: int, each: int = EACH) -> Iterator[str]:
    """The site with so many pictures more, `each` in a sequence, while this is open. Yields a sequence's identifier."""
    mark, owner = secrets.token_hex(4), str(uuid.uuid4())
    inventory = Inventory(path)
    project = str(inventory.require("site_name"))
    with open_access({"app": inventory.host("app")}, project) as access:
        engine = access["app"].engine
        sql = Psql(engine, project)
        try:
            # The picture and its people go when this is left; the hard links stay.
            with open_site(path) as site:
                site.cast.hire()
                photo: Photo = upload(site)
                _files(engine, project, "link", mark, number, photo.folder)
                where = {"longitude": LONGITUDE, "latitude": LATITUDE, "each": each, "number": number}
                ids = {"mark": mark, "owner": owner, "collection": photo.collection, "picture": photo.picture}
                sql.run(FILL.format(**where, **ids))
            sql.run("ANALYZE pictures, sequences, sequences_pictures")
            yield sql.read(f"SELECT id FROM sequences WHERE account_id = '{owner}' LIMIT 1")[0][0]
        finally:
            sql.run(EMPTY.format(owner=owner))
            _files(engine, project, "remove", mark, number, "-")


def _verification(path: Path) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "scripts" / "verify.py"), "-i", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    report = json.loads(done.stdout)
    slowest = sorted(report["results"], key=lambda result: -float(result["seconds"]))[:3]
    return {
        "seconds": report["seconds"],
        "exit_code": done.returncode,
        "slowest": {result["title"]: result["seconds"] for result in slowest},
        "not_held": [r["title"] for r in report["results"] if r["verdict"] in {"broken", "could not check"}],
    }


def _pages(path: Path, collection: str) -> dict[str, float]:
    """Median of seconds by page, asked for one after the other by a signed-in person."""
    found = {}
    with open_site(path) as site:
        site.cast.hire()
        session = site.cast["user"].session
        for name, address in PAGES.items():
            spent = []
            for _ in range(TIMES):
                since = time.monotonic()
                answer = session.get(address.format(collection=collection))
                spent.append(time.monotonic() - since)
                if answer.status_code != 200:
                    raise RuntimeError(f"{name}: {answer.status_code} {answer.text[:200]}")
            found[name] = round(statistics.median(spent), 3)
    return found


def main(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    number: Annotated[int, typer.Option(help="How many pictures.")] = 10_000,
    runs: Annotated[int, typer.Option(help="How many verifications.")] = 3,
) -> None:
    """Measure, and remove what was made."""
    load = os.getloadavg()[0]
    before = _verification(inventory)
    with filled(inventory, number) as collection:
        measured = [_verification(inventory) for _ in range(runs)]
        pages = _pages(inventory, collection)
    result = {"pictures": number, "before": before, "verifications": measured, "pages": pages,
              "cpus": os.cpu_count(), "load_before": round(load, 1)}  # fmt: skip
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    typer.run(main)
