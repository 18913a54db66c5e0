"""What role database renders for PostgreSQL."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "database"


def render(template: str, megabytes: int = 768, **settings: Any) -> str:
    """Render a template as Ansible would, from the role's own defaults and constants."""
    values: dict[str, Any] = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    constants = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    values |= {name: constants[name] for name in ("_database_roles", "_database_databases")}
    values["_database_connections"] = {entry["name"]: entry["users"] for entry in values["_database_databases"]}
    values |= {"_database_megabytes": megabytes, **settings}
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((ROLE / "templates" / template).read_text(encoding="utf-8")).render(values)


def setting(name: str, megabytes: int) -> int:
    """Return a figure of postgresql.conf, in megabytes."""
    found = re.search(rf"^{name} = (\d+)MB$", render("postgresql.conf.j2", megabytes), re.MULTILINE)
    assert found, name
    return int(found.group(1))


@pytest.mark.parametrize("megabytes", [256, 768, 4096, 65536])
def test_memory_figures_fit_into_the_limit(megabytes: int) -> None:
    assert setting("shared_buffers", megabytes) == megabytes // 4
    assert setting("effective_cache_size", megabytes) < megabytes
    busy = setting("shared_buffers", megabytes) + 3 * setting("maintenance_work_mem", megabytes)
    assert busy + 16 * setting("work_mem", megabytes) < megabytes


def test_nobody_connects_but_who_is_named() -> None:
    lines = [line.split() for line in render("pg_hba.conf.j2").splitlines() if line and not line.startswith("#")]
    assert lines == [
        ["local", "all", "postgres", "peer"],
        ["host", "panoramax", "panoramax,panoramax_ops", "all", "scram-sha-256"],
        ["host", "keycloak", "keycloak", "all", "scram-sha-256"],
    ]


def test_with_a_certificate_nobody_connects_without_tls_but_the_scripts_from_the_host_itself() -> None:
    settings: dict[str, Any] = {"database_tls": {"certificate": "c"}, "database_host_address": "172.30.76.1"}
    lines = [line.split() for line in render("pg_hba.conf.j2", **settings).splitlines() if line[:1] not in ("", "#")]
    assert lines == [
        ["local", "all", "postgres", "peer"],
        ["hostnossl", "panoramax", "panoramax_ops", "172.30.76.1/32", "scram-sha-256"],
        ["hostssl", "panoramax", "panoramax,panoramax_ops", "all", "scram-sha-256"],
        ["hostssl", "keycloak", "keycloak", "all", "scram-sha-256"],
    ]
    assert "\nssl = on\n" in render("postgresql.conf.j2", **settings)
    assert "ssl" not in render("postgresql.conf.j2")


def test_no_role_is_privileged_and_no_password_is_in_the_file() -> None:
    sql = render("reconcile.sql.j2")
    for role in ("panoramax", "panoramax_ops", "keycloak"):
        assert f"ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE" in sql
        assert f"\\set password `cat /run/secrets/{role}`" in sql
    assert not re.search(r"(?<!NO)SUPERUSER|PASSWORD '", sql)
    assert "GRANT CONNECT ON DATABASE keycloak TO panoramax" not in sql


def test_settings_that_the_api_needs() -> None:
    conf = render("postgresql.conf.j2")
    assert "timezone = 'UTC'" in conf
    # A worker's transaction stays idle while the picture is blurred.
    assert not re.search(r"^idle_in_transaction_session_timeout", conf, re.MULTILINE)


def test_the_start_program_is_valid_shell() -> None:
    subprocess.run(["bash", "-n", str(ROLE / "files" / "start.sh")], check=True)
