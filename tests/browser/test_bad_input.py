"""What must not go through, or not hurt: each gets the API server's words and a Korean line, nothing is lost, a neighbour feels nothing.

No browser here, but the real server in a process of its own: hence beside the browser tests.
"""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.browser.harness import HANG, Server
from tests.browser.learner import Socket, start

pytestmark = pytest.mark.browser
LESSON = "one-ip"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{0}}}\nspec: {{containers: [{{name: a, image: nginx}}]}}\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)
# The longest that the server may be at work for others between another learner's command and its answer. Processor time, of which a busy
# machine gives no more and no less: the second hand would count what other programs do.
NEIGHBOUR_SECONDS = 1.0


class Neighbour(threading.Thread):
    """Another learner, who enters a command every now and then and notes how long the server works until its answer has come."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.cookie = server, start(server, "이웃")
        self.took: list[float] = []  # seconds
        self.ready, self.answers, self.over = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        with Socket(self.server, self.cookie, LESSON) as socket:
            number = 0
            while not self.over.is_set():
                number += 1
                began = self.server.cpu()
                socket.run(f"echo n{number}-$((1+1))", f"n{number}-2")
                if number > 1:  # the first waits for the lesson's cluster to be made
                    self.took.append(self.server.cpu() - began)
                    self.ready.set()
                self.answers.set()
                self.over.wait(0.15)

    def goes_on(self, times: int = 1) -> None:
        """Wait for so many more answers."""
        for _ in range(times + 1):  # the present one may have begun before
            self.answers.clear()
            assert self.answers.wait(HANG) and self.is_alive()


@pytest.fixture(scope="module")
def neighbour(server: Server) -> Iterator[Neighbour]:
    found = Neighbour(server)
    found.start()
    assert found.ready.wait(HANG)
    yield found
    found.over.set()
    found.join(HANG)


@pytest.fixture
def socket(server: Server, neighbour: Neighbour) -> Iterator[Socket]:
    """A learner of one test. Afterwards what was there is still there, and the neighbour was served all the time."""
    with Socket(server, start(server), LESSON) as opened:
        opened.run("kubectl get pods", "visitor")
        neighbour.took.clear()
        yield opened
        opened.run("kubectl get pods shop visitor", "visitor")
        neighbour.goes_on()
        assert max(neighbour.took) < NEIGHBOUR_SECONDS


def apply(socket: Socket, text: str, until: str) -> str:
    socket.shown = socket.notices = socket.html = ""
    socket.send(action="apply", name="bad.yaml", text=text)
    return socket.until(until)


@pytest.mark.parametrize(
    ("text", "said", "told"),
    [
        (BOMB, "document contains excessive aliasing", "모두 풀어 쓰면 너무 커집니다"),
        ("a: " + "[" * 500 + "]" * 500, "nested deeper than 100 levels", "100단계보다 깊게 겹친 YAML"),
        ("a: " + "y" * 2_000_000, "Request entity too large: limit is", "매니페스트가 너무 큽니다"),
        ("---\n".join(POD.format(i) for i in range(10_000)), "Request entity too large: limit is", "여러 파일로 나누어"),
        ("---\n".join(POD.format(i) for i in range(600)), "more than 500 objects", "오브젝트 500개까지"),
        (POD.format(1).replace("nginx", "3"), "cannot unmarshal number into Go struct field", "string 꼴이어야 합니다"),
        (POD.format(1).replace("image", "imagee"), 'unknown field "spec.containers[0].imagee"', "imagee라는 필드는 없습니다"),
        (POD.format(1).replace("p1", "P_1"), "a lowercase RFC 1123 subdomain", "소문자, 숫자, 붙임표"),
        ("- 1\n- 2\n", "invalid object to validate", "맵이어야 합니다"),
        ("kind: Pod\n\tname: x", "error converting YAML to JSON", "YAML을 읽지 못했습니다"),
    ],
    ids=["bomb", "depth", "2 MB", "10,000 Pods", "600 Pods", "wrong type", "unknown field", "name", "list", "tab"],
)
def test_a_bad_manifest_is_refused_in_both_languages(socket: Socket, text: str, said: str, told: str) -> None:
    shown = apply(socket, text, told)
    assert said in shown and told in shown


def test_bytes_that_are_no_utf8(socket: Socket) -> None:
    shown = socket.run("printf 'a: \\377\\376' > bad8.yaml; kubectl apply -f bad8.yaml", "↳")
    assert "invalid leading UTF-8 octet" in shown and "UTF-8이 아닌 글자" in shown
    socket.line.send(b"\xff\xfe")
    socket.send(action=["no", "word"])
    socket.send(action="rate", rate="fast")
    socket.send(action="lint", text=BOMB, id="1")
    socket.run("echo al''ive", "alive")


@pytest.mark.parametrize("line", ["while true; do :; done", "while true; do echo x; done", "yes"])
def test_a_loop_that_never_ends_is_stopped_by_control_c(socket: Socket, neighbour: Neighbour, line: str) -> None:
    socket.send(action="terminal", line=line)
    neighbour.goes_on(5)
    socket.send(action="interrupt")
    socket.run("echo ba''ck", "back")


def test_a_fork_bomb_runs_into_a_wall(socket: Socket, neighbour: Neighbour) -> None:
    shown = socket.run("b() { b | b & }; b", "can't fork")
    assert "Resource temporarily unavailable" in shown
    neighbour.goes_on(3)


def test_a_deployment_of_ten_thousand(socket: Socket) -> None:
    socket.run("kubectl create deployment big --image=nginx --replicas=10000", "created")
    asked = "kubectl get rs -o jsonpath='{.items[0].status.conditions[0].message}'; echo; echo th''en"
    deadline = time.monotonic() + HANG
    while "exceeded quota: podlab, requested: pods=1, used: pods=300, limited: pods=300" not in socket.run(asked, "then"):
        assert time.monotonic() < deadline, socket.shown
        time.sleep(0.2)  # the page's own limit is ten acts a second
    socket.send(action="tab", tab="inspector")
    # the page's fragments name the ReplicaSet too, and may come before the terminal does: wait for what only the terminal says
    shown = socket.run("kubectl get rs -o jsonpath='{.items[0].metadata.name}'; echo; echo na''me-told", "name-told")
    name = next(word for word in shown.split() if word.startswith("big-"))
    socket.html = ""
    socket.send(action="select", ref=f"replicasets/default/{name}", view="describe")
    socket.until("파드를 300개까지만 둘 수 있습니다")
    assert "one more" in socket.run("kubectl run one-more --image=nginx; echo one more", "one more")
    assert "exceeded quota: podlab" in socket.shown and "300개까지만" in socket.shown
    socket.run("kubectl delete deployment big", "deleted")


def test_a_page_that_sends_too_fast_is_told(socket: Socket) -> None:
    for _ in range(80):
        socket.send(action="tab", tab="terminal")
    socket.until("너무 빠릅니다")
    deadline = time.monotonic() + HANG
    while "calm" not in socket.shown:  # until the page may act again
        assert time.monotonic() < deadline
        socket.send(action="terminal", line="echo ca''lm")
        time.sleep(0.5)
        while socket.read(0.05):
            pass
