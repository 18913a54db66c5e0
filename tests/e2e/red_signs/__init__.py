"""A service of an operator's own, as a role: it finds red signs, by their colour, and fails when it is told to.

The files of the role are written by the test: docs/adding-a-service.md says what belongs into one.
"""

from pathlib import Path

NAME = "redsigns"
DETECTOR = Path(__file__).with_name("detector.py").read_text(encoding="utf-8")
FILES = {
    "image/Dockerfile": """\
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pil && rm -rf /var/lib/apt/lists/*
COPY detector.py /detector.py
USER 10021:10021
CMD ["python3", "/detector.py"]
""",
    "image/detector.py": DETECTOR,
    "meta/argument_specs.yml": """\
---
argument_specs:
  main:
    short_description: Find red signs
    options:
      redsigns_image:
        description: Image of the service.
        type: str
        required: true
""",
    "tasks/main.yml": """\
---
- name: Find red signs
  ansible.builtin.include_role:
    name: container
  vars:
    container_services:
      - name: redsigns
        image: "{{ redsigns_image }}"
        user: "10021:10021"
        tmpfs: {/tmp: "size=1m,mode=1777"}
        networks: [back]
        memory: 256m
        healthcheck: {test: [CMD, python3, -c, "import socket; socket.create_connection(('127.0.0.1', 8000))"]}
""",
}
