"""Service declarations become hardened, complete container definitions; wrong ones are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from container_definitions import (
    ContainerDefinitionError,
    container_definitions,
    container_file_list,
    container_holders,
    container_jobs_due,
    container_mountpoints,
    container_retired,
    container_volumes,
)

SERVICE: dict[str, Any] = {
    "name": "web",
    "image": "x:1",
    "user": "101:101",
    "networks": ["back", {"name": "front", "address": "10.0.0.2"}],
    "memory": "64m",
    "healthcheck": {"test": ["CMD", "true"]},
    "files": [{"path": "/etc/web.conf", "content": "a"}, {"path": "/run/secrets/key", "secret": "hunter2"}],
    "volumes": [{"name": "data", "path": "/data"}],
}


def _one(**changes: Any) -> dict[str, Any]:
    return container_definitions([{**SERVICE, **changes}], "site", "/etc/panoramax/site")[0]


def test_further_networks_are_given_to_the_service_that_they_are_for() -> None:
    extra = {"web": [{"name": "access", "address": "10.1.0.9", "aliases": ["site"]}], "other": ["front"]}
    definition = container_definitions([SERVICE], "site", "/etc/x", extra)[0]
    assert definition["networks"][2:] == [
        {"name": "site-access", "aliases": ["web", "site"], "ipv4_address": "10.1.0.9"}
    ]


def test_a_holder_is_as_confined_as_any_container() -> None:
    (holder,) = container_holders(["back"], "site", "x:1")
    assert (holder["name"], holder["networks"][0]["name"]) == ("site-network-back", "site-back")
    assert (holder["held"], holder["user"], holder["memory"]) == (True, "65534:65534", "16m")
    assert holder["labels"]["org.private-panoramax"] == "site"


def test_only_who_asks_for_them_gets_the_graphics_cards() -> None:
    assert _one()["device_requests"] == []
    assert _one(gpus=False)["device_requests"] == []
    assert _one(gpus=True)["device_requests"] == [
        {"driver": "nvidia", "count": -1, "capabilities": [["gpu", "compute", "utility"]]}
    ]


def test_names_carry_the_project() -> None:
    definition = _one()
    assert definition["name"] == "site-web"
    assert [network["name"] for network in definition["networks"]] == ["site-back", "site-front"]
    assert definition["networks"][1]["ipv4_address"] == "10.0.0.2"
    assert all(network["aliases"] == ["web"] for network in definition["networks"])


def test_files_are_mounted_read_only_and_their_bodies_are_not_in_the_definition() -> None:
    definition = _one()
    assert {mount["target"]: mount["read_only"] for mount in definition["mounts"]} == {
        "/etc/web.conf": True,
        "/run/secrets/key": True,
        "/data": False,
    }
    assert "hunter2" not in str(definition)


def test_a_changed_file_changes_the_label_by_which_the_container_is_made_anew() -> None:
    files = [{"path": "/etc/web.conf", "content": "b"}, SERVICE["files"][1]]
    assert _one()["labels"] != _one(files=files)["labels"]
    assert _one()["labels"] == _one()["labels"]


def test_secret_files_belong_to_the_containers_user_alone() -> None:
    conf, key = container_file_list([SERVICE], "/etc/panoramax/site")
    assert (conf["mode"], conf["content"]) == ("0440", "a")
    assert (key["mode"], key["uid"], key["secret"]) == ("0400", 101, "hunter2")
    assert key["path"] == "/etc/panoramax/site/web/run_secrets_key"


def test_volumes_are_owned_by_their_writer() -> None:
    reader = {
        **SERVICE,
        "name": "reader",
        "user": "7:7",
        "volumes": [{"name": "data", "path": "/d", "read_only": True}],
    }
    definitions = container_definitions([reader, SERVICE], "site", "/etc/x")
    volumes = container_volumes(definitions)
    assert volumes == [{"name": "site-data", "uid": 101, "gid": 101}]
    results = [{"__container_volume": volumes[0], "volume": {"Mountpoint": "/v"}}, {"__container_volume": volumes[0]}]
    assert container_mountpoints(results) == [{"path": "/v", "uid": 101, "gid": 101, "mode": "0700"}]


def test_a_job_is_due_until_it_succeeded_with_this_very_definition() -> None:
    job = container_definitions([{**SERVICE, "healthcheck": None}], "site", "/etc/x", job=True)
    assert container_jobs_due(job, []) == job
    failed = {"Status": "Exited (1) 2 minutes ago", "Labels": job[0]["labels"]}
    assert container_jobs_due(job, [failed]) == job
    done = {"Status": "Exited (0) 2 minutes ago", "Labels": job[0]["labels"]}
    assert container_jobs_due(job, [done]) == []
    changed = container_definitions([{**SERVICE, "image": "x:2"}], "site", "/etc/x", job=True)
    assert container_jobs_due(changed, [done]) == changed


def test_a_service_that_is_not_declared_any_more_is_found() -> None:
    def labels(service: str, project: str = "site") -> dict[str, Any]:
        return {"Labels": {"org.private-panoramax": project, "org.private-panoramax.service": service}}

    running = [labels("worker-1"), labels("worker-2"), labels("api"), labels("worker-3", "other"), {"Labels": {}}]
    declared = [{"service": "worker-1"}]
    assert container_retired(running, "site", "worker-[0-9]+", declared) == ["site-worker-2"]
    assert container_retired(running, "site", "", declared) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"healthcheck": None}, "web: healthcheck missing"),
        ({"memory": None}, "web: memory missing"),
        ({"user": "root"}, "user is 'root'"),
        ({"user": "0:0"}, "not root"),
        ({"comand": ["x"]}, "web: unknown comand"),
        ({"files": [{"path": "/run/secrets/key", "secret": ""}]}, "/run/secrets/key: the secret is empty"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ContainerDefinitionError, match=message):
        _one(**change)
