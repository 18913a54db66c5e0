"""The realm as kcwarden judges it, with an answer to each of its false alarms (kcwarden.yml)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.model import Check, ClaimBrokenError
from panoramax_ops.verify.realm import administration
from panoramax_ops.verify.site import Site

ANSWERS = Path(__file__).with_name("kcwarden.yml")
# It asks a server on the internet for the newest version, and raises an alarm when it gets no answer.
LEFT_OUT = "KeycloakVersionShouldBeUpToDate"
SECONDS = 60
SHOWN = 8


@dataclass(frozen=True)
class Alarm:
    """One thing that kcwarden says: which of its rules, about what, how grave, and in which words."""

    auditor: str
    object: str
    severity: str
    words: str

    def __str__(self) -> str:
        """As it is shown."""
        return f"{self.object}: {self.words} ({self.auditor}, {self.severity})"


def answers(path: Path = ANSWERS) -> dict[tuple[str, str], str]:
    """Reason by auditor and object. Raises ValueError for an entry without a reason, or that stands there twice."""
    found: dict[tuple[str, str], str] = {}
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        key = (str(entry["auditor"]), str(entry["object"]))
        if key in found or not entry.get("reason"):
            raise ValueError(f"{path.name}: {key[0]} on {key[1]} needs one reason")
        found[key] = str(entry["reason"])
    return found


def unanswered(alarms: list[Alarm], known: dict[tuple[str, str], str]) -> list[Alarm]:
    """Those that nobody has answered."""
    return [alarm for alarm in alarms if (alarm.auditor, alarm.object) not in known]


def judge(export: dict[str, Any]) -> tuple[list[Alarm], int]:
    """What kcwarden says of an exported realm, and by how many rules. Disabled clients do not count.

    Raises UnableError if kcwarden does not come to an end.
    """
    from kcwarden.configuration.auditors import collect_auditors

    names = [auditor.get_classname() for auditor in collect_auditors()]
    names = [name for name in names if name != LEFT_OUT]
    with tempfile.TemporaryDirectory(prefix="panoramax-realm-") as directory:
        realm, found = Path(directory) / "realm.json", Path(directory) / "found.json"
        realm.write_text(json.dumps(export), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "kcwarden"), "audit", "--ignore-disabled-clients", "-f", "json"]
        command += ["-o", str(found), str(realm), "--auditors", *names]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise UnableError(
                f"kcwarden ends with {done.returncode}: {done.stderr.strip()[-200:]}", "Is its version the pinned one?"
            )
        listed = json.loads(found.read_text(encoding="utf-8"))
    alarms = [
        Alarm(entry["reporting_auditor"], entry["entity"], entry["severity"], entry["short_description"])
        for entry in listed
    ]
    return alarms, len(names)


def audited(site: Site) -> str:
    """A second opinion on the realm: kcwarden's rules for settings, clients, roles, scopes and service accounts. Each
    alarm must be answered by name, with the reason why it is none."""
    with administration(site) as realms:
        alarms, rules = judge(realms.export(site.realm))
    known = answers()
    if new := unanswered(alarms, known):
        raise ClaimBrokenError("; ".join(map(str, new[:SHOWN])))
    reasons = " ".join(f"{alarm.object}, {alarm.words}: {known[alarm.auditor, alarm.object]}" for alarm in alarms)
    return f"{rules} rules, {len(alarms)} false alarms answered. {reasons}"


CHECKS = (Check("C3", "The realm in kcwarden's eyes", audited),)
