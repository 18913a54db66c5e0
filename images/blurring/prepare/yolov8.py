"""Write the ONNX graph of a YOLOv8 detector from the tensors of its checkpoint.

The architecture is public (a chain of 22 modules and a head); the checkpoint's own module tree is walked, so widths and
repeats come from the file. The graph ends at the six raw head convolutions (box distribution and class score at
strides 8, 16, 32): any tile whose sides are multiples of 32 can be used, and boxes are decoded for hits only.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .checkpoint import CheckpointError, Node

OPSET = 17


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def op(self, kind: str, inputs: list[str], *, outputs: int = 1, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}.{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=name, **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def convolution(self, conv: Node, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        pad, stride = conv.get("padding"), conv.get("stride")
        inputs = [x, self.constant(weight), self.constant(bias)]
        shape = list(weight.shape[2:])
        return self.op("Conv", inputs, kernel_shape=shape, strides=list(stride), pads=[*pad, *pad])


def _weights(module: Node, name: str) -> NDArray[np.float32]:
    for group in ("_parameters", "_buffers"):
        tensors = module.get(group)
        items = tensors.items if isinstance(tensors, Node) else tensors
        if items.get(name) is not None:
            return np.asarray(items[name], np.float32)
    msg = f"{module.name} has no tensor {name}"
    raise CheckpointError(msg)


def _conv(g: _Graph, module: Node, x: str) -> str:
    """Convolution + batch normalisation (folded into the weights) + SiLU."""
    conv, norm = module.module("conv"), module.module("bn")
    gain = _weights(norm, "weight") / np.sqrt(_weights(norm, "running_var") + np.float32(norm.get("eps")))
    weight = _weights(conv, "weight") * gain[:, None, None, None]
    y = g.convolution(conv, x, weight, _weights(norm, "bias") - _weights(norm, "running_mean") * gain)
    return g.op("Mul", [y, g.op("Sigmoid", [y])])


def _bottlenecks(module: Node) -> list[Node]:
    return [module.module(f"m.{key}") for key in module.module("m").get("_modules").items]


def _c2f(g: _Graph, module: Node, x: str) -> str:
    half = int(module.get("c"))
    split = g.op("Split", [_conv(g, module.module("cv1"), x), g.constant(np.array([half, half]))], outputs=2, axis=1)
    parts = [f"{split}.0", f"{split}.1"]
    for block in _bottlenecks(module):
        y = _conv(g, block.module("cv2"), _conv(g, block.module("cv1"), parts[-1]))
        parts.append(g.op("Add", [parts[-1], y]) if block.get("add") else y)
    return _conv(g, module.module("cv2"), g.op("Concat", parts, axis=1))


def _sppf(g: _Graph, module: Node, x: str) -> str:
    size = int(module.module("m").get("kernel_size"))
    parts = [_conv(g, module.module("cv1"), x)]
    for _ in range(3):
        parts.append(g.op("MaxPool", [parts[-1]], kernel_shape=[size] * 2, strides=[1, 1], pads=[size // 2] * 4))
    return _conv(g, module.module("cv2"), g.op("Concat", parts, axis=1))


def _head(g: _Graph, detect: Node, inputs: list[str]) -> list[str]:
    outputs = []
    for level, x in enumerate(inputs):
        for branch in ("cv2", "cv3"):
            stages = detect.module(f"{branch}.{level}")
            y = _conv(g, stages.module("1"), _conv(g, stages.module("0"), x))
            last = stages.module("2")
            outputs.append(g.convolution(last, y, _weights(last, "weight"), _weights(last, "bias")))
    return outputs


def build_graph(model: Node) -> onnx.ModelProto:
    """ONNX model of a `DetectionModel` node.

    Input `images` float32 [B, 3, H, W], RGB in 0..1. Outputs: for strides 8, 16, 32 the box distribution
    [B, 64, h, w] and the score logits [B, classes, h, w].

    Raises:
        CheckpointError: a module this builder does not know.
    """
    g = _Graph()
    layers = list(model.module("model").get("_modules").items.values())
    done: list[str] = []
    outputs: list[str] = []
    for layer in layers:
        kind, sources = layer.name.rsplit(" ", 1)[-1], layer.get("f")
        absolute = [sources] if isinstance(sources, int) else list(sources)
        inputs = [(done[s] if done else "images") if s == -1 else done[s] for s in absolute]
        if kind == "Conv":
            done.append(_conv(g, layer, inputs[0]))
        elif kind == "C2f":
            done.append(_c2f(g, layer, inputs[0]))
        elif kind == "SPPF":
            done.append(_sppf(g, layer, inputs[0]))
        elif kind == "Upsample":
            scales = g.constant(np.array([1, 1, 2, 2], np.float32))
            done.append(g.op("Resize", [inputs[0], "", scales], mode="nearest", nearest_mode="floor",
                             coordinate_transformation_mode="asymmetric"))  # fmt: skip
        elif kind == "Concat":
            done.append(g.op("Concat", inputs, axis=1))
        elif kind == "Detect":
            outputs = _head(g, layer, inputs)
        else:
            msg = f"unknown module {layer.name}"
            raise CheckpointError(msg)
    shape = ["B", None, None, None]
    graph = helper.make_graph(
        g.nodes,
        "yolov8",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["B", 3, "H", "W"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
        g.weights,
    )
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(result)
    return result
