"""axe-core (npm package, MPL-2.0) on a page: what people with a screen reader or weak eyes could not use."""

from __future__ import annotations

import base64
import functools
import hashlib
import subprocess
import tarfile
from typing import Any

from playwright.sync_api import Page

from pictures import CACHE

PACKAGE = "axe-core@4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SEVERE = {"serious", "critical"}
# The viewer's own elements are third-party software; what stands around them is ours.
FOREIGN = ["pnx-viewer", "pnx-coverage-map"]


@functools.cache
def program() -> str:
    """The text of axe-core, fetched by npm once and checked against its hash."""
    archive = CACHE / f"{PACKAGE.replace('@', '-')}.tgz"
    if not archive.exists():
        CACHE.mkdir(exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", "--pack-destination", str(CACHE), PACKAGE], check=True)
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != SHA512:
        raise ValueError(f"{archive} is not {PACKAGE}")
    with tarfile.open(archive) as tar:
        found = tar.extractfile("package/axe.min.js")
        assert found
        return found.read().decode()


def findings(page: Page) -> list[str]:
    """The serious and critical findings on a page, each with its place. (The CSP does not bind the debugger.)"""
    page.evaluate(program())
    violations: list[dict[str, Any]] = page.evaluate(
        """async (foreign) => {
            const exclude = foreign.filter((name) => document.querySelector(name)).map((name) => [name]);
            const result = await axe.run({include: [['html']], exclude}, {resultTypes: ['violations']});
            return result.violations;
        }""",
        FOREIGN,
    )
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for found in violations
        if found["impact"] in SEVERE
        for node in found["nodes"]
    ]
