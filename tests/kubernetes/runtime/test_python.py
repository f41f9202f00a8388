"""The simulated Python: what it prints is what this machine's CPython prints; servers, signals, memory, and programs that mean harm."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.kubernetes.runtime import certificates
from tests.kubernetes.runtime.lab import Lab
from tests.kubernetes.runtime.machine import Machine
from tests.kubernetes.runtime.python_faults import FAULTS
from tests.kubernetes.runtime.python_pages import PAGES
from tests.kubernetes.runtime.python_programs import PROGRAMS as SHORT

PROGRAMS = SHORT + FAULTS + PAGES

VERSION = f"python:3.{sys.version_info.minor}"
pytestmark = pytest.mark.slow
HERE = "/srv/t.py"
Told = tuple[str, str, int | None]


def simulated(text: str, stdin: str = "", ms: int = 60_000, command: tuple[str, ...] = ("python", HERE), image: str = VERSION) -> Told:
    machine = Machine()
    machine.pod()
    made = machine.node.create_container("pod-1", "c", image=image, command=["sleep", "1000000"])
    machine.node.start_container(made)
    machine.execute(made, "sh", "-c", f"cat > {HERE}", stdin=text, ms=1000)
    found = machine.execute(made, *command, stdin=stdin, ms=ms)
    assert machine.node.crashes == []
    return found


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_prints_what_cpython_prints(number: int, tmp_path: Path) -> None:
    text, stdin = PROGRAMS[number]
    path = tmp_path / "t.py"
    path.write_text(text)
    real = subprocess.run([sys.executable, str(path)], input=stdin, capture_output=True, text=True)
    out, err = (one.replace(str(path), HERE) for one in (real.stdout, real.stderr))
    assert simulated(text, stdin) == (out, err, real.returncode)


@pytest.mark.parametrize("release, pointed", [("3.11", "           ^^^^^^\n"), ("3.12", ""), ("3.13", "           ^^^^^^\n")])
def test_what_a_failed_assert_points_at_changed_between_releases(release: str, pointed: str) -> None:
    told = simulated("assert 1 == 2, 'no'\n", image=f"python:{release}")[1].split("'no'\n")[1]
    assert told == pointed + "AssertionError: no\n"


def test_what_is_printed_waits_in_a_buffer_unless_flushed() -> None:
    text = "import time\nprint('held')\nprint('more', flush=%s)\ntime.sleep(100)\n"
    assert simulated(text % "False", ms=5000)[0] == ""
    assert simulated(text % "True", ms=5000)[0] == "held\nmore\n"
    assert simulated(text % "False", ms=5000, command=("python", "-u", HERE))[0] == "held\nmore\n"


@pytest.mark.parametrize("text, said", [
    ("async def f(): yield 1\n", "a yield in an async function (line 1)"), ("eval('1')\n", "eval, exec, compile, memoryview and breakpoint"),
    ("import sqlite3\n", "the module sqlite3"), ("class D(tuple): pass\n", "a class that comes from tuple"),
    ("import os\nos.openpty()\n", "os.openpty"),
])  # fmt: skip
def test_what_it_does_not_know_it_says_in_one_line(text: str, said: str) -> None:
    assert simulated(text) == ("", f"podlab: this simulated python does not know {said}\n", 1)


@pytest.mark.parametrize("text", [
    "while True: pass\n", "def f(n): return f(n+1)\nf(0)\n", "s='a'\nwhile True: s += s\n", "print(9**9**9)\n", "x=2\nwhile True: x = x*x\n",
    "import re\nprint(re.match(r'^(a+)+$', 'a'*5000+'b'))\n", "a=[]\nfor i in range(40): a=[a,a]\nprint(a)\n",
    "a=[];b=[]\nfor i in range(40): a=[a,a]; b=[b,b]\nprint(a==b)\n", "a=()\nfor i in range(40): a=(a,a)\nprint({a: 1})\n",
    "print('{:>1000000000}'.format(1))\n", "print('%1000000000d' % 1)\n", "x = " + "(" * 500 + "1" + ")" * 500 + "\n", "x = a" + ".b" * 5000 + "\n",
    "import json\njson.loads('['*100000)\n", "int('9'*200000)\n", "class A: pass\nfor i in range(10**6):\n    class A(A): pass\n",
    "class A:\n    def __str__(self): return str(self)\nprint(A())\n", "import itertools\nlist(itertools.count())\n",
    "list(map(lambda x: [0]*10000, range(10**6)))\n", "def g():\n    yield from g()\nlist(g())\n",
    "print(().__class__.__bases__[0].__subclasses__())\n", "print((lambda: 0).__globals__)\n",
    "print(''.__class__.__mro__[1].__init__.__globals__)\n",
    "print(1.5 in range(10**12))\n", "print('a' in range(10**12), 2.0 in range(10**12))\n", "print(all(range(1, 10**12)), any(range(0, 1)))\n",
    "import itertools\nall(itertools.count(1))\n", "import math\nmath.lcm(*[2**20000 + i for i in range(300)])\n",
    "a=int('f'*250000,16)\nwhile True: a // 3\n", "a=2**199000\nb=3**60000\nwhile True: a % b\n",
    "x=list(range(200000))\nwhile True: x[:]\n", "a=set(range(100000))\nwhile True: a & a\n",
])  # fmt: skip
def test_harm_ends_in_the_programs_own_errors_or_costs_it_its_own_cpu(text: str) -> None:
    out, _, code = simulated(text, ms=3000)
    assert code in (None, 0, 1, 137) and len(out) < 100


def test_tuples_in_tuples_outlive_a_checkpoint_however_deep() -> None:
    machine = Machine()
    machine.pod()
    text = "import time\nx = ()\nfor i in range(3000): x = (x,)\nprint('made', flush=True)\ntime.sleep(60)\ny = x[0][0]\nprint(len(y), flush=True)\n"
    made = machine.node.create_container("pod-1", "c", image="python:3", command=["python", "-c", text])
    machine.node.start_container(made)
    machine.run(10_000)
    again = machine.restored()
    again.run(80_000)
    assert again.logs(made).split() == ["made", "1"]


def test_no_file_of_the_host_is_read_for_a_syntax_errors_line(tmp_path: Path) -> None:
    path = tmp_path / "t.py"
    path.write_text("SECRET = 1\n")
    assert "SECRET" not in simulated(f"mkdir -p {tmp_path}; echo 'if True' > {path}; python {path}", command=("sh", HERE))[1]


def test_a_hog_is_killed_at_its_limit() -> None:
    machine = Machine()
    machine.pod()
    hog = "import time\nx = []\nwhile True:\n    x.append('a' * 10**7)\n    print(len(x), flush=True)\n    time.sleep(0.1)\n"
    made = machine.node.create_container("pod-1", "c", image="python:3", command=["python", "-c", hog], limits={"memory": 64 << 20})
    machine.node.start_container(made)
    machine.run(10_000)
    status = machine.node.status(made)
    assert (status.state, status.exit_code, status.reason) == ("exited", 137, "OOMKilled")
    assert machine.logs(made).split()[-1] in ("4", "5")


WEB = """
    import json, signal, socket, sys, time
    from http.server import BaseHTTPRequestHandler, HTTPServer
    began, asked = time.time(), 0
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            global asked
            asked += 1
            if self.path == "/healthz":
                self.send_response(200 if time.time() - began < 30 else 500)
                self.end_headers()
                return
            body = json.dumps({"host": socket.gethostname(), "asked": asked}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    def stop(signum, frame):
        print("stopping", signum, flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    HTTPServer(("", 8080), Handler).serve_forever()
"""


def test_a_server_goes_on_from_a_checkpoint() -> None:
    lab = Lab(1)
    lab.pod("web", "python:3.12-slim", command=["python", "-c", textwrap.dedent(WEB)], spec={"restartPolicy": "Never"})
    lab.client("client", "nicolaka/netshoot", node="node-1")
    lab.settle(30)
    ask = f"curl -s http://{lab.ip('web')}:8080/"
    assert lab.out("client", ask) == '{"host": "web", "asked": 1}'
    again = lab.restored()
    for one in (lab, again):
        assert one.out("client", ask) == '{"host": "web", "asked": 2}'
        machine, container = one._held("web")
        machine.signal(container, "SIGTERM")
        one.settle(1)
        assert one.logs("web").endswith("stopping 15\n")
    assert lab.logs("web") == again.logs("web")


def test_python_at_a_terminal_shows_what_each_statement_gives() -> None:
    machine = Machine()
    machine.pod()
    made = machine.node.create_container("pod-1", "c", image="python:3.13", command=["sleep", "1000000"])
    machine.node.start_container(made)
    typed = "1+1\nfor i in range(2):\n    print(i)\n\n1/0\nexit()\n"
    out, _, code = machine.execute(made, "python", stdin=typed, tty=True, ms=5000)
    assert code == 0 and ">>> 2\n>>> ... ... 0\n1\n>>> Traceback" in out and 'File "<python-input-2>", line 1, in <module>' in out


def test_pip_finds_no_index_and_json_tool_writes_json() -> None:
    out, err, code = simulated("", command=("pip", "install", "flask"))
    assert (out, code) == ("", 1) and err.endswith("ERROR: No matching distribution found for flask\n") and err.count("WARNING: Retrying") == 5
    assert simulated("", command=("python", "-m", "json.tool"), stdin='{"a": 1}') == ('{\n    "a": 1\n}\n', "", 0)


HTTPS = """
    import ssl
    from http.server import BaseHTTPRequestHandler, HTTPServer
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"got " + body)
        def log_message(self, *args): pass
    open("/tmp/c.pem", "w").write('''%s''')
    open("/tmp/k.pem", "w").write('''%s''')
    server = HTTPServer(("", 8443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/tmp/c.pem", "/tmp/k.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
"""
ASK = """
import ssl, sys, urllib.request
open("/tmp/ca.pem", "w").write('''%s''')
def ask(url, context=None):
    try:
        with urllib.request.urlopen(url, data=b"x" * 5, context=context, timeout=3) as answer:
            print(answer.status, answer.read())
    except OSError as error:
        print(type(error).__name__, error)
ask("https://shop:8443/")
ask("https://shop:8443/", ssl._create_unverified_context())
ask("https://shop:8443/", ssl.create_default_context(cafile="/tmp/ca.pem"))
ask("https://shop.default:8443/", ssl.create_default_context(cafile="/tmp/ca.pem"))
ask("http://shop:8443/")
ask("https://shop:8444/")
"""


def test_a_server_speaks_tls_and_clients_verify_it_or_not() -> None:
    lab = Lab(1)
    text = textwrap.dedent(HTTPS) % (certificates.SHOP, certificates.SHOP_KEY)
    lab.pod("shop", "python:3.12", labels={"app": "shop"}, command=["python", "-c", text])
    lab.pod("asks", "python:3.12", command=["sleep", "100000"])
    lab.service("shop", "shop", 8443, 8443)
    lab.settle(30)
    assert lab.logs("shop") == ""
    out = lab.run("asks", "python -", stdin=ASK % certificates.CA)
    assert out[0].splitlines() == [
        "URLError <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1010)>",
        "200 b'got xxxxx'", "200 b'got xxxxx'",
        "URLError <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "Hostname mismatch, certificate is not valid for 'shop.default'. (_ssl.c:1010)>",
        "RemoteDisconnected Remote end closed connection without response", "URLError <urlopen error timed out>",
    ]  # fmt: skip
