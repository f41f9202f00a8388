"""cloudnatived/demo, the applications of Cloud Native DevOps with Kubernetes: each tag greets with what it was told, in its own way.

Source: main.go of each folder of the book's repository (cloudnativedevops/demo): hello-config-args, hello-config-env, hello-config-file,
hello-secret-env, hello-secret-file.
"""

from __future__ import annotations

import json
import re

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import Entry, Image, add, canonical
from ..process import Errno, Process
from ..program import MEBIBYTE
from ..serving import go_runtime_ends, web_program
from ..system import Sys
from .flags import go_flag

PORT = 8888
SETTINGS = {"hello-config-file": "/config/demo.yaml", "hello-secret-file": "/secrets/magicWord"}
TAGS = ("hello", "hello-config-args", "hello-config-env", "hello-config-file", "hello-secret-env", "hello-secret-file", "latest")
GREETING = re.compile(r"^greeting:[ \t]*(.*?)[ \t]*$", re.M)


def _start(proc: Process, sys: Sys) -> int | str:
    tag = canonical(sys.container["image"])[1]
    told = "Hello"
    if tag == "hello-config-args":
        told = go_flag(proc, "greeting")
    elif tag == "hello-config-env":
        told = proc["env"].get("GREETING", "")
    elif tag == "hello-secret-env":
        told = proc["env"].get("MAGIC_WORD", "")
    elif tag in SETTINGS:
        try:
            told = sys.read_file(SETTINGS[tag])
        except Errno as error:
            return f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} open {SETTINGS[tag]}: {error.text.lower()}\n"
        if tag == "hello-config-file":
            found = GREETING.search(told)
            told = found[1].strip("\"'") if found else ""
    proc["data"].update(told=told, secret=tag.startswith("hello-secret"))
    return PORT


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    told = proc["data"]["told"]
    return text_answer(f"The magic word is {json.dumps(told, ensure_ascii=False)}" if proc["data"]["secret"] else f"{told}, 世界\n")


web_program("cloudnatived-demo", _start, _answer, memory=3 * MEBIBYTE, signal=go_runtime_ends)
add(Image("docker.io/cloudnatived/demo", TAGS, {"bin": {"demo": Entry(program="cloudnatived-demo", size=6_500_000)}}, 3_300_000,
          entrypoint=("/bin/demo",), env={"PATH": "/bin"}, ports=(PORT,)))  # fmt: skip
