"""The blurring takes what is faster on the machine it starts on, and does its work with either.

The instructions of newer processors are switched off for OpenVINO, as on an older machine: ONNX Runtime does not know
that switch (oneDNN's ONEDNN_MAX_CPU_ISA).
"""

from __future__ import annotations

import ast

import docker
import pytest

from blurring_alone import assert_blurs, running, until_ready, until_said
from conftest import Site

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("switched_off", [{}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}], ids=["as it is", "AVX2 at most"])
def test_the_faster_engine_is_taken_and_blurs(
    site: Site, engine: docker.DockerClient, switched_off: dict[str, str]
) -> None:
    like = engine.containers.get(f"{site.project}-blurring").attrs
    limit = like["HostConfig"]["Memory"]
    settings = {**switched_off, "BLUR_ENGINE": "auto"}
    with running(engine, site.project, like["Config"]["Image"], settings, mem_limit=limit) as container:
        ready = until_ready(container)
        measured = until_said(container, r"seconds per tile: (\{.*\})")[1].replace(" inf", " 'inf'")
        times = {name: float(seconds) for name, seconds in ast.literal_eval(measured).items()}
        fastest = min(times, key=lambda name: times[name])
        assert ready.startswith(fastest), (ready, times)
        assert_blurs(container, engine, site.project)
