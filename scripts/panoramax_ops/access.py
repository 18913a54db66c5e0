"""The way to the containers: directly on this machine, through one ssh connection elsewhere.

No service but the proxy publishes a port. On the host itself the containers answer at their addresses on a bridge of
the host: the network `back`, or where that spans several hosts `access`. For another host, ssh forwards Unix sockets in
a private directory, so no port is opened on this machine either.
"""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from panoramax_ops.errors import UnableError
from panoramax_ops.inventory import Host

DOCKER_SOCKET = "/var/run/docker.sock"
SSH_SECONDS = 30


@dataclass(frozen=True)
class Endpoint:
    """Where a service answers: `address`:`port`, and through the Unix socket `socket` where there is one.

    `authority` is the file of who vouches for the service, where the services talk TLS among themselves.
    """

    address: str
    port: int
    socket: Path | None = None
    authority: Path | None = None

    @property
    def url(self) -> str:
        """Base of the addresses that the service answers, without a slash at the end."""
        return f"{'https' if self.authority else 'http'}://{self.address}:{self.port}"

    def transport(self, **options: Any) -> httpx.HTTPTransport:
        """A way for httpx to get there. The certificate holds the address as well as the name."""
        verify = ssl.create_default_context(cafile=str(self.authority)) if self.authority else True
        return httpx.HTTPTransport(uds=str(self.socket) if self.socket else None, verify=verify, **options)


class Access:
    """An open way to the containers of one host. A context manager; leaving it ends the ssh connection."""

    def __init__(self, host: Host, project: str, authority: Path | None = None) -> None:
        """`project` is the prefix of the containers' names; `authority` vouches for services that talk TLS."""
        self._host = host
        self._project = project
        self._authority = authority
        self._stack = contextlib.ExitStack()
        self._directory: Path | None = None
        self._docker: Any = None

    def __enter__(self) -> Access:
        """Connect. Raises UnableError if ssh or Docker does not answer."""
        import docker

        try:
            if self._host.local:
                self._docker = docker.from_env(timeout=30)
            else:
                directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="panoramax-"))
                self._directory = Path(directory)
                self._start_ssh()
                self._docker = docker.DockerClient(base_url=f"unix://{self._directory}/docker.sock", timeout=30)
            self._docker.ping()
        except (docker.errors.DockerException, OSError) as error:
            self._stack.close()
            raise UnableError(
                f"Docker does not answer on {self._host.name}: {error}",
                "Is it running (docker ps), and may you use it (root, or the group docker)?",
            ) from error
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        if self._docker is not None:
            self._docker.close()
        self._stack.close()

    @property
    def engine(self) -> Any:
        """The Docker client (docker.DockerClient) of the host."""
        return self._docker

    def _ssh(self, *arguments: str) -> list[str]:
        assert self._directory is not None
        host = self._host
        command = ["ssh", "-o", f"ControlPath={self._directory}/control", "-o", "BatchMode=yes"]
        command += ["-o", "ExitOnForwardFailure=yes", "-o", f"ConnectTimeout={SSH_SECONDS}", *host.arguments]
        if host.port:
            command += ["-p", str(host.port)]
        if host.user:
            command += ["-l", host.user]
        if host.key_file:
            command += ["-i", str(Path(host.key_file).expanduser())]
        return [*command, *arguments, host.address]

    def _run(self, command: list[str], purpose: str) -> None:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SSH_SECONDS * 2, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnableError(f"{self._host.name}: {purpose} failed: {error}", "Is ssh installed here?") from error
        if done.returncode:
            raise UnableError(
                f"{self._host.name}: {purpose} failed: {done.stderr.strip()}",
                f"Try it by hand: ssh {self._host.address}",
            )

    def _start_ssh(self) -> None:
        """One connection in the background, which carries everything; forwards are added to it."""
        socket = f"{self._directory}/docker.sock:{DOCKER_SOCKET}"
        self._run(self._ssh("-M", "-N", "-f", "-L", socket), "the ssh connection")
        self._stack.callback(subprocess.run, self._ssh("-O", "exit"), capture_output=True, check=False)

    def container_address(self, service: str) -> str:
        """Address of a running container on its network. Raises UnableError if it does not run."""
        import docker

        name = f"{self._project}-{service}"
        try:
            container = self._docker.containers.get(name)
        except docker.errors.NotFound as error:
            raise UnableError(
                f"There is no container {name} on {self._host.name}.", "Deploy the site first: make deploy"
            ) from error
        networks = container.attrs["NetworkSettings"]["Networks"]
        # A host has no way into a network that spans several: there, `access` is its own.
        reachable = [networks[name] for name in (f"{self._project}-access",) if name in networks] or networks.values()
        address = next((str(network["IPAddress"]) for network in reachable if network["IPAddress"]), "")
        if container.status != "running" or not address:
            raise UnableError(
                f"The container {name} on {self._host.name} is {container.status}.",
                f"See why: docker logs {name}; start it: docker start {name}",
            )
        return address

    def reach(self, service: str, port: int, socket_name: str = "") -> Endpoint:
        """Where the port of a service can be reached from here, for as long as this access is open.

        `socket_name` is the file name that the client wants its Unix socket to have (PostgreSQL's is fixed).
        """
        address = self.container_address(service)
        if self._directory is None:
            return Endpoint(address, port, None, self._authority)
        socket = self._directory / (socket_name or f"{service}.sock")
        self._run(self._ssh("-O", "forward", "-L", f"{socket}:{address}:{port}"), f"the way to {service}")
        return Endpoint(address, port, socket, self._authority)


@contextlib.contextmanager
def open_access(hosts: dict[str, Host], project: str, authority: Path | None = None) -> Iterator[dict[str, Access]]:
    """One access per key of `hosts`; those of the same host share one."""
    with contextlib.ExitStack() as stack:
        opened: dict[Host, Access] = {}
        for host in hosts.values():
            if host not in opened:
                opened[host] = stack.enter_context(Access(host, project, authority))
        yield {service: opened[host] for service, host in hosts.items()}
