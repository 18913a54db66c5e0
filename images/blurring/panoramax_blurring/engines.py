"""Run ONNX models by OpenVINO or ONNX Runtime.

The runtimes are imported when they are used: only the chosen one takes memory.
"""

import importlib
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .settings import Settings

Outputs = list[NDArray[np.float32]]
#: compiled input shapes kept per network, some 20 to 50 MB each: most pictures need three, compiling takes 0.15 s
MAX_SHAPES = 3


class Network(Protocol):
    """A loaded model."""

    def __call__(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Outputs of the model for one tile, BGR uint8[h, w, 3]; h and w are multiples of 32."""


class Engine(Protocol):
    """Something that loads models."""

    name: str

    def load(self, path: Path, scale: float) -> Network:
        """A network whose input is RGB divided by `scale`."""


def thread_count(settings: Settings) -> int:
    """Threads for the networks: the setting, or the processors this process may run on."""
    return settings.threads or len(os.sched_getaffinity(0))


class OpenVinoEngine:
    """Intel's runtime: fastest on x86 and ARM processors; uses bf16 where the processor has it."""

    def __init__(self, threads: int) -> None:
        self.api: Any = importlib.import_module("openvino")
        self.core: Any = self.api.Core()
        capabilities = self.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bf16" if "BF16" in capabilities else "f32"
        self.name = f"openvino {precision}"
        self.options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Pinned threads of several processes end up on the same core.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": precision,
        }

    def load(self, path: Path, scale: float) -> Network:
        """See Engine."""
        return _OpenVinoNetwork(self, path, scale)


class _OpenVinoNetwork:
    def __init__(self, engine: OpenVinoEngine, path: Path, scale: float) -> None:
        self.engine, self.path, self.scale = engine, path, scale
        self.requests: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def _compile(self, shape: tuple[int, ...]) -> Any:
        api = self.engine.api
        model = self.engine.core.read_model(str(self.path))
        model.reshape({model.inputs[0].any_name: [1, 3, shape[0], shape[1]]})
        steps = api.preprocess.PrePostProcessor(model)
        tensor = steps.input().tensor()
        tensor.set_element_type(api.Type.u8).set_layout(api.Layout("NHWC"))
        tensor.set_color_format(api.preprocess.ColorFormat.BGR)
        steps.input().model().set_layout(api.Layout("NCHW"))
        chain = steps.input().preprocess().convert_element_type(api.Type.f32)
        chain.convert_color(api.preprocess.ColorFormat.RGB)
        if self.scale != 1.0:
            chain.scale(self.scale)
        return self.engine.core.compile_model(steps.build(), "CPU", self.engine.options).create_infer_request()

    def __call__(self, pixels: NDArray[np.uint8]) -> Outputs:
        shape = pixels.shape
        if shape in self.requests:
            self.requests.move_to_end(shape)
        else:
            while len(self.requests) >= MAX_SHAPES:
                self.requests.popitem(last=False)
            self.requests[shape] = self._compile(shape)
        request = self.requests[shape]
        request.infer({0: pixels[None]})
        return [np.array(tensor.data, np.float32) for tensor in request.output_tensors]


class OnnxRuntimeEngine:
    """Microsoft's runtime: runs everywhere; the build with CUDA also on NVIDIA cards."""

    def __init__(self, threads: int, device: str) -> None:
        self.api: Any = importlib.import_module("onnxruntime")
        self.threads = threads
        cuda = device != "cpu" and self.has_cuda()
        if device == "cuda" and not cuda:
            msg = "BLUR_DEVICE=cuda: this image has no onnxruntime with CUDA, or there is no NVIDIA card"
            raise ModelError(msg)
        self.provider = "CUDAExecutionProvider" if cuda else "CPUExecutionProvider"
        # Trying out every algorithm, the default, would take seconds for each of a picture's many shapes of tiles.
        self.provider_options = {"cudnn_conv_algo_search": "HEURISTIC"} if cuda else {}
        self.name = "onnxruntime cuda" if cuda else "onnxruntime cpu"
        if cuda:
            # CUDA and cuDNN come as packages, where the linker does not look.
            self.api.preload_dlls()

    @staticmethod
    def has_cuda() -> bool:
        """Whether the installed onnxruntime was built with CUDA and the machine has an NVIDIA card."""
        if not Path("/dev/nvidiactl").exists():
            return False
        return "CUDAExecutionProvider" in importlib.import_module("onnxruntime").get_available_providers()

    def load(self, path: Path, scale: float) -> Network:
        """See Engine."""
        options = self.api.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        # Spinning threads steal the processor from the neighbours (PostgreSQL, the API) on a small host.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Some 200 MB that stay with it: giving the buffers back after every tile costs a fifth of the time.
        options.enable_cpu_mem_arena = True
        session = self.api.InferenceSession(str(path), options, providers=[(self.provider, self.provider_options)])
        # It goes on with the processor if the card cannot be used, and only logs that.
        if session.get_providers()[0] != self.provider:
            msg = (
                f"{path.name}: {self.provider} could not be used; CUDA 13 needs a driver of version 580 or newer,"
                " and Docker has to hand out its libraries (nvidia-container-toolkit)"
            )
            raise ModelError(msg)
        name = session.get_inputs()[0].name

        def run(pixels: NDArray[np.uint8]) -> Outputs:
            planes = np.empty((1, 3, *pixels.shape[:2]), np.float32)
            planes[0] = pixels[:, :, ::-1].transpose(2, 0, 1)
            planes /= np.float32(scale)
            return list(session.run(None, {name: planes}))

        return run
