"""What the machine's kubectl prints against a cluster equals what the page's own terminal prints: one cluster, standing still, asked both ways.

The machine's kubectl is 1.32, the page's speaks as 1.36: what changed between them is not asked here (delete, describe cronjob and
serviceaccount, events of several objects unless they are asked for, containers that are not there, scaling what is not there, drain,
autoscaling/v2 of a dry autoscale); empty creation times and the warning of debug's old profile are left out of what is
compared, and so is how the cloud vendor that built the machine's words the errors of flags. Not asked either: help texts, which the page has
in its own words, a described ConfigMap of two keys (Go tells them in any order), two outputs at once, completion, the client's own address,
version and files, --raw (this client forgets the path of its server there), and one list of many equals sorted for -o name.
"""

import html
import re
import secrets
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.harness import HANG, Server
from tests.browser.learner import Socket, own_address, start
from tests.services.conftest import Kubectl

pytestmark = pytest.mark.services
LESSON = "one-ip"
TOO_FAST = "너무 빠릅니다"  # podlab/labs/consumers.py
PRINTED = re.compile(r'<span class="t-(?:out|err)">(.*?)</span>', re.DOTALL)
AGE = re.compile(r"(?<![\w.:-])(?:\d+[dhms]){1,2}(?![\w.-])|<invalid>")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+]0000")
# The vendor's build words the errors of flags itself and logs cobra's; 1.36 prints no empty creation times and no warning of the old profile
VENDOR = re.compile(r'^(?:[EW]\d{4} \S+ +\d+ run\.go:\d+\] "command failed" err="(.*)"$|Error: (?=unknown|invalid arg|flag needs))', re.MULTILINE)
OLDER = re.compile(r"^ *creationTimestamp: null\n|^--profile=legacy is deprecated.*\n", re.MULTILINE)
SETUP = """
kubectl create deployment web --image=nginx:1.27 --replicas=2 --port=80
kubectl expose deployment web --port=80
kubectl create configmap settings --from-literal=a=1 --from-literal=b=two
kubectl create secret generic hidden --from-literal=password=x
kubectl create job once --image=busybox -- sh -c 'echo done'
kubectl create cronjob often --image=busybox --schedule='0 * * * *' -- true
kubectl create serviceaccount robot
kubectl create role reader --verb=get,list --resource=pods
kubectl create rolebinding reads --role=reader --serviceaccount=default:robot
kubectl create quota most --hard=pods=50
kubectl create poddisruptionbudget some --selector=app=web --min-available=1
kubectl autoscale deployment web --min=1 --max=3 --cpu-percent=50
kubectl run alone --image=busybox --labels=tier=back -- sh -c 'echo one; echo two; sleep 100000'
""".strip().splitlines()
LINES = (Path(__file__).parent / "same_words.txt").read_text().splitlines()


class Both:
    """One cluster, by the page's terminal and by the machine's kubectl."""

    def __init__(self, socket: Socket, kubectl: Kubectl) -> None:
        self.socket, self.kubectl = socket, kubectl

    def page(self, line: str) -> str:
        """What the page's terminal prints, without the lines that explain."""
        mark = f"end-{secrets.token_hex(4)}"
        while not self._enter(f"{line}; echo {mark}", mark):
            self.socket.read(0.3)  # a quick machine types faster than a page may
        self.socket.until(mark + "\n")
        return "".join(html.unescape(text) for text in PRINTED.findall(self.socket.html)).rpartition(mark)[0]

    def _enter(self, line: str, mark: str) -> bool:
        """Enter a line and wait for what it prints last; False when the page was told that it is too fast."""
        self.socket.shown = self.socket.notices = self.socket.html = ""
        self.socket.send(action="terminal", line=line)
        while mark not in self.socket.shown:
            if TOO_FAST in self.socket.notices:
                return False
            assert self.socket.read(HANG), f"{line!r} has not ended; the terminal shows {self.socket.shown[-800:]!r}"
        return True

    def machine(self, line: str) -> str:
        """What the machine's kubectl prints."""
        environ = {"HOME": str(self.kubectl.home), "KUBECONFIG": str(self.kubectl.home / "config"), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        done = subprocess.run(["bash", "-c", f"{{ {line}\n}} 2>&1"], cwd=self.kubectl.home, env=environ, capture_output=True, text=True, timeout=HANG)
        return done.stdout


@pytest.fixture(scope="module")
def both(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    cookie = start(server)
    home: Path = tmp_path_factory.mktemp("same")
    kubectl = Kubectl(home, own_address(server, cookie, LESSON))
    kubectl.file("config", urllib.request.urlopen(kubectl.server + "/kubeconfig").read().decode())
    with Socket(server, cookie, LESSON) as socket:
        found = Both(socket, kubectl)
        for line in SETUP:
            found.page(line)
        socket.send(action="rate", rate=16.0)
        found.page("sleep 60")  # of the cluster's time, so that its controllers have said what they have to say
        found.page("kubectl wait --for=condition=Ready pod/alone --timeout=300s")
        socket.send(action="rate", rate=0.0)
        found.page("true")
        yield found


def comparable(text: str) -> str:
    """Times and ages apart: other clients are told the wall clock's (apiserver/rest/clocks.py). Three things of describe changed since 1.32."""
    text = re.sub(r"spec\.\w+\{[\w-]+\}: ", "", text)
    text = VENDOR.sub(lambda found: "error: " + (found[1] or "").replace('\\"', '"'), text)
    text = OLDER.sub("", text).replace(",kyaml,", ",")  # a format since 1.35
    text = re.sub(r"\n *Kube-Proxy Version:.*", "", text).replace("ConfigMapOptional:       <nil>", "Optional:                false")
    return "\n".join(re.sub(r"\s{2,}", "  ", AGE.sub("AGE", TIME.sub("TIME", line))).rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize("line", LINES)
def test_both_print_the_same(both: Both, line: str) -> None:
    assert comparable(both.page(line)) == comparable(both.machine(line))
