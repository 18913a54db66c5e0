"""A host's part in the Swarm, decided from what the engine says."""

from __future__ import annotations

from typing import Any

import pytest

from swarm_member import Engine, EngineError, in_use, run, tidy


class Told(Engine):
    """An engine that gives prepared answers and remembers what it was told."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__("/nowhere")
        self._answers = answers
        self.told: list[tuple[str, str, Any]] = []

    def call(self, method: str, path: str, body: Any = None) -> Any:
        if method == "GET":
            return self._answers[path]
        self.told.append((method, path, body))
        return None


def _info(state: str, **swarm: Any) -> dict[str, Any]:
    known = {"NodeID": "n1", "ControlAvailable": False, "Error": "", "RemoteManagers": None}
    return {"/info": {"Name": "one", "Swarm": {**known, "LocalNodeState": state, **swarm}}}


def _options(action: str, **options: Any) -> dict[str, Any]:
    return {"action": action, "address": "10.0.0.1", "managers": ["10.0.0.2"], "token": "t", "address_pool": [],
            "data_port": 4789, "members": [], **options}  # fmt: skip


def _node(identifier: str, hostname: str, role: str = "worker", state: str = "ready", **spec: Any) -> dict[str, Any]:
    return {
        "ID": identifier,
        "Version": {"Index": 7},
        "Spec": {"Role": role, "Availability": "active", **spec},
        "Description": {"Hostname": hostname},
        "Status": {"State": state},
    }


@pytest.mark.parametrize("action", ["init", "join"])
def test_only_a_host_that_is_no_member_begins_or_joins(action: str) -> None:
    inactive, active = Told(_info("inactive")), Told(_info("active"))
    assert run(_options(action), inactive, check=False)["changed"]
    assert inactive.told[0][:2] == ("POST", f"/swarm/{action}")
    assert inactive.told[0][2]["AdvertiseAddr"] == "10.0.0.1"
    assert not run(_options(action), active, check=False)["changed"]
    assert active.told == []


def test_check_mode_tells_the_engine_nothing() -> None:
    engine = Told(_info("inactive"))
    assert run(_options("init"), engine, check=True)["changed"]
    assert engine.told == []


def test_looking_gives_no_token_away() -> None:
    found = run(
        _options("look"),
        Told({**_info("active"), "/swarm": {"JoinTokens": {"Worker": "w", "Manager": "m"}}}),
        check=False,
    )
    assert "tokens" not in found


def test_members_in_step_are_left_alone() -> None:
    engine = Told({"/nodes": [_node("a", "one", "manager"), _node("b", "two"), _node("x", "stranger", state="down")]})
    members = [{"node": "a", "hostname": "one", "manager": True}, {"node": "b", "hostname": "two", "manager": False}]
    assert tidy(engine, members, check=False) == []
    assert engine.told == []


def test_promotions_come_before_demotions_and_drained_nodes_come_back() -> None:
    engine = Told({"/nodes": [_node("a", "one", "manager"), _node("b", "two", Availability="drain")]})
    members = [{"node": "a", "hostname": "one", "manager": False}, {"node": "b", "hostname": "two", "manager": True}]
    assert len(tidy(engine, members, check=False)) == 2
    assert [(path, body["Role"], body["Availability"]) for _, path, body in engine.told] == [
        ("/nodes/b/update?version=7", "manager", "active"),
        ("/nodes/a/update?version=7", "worker", "active"),
    ]


def test_the_earlier_life_of_a_host_is_forgotten() -> None:
    nodes = [_node("a", "one", "manager"), _node("old", "one", "manager", "down"), _node("up", "one", state="ready")]
    engine = Told({"/nodes": nodes})
    assert tidy(engine, [{"node": "a", "hostname": "one", "manager": True}], check=False) == ["one: forgot node old"]
    assert [told[:2] for told in engine.told] == [
        ("POST", "/nodes/old/update?version=7"),
        ("DELETE", "/nodes/old?force=1"),
    ]


def test_a_member_of_another_swarm_is_named() -> None:
    with pytest.raises(EngineError, match="two is a member of another Swarm"):
        tidy(Told({"/nodes": []}), [{"node": "b", "hostname": "two", "manager": False}], check=False)


def test_a_swarm_that_carries_networks_is_not_left() -> None:
    ingress = {"Name": "ingress", "Driver": "overlay", "Scope": "swarm", "Ingress": True}
    other = {"Name": "other-back", "Driver": "overlay", "Scope": "swarm", "Ingress": False}
    bridge = {"Name": "bridge", "Driver": "bridge", "Scope": "local", "Ingress": False}
    used = Told({**_info("active"), "/networks": [ingress, other, bridge]})
    free = Told({**_info("active"), "/networks": [ingress, bridge]})
    assert in_use(used) == ["other-back"]
    assert not run(_options("leave"), used, check=False)["changed"]
    assert run(_options("leave"), free, check=False)["changed"]


def test_an_engine_that_is_not_there_is_said_so() -> None:
    with pytest.raises(EngineError, match="does not answer at /nowhere"):
        Engine("/nowhere").call("GET", "/info")
