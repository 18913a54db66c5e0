"""Read the tensors of a PyTorch checkpoint (`.pt`) without running its pickle.

A `.pt` file is a zip archive with one pickle (`*/data.pkl`) and one raw file per storage. Unpickling runs whatever the
file says, so this reader never does: it walks the opcodes with `pickletools`, which only parses, and builds inert
`Node` objects. No class is imported and nothing is called; a checkpoint can at worst be refused.
"""

import io
import pickletools
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

STORAGE_TYPES = {"torch HalfStorage": "<f2", "torch FloatStorage": "<f4", "torch LongStorage": "<i8"}
IGNORED = frozenset({"PROTO", "STOP", "FRAME"})
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
LITERALS = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"})


class CheckpointError(ValueError):
    """The file is not a checkpoint of the kind this reader knows."""


@dataclass
class Node:
    """What the pickle would have made: a name, the arguments of the call, and the state set afterwards."""

    name: str
    args: tuple[Any, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)
    items: dict[Any, Any] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        """An attribute of the object.

        Raises:
            CheckpointError: there is none of that name.
        """
        if key not in self.state:
            msg = f"{self.name} has no {key}"
            raise CheckpointError(msg)
        return self.state[key]

    def module(self, path: str) -> "Node":
        """The sub-module at a dotted path such as `0.conv`."""
        node = self
        for part in path.split("."):
            modules = node.get("_modules")
            if not isinstance(modules, Node) or part not in modules.items:
                msg = f"{node.name} has no module {part}"
                raise CheckpointError(msg)
            node = modules.items[part]
        return node


class _Mark:
    """Where the arguments of a MARK-terminated opcode begin."""


class _Machine:
    """Evaluates the few opcodes that checkpoints use, on inert values."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self.archive, self.root = archive, root
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.steps: dict[str, Callable[[], None]] = {
            "MARK": lambda: self.stack.append(_Mark()),
            "EMPTY_DICT": lambda: self.stack.append({}),
            "EMPTY_LIST": lambda: self.stack.append([]),
            "EMPTY_TUPLE": lambda: self.stack.append(()),
            "TUPLE": lambda: self.stack.append(tuple(self.until_mark())),
            "TUPLE1": lambda: self.stack.append(tuple(self.pop(1))),
            "TUPLE2": lambda: self.stack.append(tuple(self.pop(2))),
            "TUPLE3": lambda: self.stack.append(tuple(self.pop(3))),
            "APPEND": lambda: self.extend(self.pop(1)),
            "APPENDS": lambda: self.extend(self.until_mark()),
            "SETITEM": lambda: self.set_items(self.pop(2)),
            "SETITEMS": lambda: self.set_items(self.until_mark()),
            "REDUCE": self.call,
            "NEWOBJ": self.call,
            "BUILD": self.build,
            "BINPERSID": lambda: self.stack.append(self.storage(self.stack.pop())),
        }

    def pop(self, count: int) -> list[Any]:
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def until_mark(self) -> list[Any]:
        taken: list[Any] = []
        while not isinstance(value := self.stack.pop(), _Mark):
            taken.append(value)
        return taken[::-1]

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(values)

    def set_items(self, flat: list[Any]) -> None:
        target = self.stack[-1]
        items = target.items if isinstance(target, Node) else target
        items.update(zip(flat[::2], flat[1::2], strict=True))

    def call(self) -> None:
        function, args = self.pop(2)
        name = function.name if isinstance(function, Node) else str(function)
        if name == "torch._utils _rebuild_tensor_v2":
            self.stack.append(_tensor(*args[:4]))
        elif name == "torch._utils _rebuild_parameter":
            self.stack.append(args[0])
        else:
            self.stack.append(Node(name, args))

    def build(self) -> None:
        target, state = self.pop(2)
        if isinstance(target, Node) and isinstance(state, dict):
            target.state.update(state)
        self.stack.append(target)

    def storage(self, persistent_id: tuple[Any, ...]) -> NDArray[Any]:
        kind, key = persistent_id[1].name, str(persistent_id[2])
        if kind not in STORAGE_TYPES:
            msg = f"unknown storage {kind}"
            raise CheckpointError(msg)
        return np.frombuffer(self.archive.read(f"{self.root}/data/{key}"), STORAGE_TYPES[kind])

    def run(self, code: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(code):
            name = opcode.name
            if name in IGNORED:
                continue
            if name in self.steps:
                self.steps[name]()
            elif name in LITERALS:
                self.stack.append(argument)
            elif name in CONSTANTS:
                self.stack.append(CONSTANTS[name])
            elif name == "GLOBAL":
                self.stack.append(Node(str(argument)))
            elif name in ("BINPUT", "LONG_BINPUT"):
                self.memo[int(str(argument))] = self.stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                self.stack.append(self.memo[int(str(argument))])
            else:
                msg = f"opcode {name} is not used by checkpoints"
                raise CheckpointError(msg)
        return self.stack[-1]


def _tensor(storage: NDArray[Any], offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> NDArray[Any]:
    """The tensor a storage, offset, shape and strides (both in elements) describe, as a copy of its own.

    Raises:
        CheckpointError: it would reach outside its storage.
    """
    if offset < 0 or any(n < 0 for n in (*shape, *stride)) or len(shape) != len(stride):
        msg = "tensor with a negative or unequal layout"
        raise CheckpointError(msg)
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    if 0 not in shape and last >= storage.size:
        msg = "tensor reaches outside its storage"
        raise CheckpointError(msg)
    steps = tuple(s * storage.itemsize for s in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()


def read_checkpoint(data: bytes) -> Any:
    """The object tree of a checkpoint, as dicts, lists, arrays and `Node`s.

    Raises:
        CheckpointError: an opcode, storage or layout that this reader does not know.
    """
    archive = zipfile.ZipFile(io.BytesIO(data))
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        msg = "not a PyTorch checkpoint"
        raise CheckpointError(msg)
    machine = _Machine(archive, pickles[0].removesuffix("/data.pkl"))
    try:
        return machine.run(archive.read(pickles[0]))
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        msg = f"not the pickle of a checkpoint: {error!r}"
        raise CheckpointError(msg) from error
