"""Prepare the two detectors that their packages ship as ONNX files."""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper, version_converter
from onnx.tools.update_model_dims import update_inputs_outputs_dims
from onnx.utils import Extractor

CENTERFACE_OUTPUTS = {"537": 1, "538": 2, "539": 2}


def prepare_centerface(data: bytes) -> onnx.ModelProto:
    """CenterFace with free batch and size; outputs heat map [B,1,h,w], log size [B,2,h,w], offset [B,2,h,w].

    The original lists its weights as graph inputs too, which keeps every runtime from folding the batch
    normalisations (2.4 times slower).
    """
    model = onnx.load_from_string(data)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = 8
    dims = {name: ["B", count, "h", "w"] for name, count in {**CENTERFACE_OUTPUTS, "540": 10}.items()}
    model = update_inputs_outputs_dims(model, {inputs[0].name: ["B", 3, "H", "W"]}, dims)
    kept = [value for value in model.graph.output if value.name in CENTERFACE_OUTPUTS]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    used = {name for node in model.graph.node for name in node.input}
    initializers = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(initializers)
    return version_converter.convert_version(model, 13)


def _to_single(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))


def prepare_platedet(data: bytes) -> onnx.ModelProto:
    """The plate detector in single precision, cut at its raw head (see yolov8.py for the outputs).

    CPUs convert its half precision to single on every run anyway; the mask branch is a quarter of the work.
    """
    model = onnx.load_from_string(data)
    graph = model.graph
    for tensor in graph.initializer:
        _to_single(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _to_single(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    heads = [f"/model.22/cv{k}.{i}/cv{k}.{i}.2/Conv_output_0" for i in range(3) for k in (2, 3)]
    cut = Extractor(onnx.shape_inference.infer_shapes(model)).extract_model(["images"], heads)
    for value in [*cut.graph.input, *cut.graph.output]:
        shape = value.type.tensor_type.shape
        for axis in (0, 2, 3):
            shape.dim[axis].dim_param = f"{value.name}_{axis}" if value in cut.graph.output else "BCHW"[axis]
    del cut.graph.value_info[:]
    onnx.checker.check_model(cut)
    return cut
