"""The policy of the gate: who may call which route, read from `roles/proxy/files/policy.yml` and checked.

The same object renders nginx's rules (`policy_nginx`), the table of `docs/security.md` (`policy_docs`), and answers
what the gate will decide about a request (`Policy.decide`), for tests and for the verifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
SECTIONS: Final = ("api", "identity", "website")
RULE_KEYS: Final = frozenset({"path", "methods", "who", "why", "query", "limit", "accept", "option", "reduced"})

# What a path may consist of, as the client spelt it: nothing that two programs could read differently (no percent
# sign, no empty segment, no segment that begins with a dot, no semicolon or backslash).
STRICT_PATH: Final = r"(?:/[A-Za-z0-9_~@+,=-][A-Za-z0-9._~@+,=-]*)*/?"
# Letters, digits, "-", "." and "_" written as %XX: no client needs that, and it would hide names from the query rules.
ENCODED_UNRESERVED: Final = r"%(?:2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9Aa])"


class PolicyError(ValueError):
    """The policy file cannot be used; the message names the entry and what is wrong with it."""


class Who(StrEnum):
    """Who may use a route, from everybody to nobody."""

    ANONYMOUS = "anonymous"
    SIGNED_IN = "signed_in"
    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    NOBODY = "nobody"

    @property
    def at_gate(self) -> Who:
        """What the gate can ask for: whose something is, only the API and the database know."""
        return Who.SIGNED_IN if self is Who.OWNER else self


@dataclass(frozen=True, slots=True)
class QueryRule:
    """A rule on the query. Exactly one of `never` (a parameter that begins so) and `always` (all of it) is set."""

    name: str
    why: str
    never: str | None = None
    always: str | None = None

    @property
    def regex(self) -> str:
        """The rule as a regular expression for the text after the question mark."""
        return rf"(?!(?:.*&)?(?:{self.never}))" if self.never is not None else rf"(?={self.always}$)"


@dataclass(frozen=True, slots=True)
class Rule:
    """One route with some of its methods."""

    section: str
    path: str
    methods: tuple[str, ...]
    who: Who
    why: str
    queries: tuple[QueryRule, ...] = ()
    limit: str | None = None
    accept: str | None = None
    option: str | None = None
    reduced: bool = False

    @property
    def answered_methods(self) -> tuple[str, ...]:
        """The methods with HEAD, which goes wherever GET goes."""
        return tuple(m for method in self.methods for m in ((method, "HEAD") if method == "GET" else (method,)))


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules. Made by `load_policy`."""

    version: str
    rules: tuple[Rule, ...]
    parameters: Mapping[str, str]
    limits: tuple[str, ...]
    queries: Mapping[str, QueryRule]
    options: frozenset[str] = field(default_factory=frozenset)

    def active(self, options: Iterable[str] = ()) -> tuple[Rule, ...]:
        """The rules that hold on a site with these options.

        Raises:
            PolicyError: an option that the policy does not know.
        """
        chosen = set(options)
        if unknown := chosen - self.options:
            known = ", ".join(sorted(self.options))
            raise PolicyError(f"unknown option of the policy: {', '.join(sorted(unknown))}; known: {known}")
        return tuple(rule for rule in self.rules if rule.option is None or rule.option in chosen)

    def path_regex(self, rule: Rule, realm: str) -> str:
        """A rule's path as a regular expression without anchors. A slash at the end may be left out, not added."""
        return _path_regex(rule.path, {**self.parameters, "realm": re.escape(realm)})

    def line_regex(self, rule: Rule, realm: str) -> str:
        """A regular expression for `METHOD PATH?QUERY` (the question mark is always there), for Python and PCRE."""
        query = "".join(item.regex for item in rule.queries)
        return rf"^(?:{'|'.join(rule.answered_methods)}) {self.path_regex(rule, realm)}\?{query}"

    def find(self, method: str, path: str) -> Rule | None:
        """The rule that names this method and this route, spelt as the software spells it; HEAD counts as GET."""
        wanted = "GET" if method == "HEAD" else method
        return next((rule for rule in self.rules if rule.path == path and wanted in rule.methods), None)

    def decide(self, method: str, target: str, *, realm: str = "panoramax", options: Iterable[str] = ()) -> Who:
        """What the gate makes of a request line: the class of callers it lets through.

        Args:
            method: HTTP method as sent.
            target: path and query as sent, e.g. `/api/collections?limit=10`.
            realm: name of Keycloak's realm.
            options: options of the policy that the site has on.

        Returns:
            `Who.NOBODY` also for what is malformed or not named.
        """
        path, _, query = target.partition("?")
        if not re.fullmatch(STRICT_PATH, path) or re.search(ENCODED_UNRESERVED, query):
            return Who.NOBODY
        line = f"{method} {path}?{query}"
        return next(
            (rule.who.at_gate for rule in self.active(options) if re.search(self.line_regex(rule, realm), line)),
            Who.NOBODY,
        )


def _path_regex(path: str, parameters: Mapping[str, str]) -> str:
    """Turn a path with `<name>` and `<converter:name>` into a regular expression; a parameter's name goes first."""
    parts = re.split(r"<([^>]+)>", path)
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
            continue
        converter, _, name = part.rpartition(":")
        known = next((parameters[key] for key in (name, converter) if key in parameters), None)
        if known is None:
            raise PolicyError(f"{path}: nothing under `parameters` says what <{part}> may be")
        pattern += f"(?:{known})"
    pattern = pattern.replace(r"\-", "-")
    return pattern + "?" if path.endswith("/") and path != "/" else pattern


def _compiles(pattern: str, where: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise PolicyError(f"{where}: not a regular expression: {error}") from error
    # These would end or change the string in nginx's configuration.
    if any(character in pattern for character in '" \n\\'):
        raise PolicyError(f"{where}: no quotation mark, blank or backslash may be in a pattern ([.] is a dot)")
    return pattern


def _query_rule(name: str, data: Mapping[str, Any]) -> QueryRule:
    where = f"queries.{name}"
    if len({"never", "always"} & set(data)) != 1 or not data.get("why"):
        raise PolicyError(f"{where}: give why, and either never or always")
    rule = QueryRule(name, data["why"], data.get("never"), data.get("always"))
    _compiles(rule.regex, where)
    return rule


def _rule(section: str, data: Mapping[str, Any], queries: Mapping[str, QueryRule], limits: Iterable[str]) -> Rule:
    where = f"{section}: {data.get('path', '(without a path)')}"
    if unknown := set(data) - RULE_KEYS:
        raise PolicyError(f"{where}: unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(RULE_KEYS))}")
    if missing := {"path", "methods", "who", "why"} - {key for key, value in data.items() if value}:
        raise PolicyError(f"{where}: {', '.join(sorted(missing))} missing")
    if not str(data["path"]).startswith("/"):
        raise PolicyError(f"{where}: a path begins with /")
    if unknown := set(data["methods"]) - set(METHODS):
        raise PolicyError(f"{where}: {', '.join(sorted(unknown))} is none of {', '.join(METHODS)}")
    if data["who"] not in list(Who):
        raise PolicyError(f"{where}: who is {data['who']!r}, not one of {', '.join(Who)}")
    if unknown := set(data.get("query", ())) - set(queries):
        raise PolicyError(f"{where}: unknown query rule {', '.join(sorted(unknown))}")
    if data.get("limit") is not None and data["limit"] not in limits:
        raise PolicyError(f"{where}: limit is {data['limit']!r}, not one of {', '.join(limits)}")
    return Rule(
        section=section,
        path=data["path"],
        methods=tuple(data["methods"]),
        who=Who(data["who"]),
        why=data["why"],
        queries=tuple(queries[name] for name in data.get("query", ())),
        limit=data.get("limit"),
        accept=data.get("accept"),
        option=data.get("option"),
        reduced=bool(data.get("reduced", False)),
    )


def parse_policy(text: str) -> Policy:
    """Read a policy from YAML.

    Raises:
        PolicyError: malformed, incomplete, or a route and method named twice.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PolicyError(f"not YAML: {error}") from error
    expected = {"version", "parameters", "queries", "limits", *SECTIONS}
    if not isinstance(data, dict) or set(data) != expected:
        raise PolicyError(f"the file must hold exactly {', '.join(sorted(expected))}")
    parameters = {name: _compiles(value, f"parameters.{name}") for name, value in data["parameters"].items()}
    queries = {name: _query_rule(name, value) for name, value in data["queries"].items()}
    limits = tuple(data["limits"])
    rules = tuple(_rule(section, entry, queries, limits) for section in SECTIONS for entry in data[section])
    named: set[tuple[str, str]] = set()
    for rule in rules:
        _path_regex(rule.path, parameters)
        for method in rule.methods:
            if (method, rule.path) in named:
                raise PolicyError(f"{rule.section}: {method} {rule.path} is named twice")
            named.add((method, rule.path))
    return Policy(
        version=str(data["version"]),
        rules=rules,
        parameters=parameters,
        limits=limits,
        queries=queries,
        options=frozenset(rule.option for rule in rules if rule.option),
    )


def load_policy(path: Path) -> Policy:
    """Read the policy file.

    Raises:
        PolicyError: as `parse_policy`, with the file's name, or the file cannot be read.
    """
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except (OSError, PolicyError) as error:
        raise PolicyError(f"{path}: {error}") from error


SERVICE_PATH: Final = r"/[a-z][a-z0-9-]{1,40}"


def with_services(policy: Policy, services: Iterable[Mapping[str, str]]) -> Policy:
    """The policy with rules for further services: GET at and below the path of each, for people who are signed in.

    Args:
        policy: from `load_policy`.
        services: `role`, `path`, and `who` (`signed_in` where it is left out).

    Raises:
        PolicyError: a path of another form, one that the policy names already, or open to everybody.
    """
    added: list[Rule] = []
    for service in services:
        path, who = str(service["path"]), Who(service.get("who", Who.SIGNED_IN))
        if not re.fullmatch(SERVICE_PATH, path):
            raise PolicyError(f"service {service['role']}: path is {path!r}; give one segment, like /hello")
        taken = {rule.path.split("/")[1] for rule in (*policy.rules, *added)}
        if path[1:] in taken:
            raise PolicyError(f"service {service['role']}: path {path} is taken; give another")
        if who not in (Who.SIGNED_IN, Who.ADMINISTRATOR):
            raise PolicyError(f"service {service['role']}: who is {who}; give signed_in or administrator")
        why = f"Service {service['role']} of the operator's own"
        added += [Rule("website", route, ("GET",), who, why) for route in (path, f"{path}/", f"{path}/<path:rest>")]
    # First, so that no rule with a parameter for its first segment decides about them.
    return replace(policy, rules=(*added, *policy.rules))
