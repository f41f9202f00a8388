"""The python images: Docker Hub's tags, and an interpreter of a good part of Python (program.py) that runs what a learner gives it.

    parsing -> scopes, compiling, statements (steps.py) -> machine.py, which runs them -> program.py, a process's turns

docs/decisions/simulated-python.md says why it is built so.
"""

from __future__ import annotations

from ...image import Entry, Image, add
from ..base import PATH, base_tree
from . import program

ENV = {"PATH": PATH}
PYTHON = {"usr": {"local": {"bin": {name: Entry(program=program.NAME, size=14_416) for name in ("python", "python3", "python3.13", "pip", "pip3")}}}}
PYTHON_TAGS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3", "latest", "2.7", "2")
add(
    Image(
        "docker.io/library/python",
        (*PYTHON_TAGS, "bookworm", "trixie"),
        base_tree("debian", PYTHON, extra=("curl",)),
        383_203_110,
        cmd=("python3",),
        env=ENV,
        stop_signal="SIGINT",
    )
)
add(
    Image(
        "docker.io/library/python",
        ("slim", *(f"{tag}-slim" for tag in PYTHON_TAGS if tag != "latest"), "3.12-slim-bookworm"),
        base_tree("debian", PYTHON),
        43_110_200,
        cmd=("python3",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/python",
        ("alpine", *(f"{tag}-alpine" for tag in PYTHON_TAGS if tag != "latest")),
        base_tree("alpine", PYTHON),
        17_320_880,
        cmd=("python3",),
        env=ENV,
    )
)
