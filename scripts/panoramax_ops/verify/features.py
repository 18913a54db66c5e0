"""What is promised about the pages, as far as it can be seen without a browser; and what nothing checks yet."""

from __future__ import annotations

from collections.abc import Callable

from panoramax_ops.verify import detection
from panoramax_ops.verify.model import Check, ClaimBrokenError, NotCoveredError
from panoramax_ops.verify.requests import to_login, told
from panoramax_ops.verify.site import Site


def _page(path: str) -> Callable[[Site], str]:
    def check(site: Site) -> str:
        answer = site.cast["user"].session.get(path)
        if answer.status_code != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
            raise ClaimBrokenError(f"{path} for a signed-in user: {told(answer)}")
        with site.anonymous() as stranger:
            if not to_login(answer := stranger.get(path)):
                raise ClaimBrokenError(f"{path} for a stranger: {told(answer)}")
        return f"{path} is there for signed-in people, and leads strangers to the sign-in"

    check.__doc__ = f"The page {path} is shown to signed-in people only."
    return check


def _not_yet(what: str) -> Callable[[Site], str]:
    def check(site: Site) -> str:
        del site
        raise NotCoveredError(what)

    check.__doc__ = "Nothing is tried."
    return check


CHECKS = (
    Check("C7", "The page to share photos", _page("/share-photos")),
    Check("C8", "The page of one's own photos", _page("/my-photos")),
    Check("C9", "The page of a sequence", _page("/sequence/00000000-0000-4000-8000-00000000dead")),
    Check("C10", "The page to explore", _page("/explore")),
    Check(
        "C7",
        "Uploading in a browser",
        _not_yet("form, transport mode and hundreds of files need a browser"),
    ),
    Check("C10", "Map and viewer", _not_yet("needs a browser; the end-to-end tests have one")),
    *detection.CHECKS,
    Check("C13", "Backup, restore, move, upgrade", _not_yet("only a restore proves a backup; the tests do one")),
)
