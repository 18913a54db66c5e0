"""That each picture which people can see was made by the blurring: by its signed word, and by the files themselves."""

from __future__ import annotations

import json

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.site import FILES, Site, folder

# Files that are read and compared: the newest ones, and as many others by chance.
SAMPLE = 20
SHOWN = "(p.status = 'ready' OR p.preparing_status = 'prepared')"
# The functions belong to the superuser: who owns the database cannot have replaced them.
OWNERS = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE n.nspname = 'proof' AND r.rolsuper
"""
PROOFS = f"""
SELECT p.id, CASE WHEN b.statement IS NULL THEN 'no proof'
  WHEN NOT proof.signed(b.statement, b.signature) THEN 'its proof is not signed by the blurring'
  ELSE 'its proof is of another picture' END
FROM pictures p LEFT JOIN priv.blurring_proofs b ON b.picture_id = p.id
WHERE {SHOWN} AND NOT EXISTS (SELECT FROM proof.before o WHERE o.picture_id = p.id AND b.picture_id IS NULL)
  AND (b.statement IS NULL OR NOT proof.signed(b.statement, b.signature)
       OR b.statement::jsonb ->> 'picture' <> p.id::text)
ORDER BY p.inserted_at DESC
"""
COUNTS = f"""
SELECT count(b.picture_id), count(*) - count(b.picture_id)
FROM pictures p LEFT JOIN priv.blurring_proofs b ON b.picture_id = p.id WHERE {SHOWN}
"""
CHOSEN = f"""
(SELECT p.id, b.statement FROM pictures p JOIN priv.blurring_proofs b ON b.picture_id = p.id WHERE {SHOWN}
 ORDER BY b.recorded DESC LIMIT {SAMPLE})
UNION
(SELECT p.id, b.statement FROM pictures p JOIN priv.blurring_proofs b ON b.picture_id = p.id WHERE {SHOWN}
 ORDER BY random() LIMIT {SAMPLE})
"""


def proved(site: Site) -> str:
    """Each picture that can be seen has a statement of the blurring, signed with a key that API and workers lack."""
    present = {row[0] for row in site.sql.read(OWNERS)}
    if not present >= {"hmac", "keys", "signed"}:
        raise ClaimBrokenError(
            "what verifies proofs (schema proof) is missing, or belongs to another than the superuser"
        )
    if found := site.sql.read(PROOFS):
        raise ClaimBrokenError(
            f"{len(found)} pictures: " + "; ".join(f"{picture}: {why}" for picture, why in found[:5])
        )
    ((good, before),) = site.sql.read(COUNTS)
    return f"{good} pictures with a valid proof" + (f", {before} of before there were proofs" if int(before) else "")


def files_as_proved(site: Site) -> str:
    """The file that is handed out is, byte for byte, the one that the blurring signed: the newest and some others."""
    expected = {picture: json.loads(statement)["answer"] for picture, statement in site.sql.read(CHOSEN)}
    paths = {f"{FILES}/permanent/{folder(picture)}.jpg": picture for picture in expected}
    if not paths:
        return "no picture yet"
    code, output = site.execute("api", "sha256sum", *paths)
    sums = {line.partition("  ")[2]: line[:64] for line in output.splitlines() if "  " in line}
    # What was deleted or blurred again in between is not looked at.
    current = {picture: json.loads(statement)["answer"] for picture, statement in site.sql.read(_again(expected))}
    wrong = [
        picture
        for path, picture in paths.items()
        if current.get(picture) == expected[picture] and sums.get(path) != expected[picture]
    ]
    if wrong:
        raise ClaimBrokenError(f"{len(wrong)} files are not what the blurring answered: {', '.join(wrong[:5])}")
    if code and not sums:
        raise UnableError(f"The pictures' files cannot be read: {output.strip()[:200]}")
    return f"{len(paths)} files are what the blurring answered"


def _again(pictures: dict[str, str]) -> str:
    names = ", ".join(f"'{picture}'" for picture in pictures)
    return f"SELECT picture_id, statement FROM priv.blurring_proofs WHERE picture_id IN ({names})"


CHECKS = (
    Check("C5", "What is shown was proved to be blurred", proved),
    Check("C5", "Files are what the blurring answered", files_as_proved),
)
