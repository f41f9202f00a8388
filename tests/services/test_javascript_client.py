"""The official JavaScript client, @kubernetes/client-node, against a learner's live cluster (javascript_client.mjs)."""

import json
import subprocess
from typing import Any

import pytest

from tests.browser.harness import ROOT, Server
from tests.services.conftest import token_of

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, Any]:
    """What the script saw; it ends with an error where anything did not come."""
    if not (ROOT / "node_modules" / "@kubernetes" / "client-node").is_dir():
        pytest.skip("@kubernetes/client-node is not installed (make setup)")
    command = [str(ROOT / "tools" / "node.sh"), "node", str(ROOT / "tests/services/javascript_client.mjs"), f"{server.url}/k8s/{token_of(server)}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_objects_are_read_replaced_patched_and_refused_twice(seen: dict[str, Any]) -> None:
    assert (seen["replaced"], seen["jsonPatch"]) == ({"a": "1", "b": "2"}, {"c": "3"})
    assert seen["refused"] == [409, "AlreadyExists"]


def test_any_object_is_applied_read_and_listed(seen: dict[str, Any]) -> None:
    assert seen["managers"] == ["js Apply"]
    assert seen["listed"] == ["applied", "js", "kube-root-ca.crt"]


def test_watch_and_informer_tell_what_happens(seen: dict[str, Any]) -> None:
    assert seen["watched"] == [["ADDED", "js"], ["DELETED", "js"]]
    assert seen["informed"] == ["add js-shell", "update js-shell", "delete js-shell"]


def test_exec_carries_streams_input_and_exit_codes(seen: dict[str, Any]) -> None:
    assert seen["exec"] == {"out": "out\n", "err": "err\n", "status": "Failure", "code": "7"}
    assert seen["cat"] == {"out": "안녕 pods\n", "err": "", "status": "Success"}


def test_metrics_are_told(seen: dict[str, Any]) -> None:
    assert (seen["top"], seen["nodes"] > 0) == (["js-shell"], True)
