"""A real Chromium on the deployed site, which notes every foreign request, console error and violation of the CSP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

WAIT_MS = 30_000
SESSION_COOKIE = "__Host-session"
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
    """A person's browser with its pages, and what went wrong or abroad while it was used."""

    page: Page
    origin: str
    artefacts: Path
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    # Patterns of errors that a test provokes; the browser notes each answer of 400 and more by itself. The first is of
    # the machine: a container that comes or goes changes its networks, and Chromium drops what is under way.
    expected: list[str] = field(default_factory=lambda: ["net::ERR_NETWORK_CHANGED"])
    # Origins that a click of the person calls.
    clicked: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note what happens in all pages of the context, also those that open by themselves."""
        context.on("request", self.request)
        context.on("console", self.console)
        context.on("weberror", lambda error: self.errors.append(f"{self.page.url}: {error.error}"))

    def request(self, request: Request) -> None:
        """Note a request to another origin."""
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.foreign.append(request.url)

    def console(self, message: ConsoleMessage) -> None:
        """Note an error on the console; violations of the CSP are such errors too."""
        if message.type == "error":
            self.errors.append(f"{self.page.url}: {message.text} {message.location.get('url', '')}")

    def expect(self, *patterns: str) -> None:
        """Errors that match one of these regular expressions are part of the test."""
        self.expected += patterns

    def unblemished(self) -> None:
        """Nothing was fetched from elsewhere, nothing complained, and no script can read the session."""
        abroad = [url for url in self.foreign if not url.startswith(tuple(f"{one}/" for one in self.clicked))]
        assert abroad == [], abroad
        complaints = [error for error in self.errors if not any(re.search(one, error) for one in self.expected)]
        assert complaints == [], complaints
        cookies = [cookie for cookie in self.page.context.cookies() if cookie.get("name") == SESSION_COOKIE]
        assert all(cookie.get("httpOnly") and cookie.get("secure") for cookie in cookies), cookies

    def take_over(self, session: httpx.Client) -> None:
        """Be signed in as a client is, without the forms: other tests fill them in."""
        for cookie in session.cookies.jar:
            if cookie.path == "/":
                own = cookie.name == SESSION_COOKIE
                self.page.context.add_cookies(
                    [
                        {
                            "name": cookie.name,
                            "value": cookie.value or "",
                            "url": self.origin,
                            "secure": True,
                            "httpOnly": own,
                        }
                    ]
                )

    def picture(self, name: str, *, whole: bool = False) -> Path:
        """A screenshot among the artefacts, of what is in sight or of the whole page."""
        self.artefacts.mkdir(exist_ok=True, parents=True)
        path = self.artefacts / f"{name}.png"
        self.page.screenshot(path=str(path), full_page=whole)
        return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless. Expectations wait as long as actions do: CI's machines are busy."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, origin: str, artefacts: Path, **options: object) -> Iterator[Watched]:
    """A fresh profile with one page; at the end, every test in it fails by what went abroad or complained on the way.

    The site's certificate is of its own authority, which Chromium does not know.
    """
    settings: dict[str, Any] = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
    context: BrowserContext = browser.new_context(base_url=origin, ignore_https_errors=True, **settings)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    seen = Watched(page, origin, artefacts)
    seen.watch(context)
    yield seen
    # Not after a failure, which would hide behind its own consequences.
    seen.unblemished()
    context.close()
