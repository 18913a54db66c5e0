"""Ansible module: one host's part in a Docker Swarm, by the engine's own interface.

Written against Engine API 1.41. Needs nothing on the host but Python, where `community.docker.docker_swarm` would need
Docker's SDK.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: swarm_member
short_description: Look at, begin, join, tidy or leave a Swarm
description:
  - V(look) changes nothing and tells the state of the host.
  - V(init) begins a Swarm, V(join) joins one; a host that is a member already is left alone.
  - V(tokens) returns what joins a Swarm. Run it with C(no_log).
  - V(tidy) runs on a manager. It gives the members the declared roles, makes them active again where somebody drained
    them, and forgets earlier lives of theirs (nodes that are down and have a member's host name).
  - V(leave) takes the host out of the Swarm if nothing of it is used any more.
options:
  action:
    type: str
    choices: [look, init, tokens, join, tidy, leave]
    required: true
    description: What to do.
  address:
    description: Address by which other hosts reach this one.
    type: str
  managers:
    description: Addresses of managers to join.
    type: list
    elements: str
  token:
    description: With V(join), what the manager gave.
    type: str
  address_pool:
    description: With V(init), networks in CIDR notation out of which the Swarm takes those that nobody gave a subnet.
    type: list
    elements: str
  data_port:
    description: With V(init), UDP port of the overlay networks.
    type: int
  members:
    description: With V(tidy), all members there should be, each with C(node) (identifier), C(hostname) and C(manager).
    type: list
    elements: dict
author: Private Panoramax
"""

RETURN = r"""
state: {description: inactive, pending, active, error or locked., type: str, returned: always}
node: {description: Identifier of this node., type: str, returned: always}
hostname: {description: Name of the host as the Swarm lists it., type: str, returned: always}
manager: {description: Whether it is a working manager., type: bool, returned: always}
error: {description: What the engine says is wrong., type: str, returned: always}
peers: {description: Identifiers of the managers that it knows., type: list, returned: always}
tokens: {description: What joins a worker or a manager., type: dict, returned: for tokens}
"""

DOCKER_SOCKET = "/var/run/docker.sock"
PORT = 2377
SETTLE_SECONDS = 60


class EngineError(Exception):
    """The engine refuses, or does not answer; the message is its own."""


class Engine:
    """The engine of this host."""

    def __init__(self, path: str = DOCKER_SOCKET) -> None:
        """Nothing is asked before the first call."""
        self._path = path

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; the answer's JSON, or None. Raises EngineError."""
        connection = http.client.HTTPConnection("docker", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(120)
        try:
            connection.sock.connect(self._path)
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/v1.41{path}", data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"the engine does not answer at {self._path}: {error}") from error
        finally:
            connection.close()
        content = json.loads(text) if text.strip() else None
        if answer.status >= 400:
            raise EngineError(str((content or {}).get("message", answer.reason)))
        return content


def look(engine: Engine) -> dict[str, Any]:
    """What the engine says of itself; see RETURN."""
    info = engine.call("GET", "/info")
    swarm = info["Swarm"]
    return {
        "state": swarm["LocalNodeState"],
        "node": swarm["NodeID"],
        "hostname": info["Name"],
        "manager": bool(swarm["ControlAvailable"]),
        "error": swarm["Error"],
        "peers": [manager["NodeID"] for manager in swarm["RemoteManagers"] or []],
    }


def settled(engine: Engine, seconds: float = SETTLE_SECONDS) -> dict[str, Any]:
    """The state once it is no longer on its way to another: an engine that has just started looks for its managers."""
    deadline = time.monotonic() + seconds
    while (found := look(engine))["state"] == "pending" and time.monotonic() < deadline:
        time.sleep(1)
    return found


def init(engine: Engine, address: str, pool: list[str], data_port: int) -> None:
    """Begin a Swarm with this host as its first manager."""
    engine.call(
        "POST",
        "/swarm/init",
        {
            "ListenAddr": f"{address}:{PORT}",
            "AdvertiseAddr": address,
            "DefaultAddrPool": pool,
            "SubnetSize": 24,
            "DataPathPort": data_port,
            "Spec": {},
        },
    )


def join(engine: Engine, address: str, managers: list[str], token: str) -> None:
    """Join the Swarm of those managers."""
    engine.call(
        "POST",
        "/swarm/join",
        {
            "ListenAddr": f"{address}:{PORT}",
            "AdvertiseAddr": address,
            "RemoteAddrs": [f"{manager}:{PORT}" for manager in managers],
            "JoinToken": token,
        },
    )


def tidy(engine: Engine, members: list[dict[str, Any]], *, check: bool) -> list[str]:
    """Bring roles and availability in step, and forget nodes that members were before. Returns what was done."""
    done = []
    wanted = {member["node"]: member for member in members}
    names = {member["hostname"] for member in members}
    nodes = {node["ID"]: node for node in engine.call("GET", "/nodes")}
    # Promotions first: there must be a manager at any moment.
    for identifier, member in sorted(wanted.items(), key=lambda item: not item[1]["manager"]):
        if identifier not in nodes:
            raise EngineError(f"{member['hostname']} is a member of another Swarm; there: docker swarm leave --force")
        spec = nodes[identifier]["Spec"]
        role = "manager" if member["manager"] else "worker"
        if spec["Role"] != role or spec["Availability"] != "active":
            done.append(f"{member['hostname']}: {spec['Role']}, {spec['Availability']} -> {role}, active")
            if not check:
                version = nodes[identifier]["Version"]["Index"]
                engine.call(
                    "POST",
                    f"/nodes/{identifier}/update?version={version}",
                    {**spec, "Role": role, "Availability": "active"},
                )
    for identifier, node in nodes.items():
        hostname = node["Description"].get("Hostname", "")
        if identifier not in wanted and hostname in names and node["Status"]["State"] == "down":
            done.append(f"{hostname}: forgot node {identifier}")
            if not check:
                if node["Spec"]["Role"] == "manager":
                    version = node["Version"]["Index"]
                    engine.call(
                        "POST", f"/nodes/{identifier}/update?version={version}", {**node["Spec"], "Role": "worker"}
                    )
                engine.call("DELETE", f"/nodes/{identifier}?force=1")
    return done


def in_use(engine: Engine) -> list[str]:
    """Names of the overlay networks that somebody made and this host knows."""
    networks = engine.call("GET", "/networks")
    return sorted(
        n["Name"] for n in networks if n["Driver"] == "overlay" and n["Scope"] == "swarm" and not n["Ingress"]
    )


def run(options: dict[str, Any], engine: Engine, *, check: bool) -> dict[str, Any]:
    """Do what is asked for. Raises EngineError."""
    found = settled(engine)
    action, changed, done = options["action"], False, []
    tokens: dict[str, Any] = {}
    if action == "init" and found["state"] == "inactive":
        changed = True
        if not check:
            init(engine, options["address"], options["address_pool"], options["data_port"])
    elif action == "join" and found["state"] == "inactive":
        changed = True
        if not check:
            join(engine, options["address"], options["managers"], options["token"])
    elif action == "tokens":
        answer = engine.call("GET", "/swarm")["JoinTokens"]
        tokens = {"tokens": {"worker": answer["Worker"], "manager": answer["Manager"]}}
    elif action == "tidy":
        done = tidy(engine, options["members"], check=check)
        changed = bool(done)
    elif action == "leave" and found["state"] != "inactive" and not in_use(engine):
        changed = True
        if not check:
            engine.call("POST", "/swarm/leave?force=1")
    return {"changed": changed, "done": done, **tokens, **(found if check or not changed else settled(engine))}


def main() -> None:
    """Entry point of the module."""
    member = {
        "node": {"type": "str", "required": True},
        "hostname": {"type": "str", "required": True},
        "manager": {"type": "bool", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "action": {
                "type": "str",
                "required": True,
                "choices": ["look", "init", "tokens", "join", "tidy", "leave"],
            },
            "address": {"type": "str"},
            "managers": {"type": "list", "elements": "str", "default": []},
            "token": {"type": "str", "no_log": True},
            "address_pool": {"type": "list", "elements": "str", "default": []},
            "data_port": {"type": "int", "default": 4789},
            "members": {"type": "list", "elements": "dict", "options": member, "default": []},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module.params, Engine(), check=bool(module.check_mode))
    except EngineError as error:
        module.fail_json(msg=f"Swarm, {module.params['action']}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
