"""The commands of `scripts/policy.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panoramax_ops.console import out, print_json, reported
from panoramax_ops.errors import RefusedError
from panoramax_ops.policy import PolicyError, load_policy
from panoramax_ops.policy_docs import update
from panoramax_ops.policy_nginx import render

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "roles" / "proxy" / "files" / "policy.yml"
DOCUMENT = ROOT / "docs" / "security.md"

app = typer.Typer(
    help="Look at the policy of the gate (roles/proxy/files/policy.yml): who may call which route, and why.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: policy.py ask GET '/api/collections?limit=1'",
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)

PolicyFile = Annotated[Path, typer.Option("--policy", help="The policy file.")]
Realm = Annotated[str, typer.Option("--realm", help="Keycloak's realm.")]
Options = Annotated[list[str] | None, typer.Option("--option", help="A rule of the policy that is on; repeatable.")]


@app.command()
def docs(
    policy: PolicyFile = POLICY,
    document: Annotated[Path, typer.Option(help="The document with the tables.")] = DOCUMENT,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if the document is not current.")
    ] = False,
) -> None:
    """Bring the tables of docs/security.md up to date."""
    with reported(policy, as_json=False):
        try:
            changed = update(document, load_policy(policy), write=not check)
        except PolicyError as error:
            raise RefusedError(str(error), "Mend the file and run this again.") from error
        if check and changed:
            raise RefusedError(f"{document} does not say what {policy} says", "Run: scripts/policy.py docs")
        out.print("Up to date." if not changed else f"{document}: brought up to date.")


@app.command()
def nginx(policy: PolicyFile = POLICY, realm: Realm = "panoramax", option: Options = None) -> None:
    """Print nginx's rules, as the proxy gets them."""
    with reported(policy, as_json=False):
        try:
            typer.echo(render(load_policy(policy), realm, option or []))
        except PolicyError as error:
            raise RefusedError(str(error), "Mend the policy and run this again.") from error


@app.command()
def ask(
    method: Annotated[str, typer.Argument(help="HTTP method.")],
    target: Annotated[str, typer.Argument(help="Path and query as a client sends them.")],
    policy: PolicyFile = POLICY,
    realm: Realm = "panoramax",
    option: Options = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Say whom the gate lets through with a request."""
    with reported(policy, as_json=as_json):
        try:
            who = load_policy(policy).decide(method, target, realm=realm, options=option or [])
        except PolicyError as error:
            raise RefusedError(str(error), "Mend the policy and run this again.") from error
        if as_json:
            print_json({"method": method, "target": target, "who": who.value})
        else:
            out.print(f"{method} {target}: {who.value}", markup=False)
