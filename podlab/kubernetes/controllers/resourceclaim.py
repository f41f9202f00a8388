"""A claim of its own for each Pod that names a ResourceClaimTemplate (pkg/controller/resourceclaim/controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller
from ..controllers_common.owners import reference
from ..controllers_common.pods import is_deleting
from ..etcd import BORN, Change
from ..objects import EMPTY, Map

POD_CLAIM_NAME = "resource.kubernetes.io/pod-claim-name"  # podResourceClaimAnnotation


def _wants(pod: Map) -> bool:
    return any(claim.get("resourceClaimTemplateName") for claim in pod["spec"].get("resourceClaims") or ())


def _with_templates(_: Controller, change: Change) -> Iterable[str]:
    return (change.key,) if _wants(change.object) else ()


def _waiting_for(controller: Controller, change: Change) -> Iterable[str]:
    pods = controller.cluster.etcd.list("pods", change.object["metadata"]["namespace"])
    return [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods if _wants(pod)]


class ResourceClaimController(Controller):
    name = "resourceclaim-controller"
    watches = {"pods": _with_templates, "resourceclaimtemplates": _waiting_for}
    heeds = {"pods": BORN, "resourceclaimtemplates": BORN}

    def reconcile(self, key: str) -> int | None:
        pod = self.cluster.etcd.get("pods", key)
        if pod is None or is_deleting(pod):
            return None
        namespace = pod["metadata"]["namespace"]
        held = list((pod.get("status") or EMPTY).get("resourceClaimStatuses") or ())
        known = {one["name"] for one in held}
        for wanted in pod["spec"]["resourceClaims"]:
            name = wanted.get("resourceClaimTemplateName")
            if not name or wanted["name"] in known:
                continue
            template = self.client.find("resourceclaimtemplates", name, namespace)
            if template is None:
                self.client.event(pod, "Warning", "FailedResourceClaimCreation",
                                  f'PodResourceClaim {wanted["name"]}: resource claim template "{name}": resourceclaimtemplate.resource.k8s.io '
                                  f'"{name}" not found')  # fmt: skip
                continue
            meta = template["spec"].get("metadata") or EMPTY
            body = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "spec": template["spec"]["spec"], "metadata": {
                "generateName": f"{pod['metadata']['name']}-{wanted['name']}-", "namespace": namespace, "ownerReferences": [reference(pod)],
                "annotations": {**(meta.get("annotations") or {}), POD_CLAIM_NAME: wanted["name"]},
                **({"labels": dict(meta["labels"])} if meta.get("labels") else {})}}  # fmt: skip
            made = self.client.create("resourceclaims", body, namespace, cause=Cause("resource-claim", {"pod": key, "template": name}))
            held.append({"name": wanted["name"], "resourceClaimName": made["metadata"]["name"]})
        if len(held) > len(known):
            self.client.patch("pods", pod["metadata"]["name"], {"status": {"resourceClaimStatuses": held}}, namespace, type="strategic",
                              subresource="status", cause=Cause("resource-claim", {"pod": key}))  # fmt: skip
        return None
