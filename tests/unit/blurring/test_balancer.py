"""What role blurring renders for several services: names, addresses, and nginx's part between them and the workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from blurring_instances import blurring_instance

ROLE = Path(__file__).resolve().parents[3] / "roles" / "blurring"
ADDRESSES = {"blurring-1": "172.30.77.21", "blurring-2": "172.30.77.22"}


def _render(**settings: Any) -> str:
    values = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    values |= {"blurring_addresses": ADDRESSES, **settings}
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((ROLE / "templates" / "balancer.conf.j2").read_text(encoding="utf-8")).render(values)


def test_an_instance_has_its_name_and_its_address() -> None:
    service = {"name": "blurring", "networks": ["back"], "memory": "1g"}
    assert blurring_instance("blurring-2", service, ADDRESSES) == {
        "name": "blurring-2",
        "networks": [{"name": "back", "address": "172.30.77.22"}],
        "memory": "1g",
    }
    assert blurring_instance("blurring", service, {}) == service


@pytest.mark.parametrize("tls", [{}, {"certificate": "c"}])
def test_pictures_go_to_every_service_and_on_to_the_next_when_one_fails(tls: dict[str, str]) -> None:
    text = _render(blurring_tls=tls)
    assert [line.split()[1] for line in text.splitlines() if "server 172" in line] == [
        "172.30.77.21:8001",
        "172.30.77.22:8001",
    ]
    assert "proxy_next_upstream error timeout http_500 http_502 http_503 http_504 non_idempotent;" in text
    assert "proxy_next_upstream_tries 2;" in text
    assert ("proxy_ssl_verify on;" in text, "listen 8001 ssl;" in text, "https://services" in text) == (bool(tls),) * 3
