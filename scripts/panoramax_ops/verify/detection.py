"""The operator's own detection models: that they work, and that what they found is found by who may find it."""

from __future__ import annotations

from panoramax_ops.verify.model import Check, ClaimBrokenError, NotCoveredError
from panoramax_ops.verify.requests import told
from panoramax_ops.verify.site import Site

# A picture that somebody found something in and that every signed-in person may see, for each detector.
EXAMPLES = """
SELECT DISTINCT ON (d.name) d.name, d.version, s.key, s.value, a.picture_id
FROM priv.detectors d JOIN annotations_semantics s ON s.key = 'detected|' || d.name
JOIN annotations a ON a.id = s.annotation_id JOIN pictures p ON p.id = a.picture_id
JOIN sequences_pictures sp ON sp.pic_id = p.id JOIN sequences q ON q.id = sp.seq_id
WHERE p.status = 'ready' AND p.visibility IN ('anyone', 'logged-only') AND q.visibility IN ('anyone', 'logged-only')
  AND EXISTS (SELECT FROM priv.detections e WHERE e.picture_id = p.id AND e.detector = d.name AND e.version = d.version
              AND e.state = 'done')
ORDER BY d.name, p.inserted_at DESC
"""


def detectors(site: Site) -> str:
    """Each detector of the inventory runs; what it found is found by a signed-in user, and by no stranger."""
    if not site.detectors:
        raise NotCoveredError("the inventory declares no detection model (site_detectors)")
    states = {one.name: one for one in site.accounts.database.detectors()}
    running = {f"{one.name}/{one.version}" for one in states.values()}
    if running != set(site.detectors):
        declared = ", ".join(sorted(site.detectors))
        raise ClaimBrokenError(f"declared are {declared}, but the site has {', '.join(sorted(running)) or 'none'}")
    site.container("detector")
    found = [_found(site, *row) for row in site.sql.read(EXAMPLES)]
    numbers = [f"{one.name}: {one.found} found on {one.done} pictures, {one.waiting} wait" for one in states.values()]
    if failed := [f"{one.name} failed at {one.failed} pictures" for one in states.values() if one.failed]:
        raise ClaimBrokenError("; ".join([*failed, "the reasons: scripts/detections.py failed"]))
    return "; ".join(numbers + found)


def _found(site: Site, name: str, version: str, key: str, label: str, picture: str) -> str:
    value = label.replace("'", "''")
    query = {"ids": picture, "filter": f"\"semantics.{key}\"='{value}'"}
    answer = site.cast["user"].session.get("/api/search", params=query)
    features = answer.json().get("features", []) if answer.status_code == 200 else []
    tags = [
        (tag["key"], tag["value"])
        for feature in features
        for annotation in feature["properties"].get("annotations", [])
        for tag in annotation["semantics"]
    ]
    if (f"detection_model[{key}={label}]", f"{name}/{version}") not in tags:
        raise ClaimBrokenError(f"what {name} found in picture {picture} is not found by search: {told(answer)}")
    with site.anonymous() as stranger:
        answer = stranger.get("/api/search", params=query)
        if answer.status_code != 401:
            raise ClaimBrokenError(f"a stranger may search what {name} found: {told(answer)}")
    return f"search finds {key}={label}"


CHECKS = (Check("C12", "Detection models", detectors),)
