"""The machine's own kubectl against the real server in a process of its own."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.browser.harness import HANG, Server
from tests.browser.learner import Socket, own_address, start

LESSON = "what-is-a-container"
RATE = 4.0  # virtual seconds a real second: tests wait less

CONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: podlab, cluster: {{server: "{server}"}}}}]
users: [{{name: me, user: {{}}}}]
contexts: [{{name: podlab, context: {{cluster: podlab, user: me, namespace: {namespace}}}}}]
current-context: podlab
"""

# On a busy machine the server's first message, which is empty and says that the line is open, can come before kubectl knows its own streams.
EARLY = re.compile(r"^E\d{4} \S+ +\d+ websocket\.go:\d+\] Unknown stream id \d+, discarding message\n", re.MULTILINE)


@dataclass
class Kubectl:
    """kubectl with a home and a kubeconfig of its own."""

    home: Path
    server: str
    environ: Mapping[str, str] = field(default_factory=dict)

    def start(self, *words: str, **options: object) -> "subprocess.Popen[str]":
        environ = {**os.environ, "HOME": str(self.home), "KUBECONFIG": str(self.home / "config"), "KUBE_EDITOR": "false", **self.environ}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(["kubectl", *words], cwd=self.home, env=environ, text=True, **{**pipes, **options})

    def run(self, *words: str, stdin: str = "", seconds: float = 2 * HANG) -> tuple[int, str, str]:
        """(exit code, stdout, stderr without what the client logs of itself)."""
        process = self.start(*words)
        try:
            out, err = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"kubectl {' '.join(words)} did not end in {seconds} s: {out} {err}")
        return process.returncode, out, EARLY.sub("", err)

    def __call__(self, *words: str, stdin: str = "") -> str:
        """What a command prints; it must succeed."""
        code, out, err = self.run(*words, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(words)}: exit code {code}\n{out}{err}"
        return out

    def file(self, name: str, text: str) -> str:
        (self.home / name).write_text(text)
        return name


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on PATH")
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    running.stop()
    assert "Traceback" not in running.read_log(), running.read_log()


def token_of(server: Server) -> str:
    """A new learner's token for the API of their cluster, whose time runs at RATE."""
    cookie = start(server, "학습자")
    address = own_address(server, cookie, LESSON)
    with Socket(server, cookie, LESSON) as page:
        page.send(action="rate", rate=RATE)
        page.until('aria-label="4배로" aria-pressed="true"')
    return address.rpartition("/")[2]


@pytest.fixture(scope="module")
def kubectl(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """A new learner's cluster a module, with the namespace `suite` to work in."""
    home = tmp_path_factory.mktemp("home")
    found = Kubectl(home, f"{server.url}/k8s/{token_of(server)}")
    found.file("config", CONFIG.format(server=found.server, namespace="suite"))
    found("create", "namespace", "suite")
    return found
