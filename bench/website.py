#!/usr/bin/env python3
"""How fast the website's pages are in Chromium, and how a sequence with thousands of photos scrolls.

bench/website.py -i inventories/NAME --number 3000   (account and photos are removed again)

Needs a deployed site on this machine. The photos are copies of one that was uploaded and blurred (see verification.py):
each has a thumbnail of its own, which the browser fetches through the proxy and the API as any other.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

# At the end: scripts/secrets.py has the name of a standard module.
sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from playwright.sync_api import Browser, Page
from verification import filled

from browser import chromium, watched
from conftest import ARTEFACTS, Site, password_in, site_of
from signing_in import sign_in

PAGES = ("", "share-photos", "my-photos", "settings", "explore")
TIMES = 5
PAINT = """() => new Promise((done) => {
  new PerformanceObserver((list) => {
    const [first] = list.getEntriesByName('first-contentful-paint');
    if (first) done(first.startTime);
  }).observe({type: 'paint', buffered: true});
})"""
# Bytes as they were sent, compressed. The viewer is third-party software, and comes after the page.
SCRIPT = """performance.getEntriesByType('resource')
  .filter(({name}) => name.endsWith('.js') && !name.includes('/vendor/'))
  .reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0)"""
# Milliseconds from the start of the navigation until a thumbnail in sight is decoded; asked for with every frame.
FIRST_THUMBNAIL = """() => new Promise((done) => {
  const look = () => {
    const first = document.querySelector('#thumbs img');
    if (first?.complete && first.naturalWidth) done(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""
ALL_LISTED = """() => new Promise((done) => {
  const look = () => {
    if (document.querySelector('#thumbs[aria-busy=false]')) done(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""
# Scrolls to the end, so many pixels with each frame. Returns how long frames took, and the script tasks above 50 ms.
SCROLL = """async (pixels) => {
  const [frames, tasks] = [[], []];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)));
  observer.observe({entryTypes: ['longtask']});
  const view = document.scrollingElement;
  await new Promise((done) => {
    let before = performance.now();
    const step = (now) => {
      frames.push(now - before);
      before = now;
      const at = view.scrollTop;
      view.scrollBy(0, pixels);
      if (view.scrollTop === at) done();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  observer.disconnect();
  return {frames, tasks, height: view.scrollHeight};
}"""
# What the same machine and browser need without the thumbnails: first the page without its pictures, then nothing but
# an empty page of the same height.
WITHOUT_PICTURES = "() => document.querySelectorAll('#thumbs img').forEach((one) => one.remove())"
EMPTY_PAGE = """() => {
  const height = document.scrollingElement.scrollHeight;
  document.body.replaceChildren();
  document.body.style.height = `${height}px`;
}"""
# Milliseconds until all thumbnails in sight are there.
SETTLED = """() => new Promise((done) => {
  const begun = performance.now();
  const look = () => {
    const seen = [...document.querySelectorAll('#thumbs img')].slice(-12);
    if (seen.every((one) => one.complete && one.naturalWidth)) done(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  look();
})"""


@contextmanager
def person(site: Site) -> Iterator[httpx.Client]:
    """Somebody who is signed in, and is gone afterwards."""
    email = f"bench.website.{secrets.token_hex(3)}@example.org"
    made = site.run("accounts.py", "--json", "create", email, "--name", f"Bench {secrets.token_hex(2)}")
    try:
        password = password_in(Path(json.loads(made.stdout)["letter"]))
        new_password = secrets.token_urlsafe(18)
        with closing(sign_in(site.url, site.ca, email, password, new_password=new_password)) as session:
            yield session
    finally:
        site.run("accounts.py", "delete", email, "--pictures", "delete", "--yes", check=False)


def pages(browser: Browser, site: Site, session: httpx.Client) -> dict[str, Any]:
    """By page: milliseconds until it shows something (median, nothing cached), kilobytes of our own scripts."""
    found: dict[str, Any] = {}
    for path in PAGES:
        paints, size = [], 0
        for _ in range(TIMES):
            with watched(browser, site.url, ARTEFACTS) as seen:
                seen.expect("status of 404 .*/users/me/collection")
                if path:
                    seen.take_over(session)
                seen.page.goto(f"/{path}")
                seen.page.locator("html.is-ready").wait_for()
                seen.page.wait_for_timeout(300)
                paints.append(float(seen.page.evaluate(PAINT)))
                size = int(seen.page.evaluate(SCRIPT))
        paint = round(statistics.median(paints))
        found[f"/{path}"] = {"first_contentful_paint_ms": paint, "own_script_kb": size / 1000}
    return found


def scrolling(page: Page, sequence: str, pixels: int) -> dict[str, Any]:
    """Open the page of the sequence and scroll through all its thumbnails; then the same without them."""
    page.goto(f"/sequence/{sequence}", wait_until="commit")
    first = float(page.evaluate(FIRST_THUMBNAIL))
    listed = float(page.evaluate(ALL_LISTED))
    page.locator("#track .map-view").wait_for()
    page.wait_for_timeout(3000)
    found = {
        "first_thumbnail_ms": round(first),
        "all_listed_ms": round(listed),
        "thumbnails": frames(page, pixels),
        "last_thumbnails_after_ms": round(float(page.evaluate(SETTLED))),
    }
    for name, change in (("without_pictures", WITHOUT_PICTURES), ("empty_page", EMPTY_PAGE)):
        page.evaluate("scrollTo(0, 0)")
        page.evaluate(change)
        page.wait_for_timeout(2000)
        found[name] = frames(page, pixels)
    return found


def frames(page: Page, pixels: int) -> dict[str, Any]:
    """Scroll to the end; what frames took, in milliseconds."""
    since = time.monotonic()
    told = page.evaluate(SCROLL, pixels)
    spent = time.monotonic() - since
    took = sorted(told["frames"])
    return {
        "pixels": told["height"],
        "seconds": round(spent, 1),
        "median_ms": round(statistics.median(took), 1),
        "95 %_ms": round(took[int(len(took) * 0.95)], 1),
        "longest_ms": round(took[-1], 1),
        "above_50_ms": sum(one > 50 for one in took),
        "frames": len(took),
        "longest_task_ms": round(max(told["tasks"], default=0)),
    }


def main(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="Directory of the site's inventory.")],
    number: Annotated[int, typer.Option(help="Photos in the sequence.")] = 3000,
    pixels: Annotated[int, typer.Option(help="How far to scroll with each frame.")] = 100,
) -> None:
    """Measure, and remove what was made."""
    site = site_of(inventory.resolve())
    load = os.getloadavg()[0]
    with person(site) as session, chromium() as browser:
        result: dict[str, Any] = {"pages": pages(browser, site, session)}
        with filled(inventory, number, number) as sequence, watched(browser, site.url, ARTEFACTS) as seen:
            seen.take_over(session)
            result["sequence"] = {"photos": number, **scrolling(seen.page, sequence, pixels)}
            seen.picture("bench-sequence")
    print(json.dumps({**result, "cpus": os.cpu_count(), "load_before": round(load, 1)}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    typer.run(main)
