"""What a command in a container says is taken whole, or not at all."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from panoramax_ops.errors import UnableError
from panoramax_ops.verify.executed import execute


class Result(NamedTuple):
    exit_code: int
    output: tuple[bytes | None, bytes | None]


@dataclass
class Losing:
    """Runs commands on this machine as Docker would in a container, and loses parts of what they say."""

    lost: list[slice] = field(default_factory=list)
    name: str = "site-api"
    runs: int = 0

    def exec_run(self, command: list[str], *, demux: bool) -> Result:
        assert demux
        self.runs += 1
        done = subprocess.run(command, capture_output=True, check=False)
        kept = done.stdout[self.lost.pop(0)] if self.lost else done.stdout
        return Result(done.returncode, (kept or None, done.stderr or None))


NOTHING, WITHOUT_FIRST, WITHOUT_LAST = slice(0, 0), slice(1, None), slice(0, -1)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["echo", "one  two"], 0, "one  two\n"),
        (["true"], 0, ""),
        (["sh", "-c", "printf x; exit 3"], 3, "x"),
        (["sh", "-c", "echo out; echo wrong >&2"], 0, "out\nwrong\n"),
        (["printf", "%s", "end"], 0, "end"),
    ],
)
def test_exit_code_and_output_are_those_of_the_command(command: list[str], code: int, said: str) -> None:
    assert execute(Losing(), command) == (code, said)


@pytest.mark.parametrize("lost", [NOTHING, WITHOUT_FIRST, WITHOUT_LAST])
def test_a_command_whose_output_was_lost_is_run_again(lost: slice) -> None:
    container = Losing([lost])
    assert execute(container, ["echo", "found"]) == (0, "found\n")
    assert container.runs == 2


def test_lost_output_is_never_an_empty_answer() -> None:
    with pytest.raises(UnableError, match="lost what echo said in site-api"):
        execute(Losing([NOTHING] * 3), ["echo", "found"])


def test_what_changes_something_is_not_run_again() -> None:
    container = Losing([NOTHING])
    with pytest.raises(UnableError):
        execute(container, ["echo", "deleted"], again=False)
    assert container.runs == 1


def test_a_program_that_is_not_there_is_told() -> None:
    code, said = execute(Losing(), ["no-such-program"])
    assert code == 127
    assert "no-such-program" in said
