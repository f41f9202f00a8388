"""The machine's kubectl: server-side apply with its conflicts, and kinds that people defined."""

import json

import pytest

from tests.kubernetes.kubectl.test_ownership_and_custom_kinds import CONFLICT, CRD, MAP, TAB
from tests.services.conftest import Kubectl

pytestmark = pytest.mark.services


def managers(kubectl: Kubectl, *what: str) -> list[tuple[str, str]]:
    found = json.loads(kubectl("get", *what, "-o", "json", "--show-managed-fields"))["metadata"].get("managedFields", [])
    return [(one["manager"], one["operation"]) for one in found]


def test_server_side_apply_conflicts_forces_and_shares(kubectl: Kubectl) -> None:
    low, high = kubectl.file("low.yaml", MAP % "low"), kubectl.file("high.yaml", MAP % "high")
    assert kubectl("apply", "--server-side", "--field-manager=ops", "-f", low) == "configmap/settings serverside-applied\n"
    code, _, err = kubectl.run("apply", "--server-side", "-f", high)
    assert (code, err) == (1, CONFLICT)
    assert managers(kubectl, "cm", "settings") == [("ops", "Apply")]
    kubectl("apply", "--server-side", "--force-conflicts", "-f", high)
    assert managers(kubectl, "cm", "settings") == [("kubectl", "Apply")]
    assert kubectl("apply", "--server-side", "--dry-run=server", "-f", high) == "configmap/settings serverside-applied (server dry run)\n"
    assert kubectl("diff", "--server-side", "-f", high) == ""
    kubectl("delete", "-f", high)


def test_kubectl_moves_what_its_client_side_apply_owned(kubectl: Kubectl) -> None:
    file = kubectl.file("moved.yaml", (MAP % "low").replace("settings", "moved"))
    kubectl("apply", "-f", file)
    assert managers(kubectl, "cm", "moved") == [("kubectl-client-side-apply", "Update")]
    kubectl("apply", "--server-side", "-f", file)
    assert managers(kubectl, "cm", "moved") == [("kubectl", "Apply"), ("kubectl-last-applied", "Apply")]
    kubectl.file("moved.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: moved}\n")
    kubectl("apply", "--server-side", "-f", file)
    assert kubectl("get", "cm", "moved", "-o", "jsonpath={.data}") == ""
    kubectl("delete", "cm", "moved")


def test_a_kind_that_people_defined(kubectl: Kubectl) -> None:
    crd, tab = kubectl.file("crd.yaml", CRD), kubectl.file("tab.yaml", TAB)
    kubectl("apply", "-f", crd)
    kubectl("wait", "--for=condition=Established", "crd/crontabs.stable.example.com", "--timeout=100s")
    assert kubectl("apply", "-f", tab) == "crontab.stable.example.com/my-tab created\n"
    assert kubectl("apply", "-f", tab) == "crontab.stable.example.com/my-tab unchanged\n"
    assert kubectl("get", "ct").splitlines()[0].split() == ["NAME", "SPEC", "REPLICAS", "AGE"]
    assert "my-tab" in kubectl("get", "all")
    assert "crontabs" in kubectl("api-resources", "--api-group=stable.example.com")
    assert "When to run." in kubectl("explain", "crontabs.spec.cronSpec")
    kubectl.file("tab.yaml", TAB.replace("awesome", "better"))
    assert kubectl("apply", "-f", tab) == "crontab.stable.example.com/my-tab configured\n"
    assert kubectl("scale", "ct/my-tab", "--replicas=4") == "crontab.stable.example.com/my-tab scaled\n"
    assert kubectl("get", "ct", "my-tab", "-o", "jsonpath={.spec.replicas} {.spec.image}") == "4 better"
    assert kubectl("patch", "ct", "my-tab", "--type=merge", "-p", '{"status":{"replicas":2}}', "--subresource=status") == \
        "crontab.stable.example.com/my-tab patched\n"
    code, _, err = kubectl.run("patch", "ct", "my-tab", "--type=merge", "-p", '{"spec":{"replicas":11}}')
    assert (code, err) == (1, 'The CronTab "my-tab" is invalid: spec.replicas: Invalid value: 11: spec.replicas in body should be less than '
                              "or equal to 10\n")
    code, _, err = kubectl.run("apply", "-f", kubectl.file("bad.yaml", TAB.replace("image", "picture")))
    assert code == 1 and 'strict decoding error: unknown field "spec.picture"' in err
    assert kubectl("apply", "--server-side", "--force-conflicts", "-f", tab) == "crontab.stable.example.com/my-tab serverside-applied\n"
    assert "Cron Spec:" in kubectl("describe", "ct", "my-tab")
    kubectl("delete", "crd", "crontabs.stable.example.com")
    code, _, err = kubectl.run("get", "crontabs.stable.example.com")
    assert code == 1 and ("the server doesn't have a resource type" in err or "could not find the requested resource" in err)
