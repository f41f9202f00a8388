"""kubectl as it was before websockets: exec, attach, cp, run, debug and port-forward over SPDY/3.1."""

import dataclasses
import fcntl
import hashlib
import os
import pty
import random
import re
import select
import struct
import termios
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.browser.harness import HANG
from tests.services.conftest import Kubectl

pytestmark = pytest.mark.services
WITHOUT_WEBSOCKETS = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: served}
spec: {terminationGracePeriodSeconds: 0, containers: [{name: main, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: listening}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox, stdin: true, stdinOnce: true, command: [sh, -c, 'while read x; do echo "got $x"; done; exit 3']}]
"""


@pytest.fixture(scope="module")
def older(kubectl: Kubectl) -> Kubectl:
    found = dataclasses.replace(kubectl, environ=WITHOUT_WEBSOCKETS)
    found("apply", "-f", found.file("pods.yaml", PODS))
    found("wait", "--for=condition=Ready", "pod/served", "pod/listening", "--timeout=100s")
    return found


def test_exec_carries_both_streams_input_and_exit_codes(older: Kubectl) -> None:
    assert "SPDY/3.1" in older.run("exec", "served", "-v8", "--", "true")[2], "this kubectl speaks what is tested"
    assert older.run("exec", "served", "--", "sh", "-c", "echo out; echo err >&2; exit 7") == (
        7, "out\n", "err\ncommand terminated with exit code 7\n")
    assert older("exec", "-i", "served", "--", "cat", stdin="안녕 pods\n") == "안녕 pods\n"
    code, _, errors = older.run("exec", "served", "--", "nosuch")
    assert code == 1 and "executable file not found in $PATH" in errors
    assert older.run("exec", "nobody", "--", "ls")[::2] == (1, 'Error from server (NotFound): pods "nobody" not found\n')


def test_a_megabyte_goes_in_and_comes_out(older: Kubectl) -> None:
    text = "0123456789abcdef\n" * 60_000
    found = older("exec", "-i", "served", "--", "sh", "-c", "cat > /tmp/large; sha256sum < /tmp/large; cat /tmp/large", stdin=text)
    assert found == f"{hashlib.sha256(text.encode()).hexdigest()}  -\n{text}"


def test_a_tree_of_many_files_is_copied_in_and_out(older: Kubectl) -> None:
    pick = random.Random(1)
    for number in range(300):
        file = older.home / "tree" / f"d{number % 7}" / f"f{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pick.randbytes(pick.choice((0, 10, 3000))))
    older("cp", "tree", "served:/tmp/tree")
    older("cp", "served:/tmp/tree", "back")
    trees = [{file.relative_to(older.home / name): file.read_bytes() for file in (older.home / name).rglob("f*")} for name in ("tree", "back")]
    assert trees[0] == trees[1] and len(trees[0]) == 300


def test_a_terminal_has_its_size_and_control_c(older: Kubectl) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    process = older.start("exec", "-it", "served", "--", "sh", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    heard = ""

    def until(pattern: str) -> None:
        nonlocal heard
        while not re.search(pattern, heard):
            assert select.select([ours], [], [], HANG)[0], heard
            heard += os.read(ours, 4096).decode()
    try:
        until("# ")
        for typed, seen in ((b"stty size\r", "50 132"), (b"sleep 1000\r", "sleep 1000\r\n"), (b"\x03", r"\^C\r\n.*# "), (b"exit 4\r", "exit code 4")):
            os.write(ours, typed)
            until(seen)
        assert process.wait(HANG) == 4
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_attach_tells_no_exit_code_and_run_does(older: Kubectl) -> None:
    assert older.run("attach", "-i", "listening", stdin="one\ntwo\n")[:2] == (0, "got one\ngot two\n")
    code, out, errors = older.run("run", "once", "--image=busybox", "--restart=Never", "-i", "--rm", "--", "sh", "-c", "sleep 4; cat; exit 3",
                                  stdin="typed\n")
    assert code == 3 and "typed" in out and "couldn't attach" not in errors


def test_debug_attaches_to_its_new_container(older: Kubectl) -> None:
    found = older("debug", "served", "--image=busybox", "-i", "--profile=general", "--", "sh", "-c", "sleep 4; cat", stdin="to debug\n")
    assert "to debug" in found


def test_ports_are_forwarded_for_many_at_once(older: Kubectl) -> None:
    process = older.start("port-forward", "pod/served", ":80", ":81")
    assert process.stdout is not None and process.stderr is not None
    ports = re.findall(r"127.0.0.1:(\d+)", "".join(process.stdout.readline() for _ in range(4)))
    assert len(ports) == 2

    def ask(port: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=HANG) as answer:
            return bytes(answer.read())
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(b"Welcome to nginx!" in page for page in pool.map(ask, [ports[0]] * 16))
        with pytest.raises(OSError):
            ask(ports[1])
        assert "connection refused" in process.stderr.readline()
    finally:
        process.kill()
        process.communicate()
