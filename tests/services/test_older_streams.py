"""Sessions and logs over websockets as clients spoke them before v4 of the channels."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
import websocket

from tests.browser.harness import HANG
from tests.services.conftest import Kubectl

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def talker(kubectl: Kubectl) -> Kubectl:
    kubectl("run", "talker", "--image=busybox:1.36", "--", "sh", "-c", "echo container is alive; sleep 600")
    kubectl("wait", "--for=condition=Ready", "pod/talker", "--timeout=100s")
    return kubectl


def messages(kubectl: Kubectl, subresource: str, protocols: list[str], *query: tuple[str, str]) -> Iterator[bytes]:
    """What the server sends until it closes."""
    parts = urlsplit(kubectl.server)
    url = f"ws://{parts.netloc}{parts.path}/api/v1/namespaces/suite/pods/talker/{subresource}?{urlencode(query)}"
    made = websocket.create_connection(url, subprotocols=protocols, timeout=HANG)
    try:
        while True:
            kind, data = made.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                return
            yield data
    finally:
        made.close()


def said(kubectl: Kubectl, protocols: list[str], *command: str) -> dict[int, bytes]:
    """{channel: all that came on it}."""
    found: dict[int, bytes] = {}
    for message in messages(kubectl, "exec", protocols, ("stdout", "1"), ("stderr", "1"), *(("command", word) for word in command)):
        found[message[0]] = found.get(message[0], b"") + message[1:]
    return found


@pytest.mark.parametrize("protocols", [["channel.k8s.io"], []])
def test_the_oldest_channels_say_nothing_of_a_success(talker: Kubectl, protocols: list[str]) -> None:
    assert said(talker, protocols, "echo", "remote execution test") == {1: b"remote execution test\n"}


@pytest.mark.parametrize(("protocol", "last"), [("base64.channel.k8s.io", None), ("v4.base64.channel.k8s.io", "Success")])
def test_channels_in_base64_carry_input_and_output(talker: Kubectl, protocol: str, last: str | None) -> None:
    parts = urlsplit(talker.server)
    asked = urlencode([("stdin", "1"), ("stdout", "1"), ("command", "head"), ("command", "-n1")])
    made = websocket.create_connection(f"ws://{parts.netloc}{parts.path}/api/v1/namespaces/suite/pods/talker/exec?{asked}", subprotocols=[protocol],
                                       timeout=HANG)
    made.send("0" + base64.b64encode(b"hello\n").decode())
    found: dict[str, bytes] = {}
    while text := made.recv():
        assert isinstance(text, str)
        found[text[0]] = found.get(text[0], b"") + base64.b64decode(text[1:])
    made.close()
    assert found["1"] == b"hello\n"
    assert (json.loads(found["3"])["status"] if last else found.get("3")) == last


def test_a_log_comes_in_base64(talker: Kubectl) -> None:
    assert b"".join(base64.b64decode(one) for one in messages(talker, "log", ["base64.binary.k8s.io"])) == b"container is alive\n"


@pytest.mark.parametrize("path", ["api/v1/namespaces/suite/configmaps", "apis/apps/v1/namespaces/suite/deployments"])
def test_a_watch_over_a_websocket_sends_an_event_a_message(talker: Kubectl, path: str) -> None:
    parts, kind = urlsplit(talker.server), path.rpartition("/")[2].removesuffix("s")
    url = f"ws://{parts.netloc}{parts.path}/{path}?watch=1"
    made = websocket.create_connection(f"{url}&fieldSelector=metadata.name%3Dwatched&timeoutSeconds=100", timeout=HANG)
    talker("create", kind, "watched", *(["--image=pause"] if kind == "deployment" else []))
    event = json.loads(made.recv())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "watched")
    made.close()
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        websocket.create_connection(f"{url}&resourceVersion=latest", timeout=HANG)


def test_the_oldest_channels_tell_a_failure_in_words(talker: Kubectl) -> None:
    assert said(talker, ["channel.k8s.io"], "sh", "-c", "exit 3")[3] == b"command terminated with non-zero exit code: exit status 3"


def test_a_log_comes_over_a_websocket_byte_for_byte(talker: Kubectl) -> None:
    assert b"".join(messages(talker, "log", ["binary.k8s.io"])) == b"container is alive\n"


def test_a_log_is_followed_over_a_websocket_until_its_container_ends(talker: Kubectl) -> None:
    made = messages(talker, "log", ["binary.k8s.io"], ("follow", "true"))
    assert next(made) == b"container is alive\n"
    talker("delete", "pod", "talker", "--now")
    assert list(made) == []
