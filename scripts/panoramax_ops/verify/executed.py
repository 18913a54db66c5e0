"""Commands in containers, whose output counts only if it is whole.

Docker may say that a command ended well and yet lose what it printed: the first bytes through ssh, on a busy machine
everything (seen once in some ten thousand commands, with Docker 20.10). Taken for an empty answer, that would be
"nothing was found".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from panoramax_ops.errors import UnableError

BEGIN, END = "begin\n", "\nend"
PROGRAM = 'echo begin; "$@"; code=$?; printf "\\nend"; exit $code'
TRIES = 3


def execute(container: Any, command: Sequence[str], *, again: bool = True) -> tuple[int, str]:
    """Run a command in a container that has a shell. Returns exit code and output, standard error last.

    Args:
        container: as Docker's client knows it.
        command: program and arguments.
        again: whether it may be run once more if its output is lost.

    Raises:
        UnableError: it ended well, but what it said was lost.
    """
    code, said, errors = 0, "", ""
    for _ in range(TRIES if again else 1):
        result = container.exec_run(["sh", "-c", PROGRAM, "sh", *command], demux=True)
        code = int(result.exit_code)
        said, errors = ((stream or b"").decode(errors="replace") for stream in result.output)
        if said.startswith(BEGIN) and said.endswith(END):
            return code, said[len(BEGIN) : -len(END)] + errors
    if code == 0:
        raise UnableError(
            f"Docker lost what {command[0]} said in {container.name}.", "Is the host very busy? Run this again."
        )
    return code, said + errors
