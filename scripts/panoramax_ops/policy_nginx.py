"""nginx's rules, made of the policy.

All decisions are `map`s keyed by the request line as the client sent it, reduced to what has one reading only
(`$gate_line`). What is matched is therefore what is passed on: nginx hands the same bytes to the service behind.

| variable | meaning |
|---|---|
| `$gate_line` | `METHOD PATH?QUERY`, or empty: malformed, to be refused |
| `$gate` | `anonymous`, `signed_in`, `administrator`, or `nobody`, which is also the default |
| `$gate_path` | the path alone, for the log |
| `$gate_accept` | the Accept header to pass on |
| `$gate_limit_NAME` | key of the request limit NAME; empty where it does not apply |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from panoramax_ops.policy import ENCODED_UNRESERVED, STRICT_PATH, Policy, Rule, Who


def _map(source: str, target: str, default: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"map {source} {target} {{"
    yield f"    default {default};"
    yield from (f'    "~{regex}" {value};' for regex, value in rows)
    yield "}"
    yield ""


def render(policy: Policy, realm: str, options: Iterable[str] = ()) -> str:
    """The maps as the text of a file to include in nginx's `http` block.

    Args:
        policy: from `load_policy`.
        realm: name of Keycloak's realm, the only one whose pages are open.
        options: options of the policy that this site has on.

    Raises:
        PolicyError: an option that the policy does not know.
    """
    rules = policy.active(options)

    def rows(chosen: Iterable[Rule], value: str) -> list[tuple[str, str]]:
        return [(policy.line_regex(rule, realm), value) for rule in chosen]

    open_rules = [rule for rule in rules if rule.who is not Who.NOBODY]
    lines = [
        f"# Made of roles/proxy/files/policy.yml (geovisio {policy.version}). Do not edit: change the policy.",
        "",
        *_map(
            "$request_uri",
            "$gate_uri",
            '""',
            [
                (
                    rf"^(?<gate_raw_path>{STRICT_PATH})(?:\?(?<gate_query>(?!.*{ENCODED_UNRESERVED}).*))?$",
                    "$gate_raw_path?$gate_query",
                )
            ],
        ),
        *_map("$gate_uri", "$gate_path", "-", [(r"^(?<gate_logged_path>[^?]+)\?", "$gate_logged_path")]),
        *_map("$gate_uri", "$gate_line", '"$request_method $gate_uri"', [("^$", '""')]),
        *_map(
            "$gate_line",
            "$gate",
            Who.NOBODY.value,
            [(policy.line_regex(rule, realm), rule.who.at_gate.value) for rule in open_rules],
        ),
        *_map(
            "$gate_line",
            "$gate_accept",
            "$http_accept",
            [(policy.line_regex(rule, realm), f'"{rule.accept}"') for rule in open_rules if rule.accept],
        ),
    ]
    for limit in policy.limits:
        limited = [rule for rule in open_rules if rule.limit == limit]
        lines += _map("$gate_line", f"$gate_limit_{limit}", '""', rows(limited, "$gate_caller"))
    return "\n".join(lines)
