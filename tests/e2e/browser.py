"""A real Chromium on the deployed site, which notes every foreign request, console error and violation of the CSP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

# Chromium's own connections would be refused on a closed network, many at a time; the viewer needs WebGL.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


@dataclass
class Watched:
    """A page, and what went wrong or abroad while it was used."""

    page: Page
    origin: str
    artefacts: Path
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        """Note a request to another origin."""
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.foreign.append(request.url)

    def console(self, message: ConsoleMessage) -> None:
        """Note an error on the console; violations of the CSP are such errors too."""
        if message.type == "error":
            self.errors.append(f"{self.page.url}: {message.text}")

    def picture(self, name: str) -> Path:
        """A screenshot among the artefacts."""
        self.artefacts.mkdir(exist_ok=True, parents=True)
        path = self.artefacts / f"{name}.png"
        self.page.screenshot(path=str(path))
        return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, origin: str, artefacts: Path, **options: object) -> Iterator[Watched]:
    """A fresh profile with one page. The site's certificate is of its own authority, which Chromium does not know."""
    context: BrowserContext = browser.new_context(
        base_url=origin,
        ignore_https_errors=True,
        locale="en-GB",
        viewport={"width": 1280, "height": 800},
        **options,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    seen = Watched(page, origin, artefacts)
    page.on("request", seen.request)
    page.on("console", seen.console)
    page.on("pageerror", lambda error: seen.errors.append(f"{page.url}: {error}"))
    yield seen
    context.close()
