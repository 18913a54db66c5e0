"""What is said about the images that a host is to have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from panoramax_ops.preflight import specifications
from panoramax_ops.preflight.run import ROLES
from panoramax_ops.preflight.settings import Settings
from panoramax_ops.preflight.sources import images

DEFAULTS = specifications.defaults(specifications.load_options(ROLES))
OURS = ("database", "keycloak", "api", "blurring", "website", "proxy")
REFERENCES = {name: f"{name}:1.2" for name in OURS}


def told(**values: Any) -> list[str]:
    settings = Settings("host", values, lambda value: value, DEFAULTS, Path("/inventory"))
    return [f"{problem.what}: {problem.remedy}" for problem in images(settings)]


@pytest.mark.parametrize("names", [[*OURS, "hello", "sgblur"], ["database"], ["blurring", "sgblur"]])
def test_each_of_several_hosts_is_told_of_the_images_of_all(names: list[str]) -> None:
    given = {**REFERENCES, "hello": "hello:1.2", "sgblur": "ghcr.io/cquest/sgblur:1.2"}
    services = {"site_extra_services": [{"role": "hello"}], "site_blurring_engine": "sgblur"}
    registry = {"images_source": "registry", "images_registry_references": given, "images_names": names}
    assert told(**registry, **services) == []
    assert [line.split(":")[0] for line in told(**{**registry, "images_names": ["database"]})] == [
        "images_registry_references.hello is no image of the site",
        "images_registry_references.sgblur is no image of the site",
    ]


def test_sgblur_needs_an_image_of_one_version() -> None:
    [missing] = told(site_blurring_engine="sgblur")
    assert "name site_sgblur_image as well" in missing
    [floating] = told(site_blurring_engine="sgblur", site_sgblur_image="ghcr.io/cquest/sgblur")
    assert "pin it by version or digest" in floating
    assert told(site_blurring_engine="sgblur", site_sgblur_image=f"ghcr.io/cquest/sgblur@sha256:{'a' * 64}") == []
