"""ServiceAccount: a Pod gets an account, its pull secrets, and a volume with its token in every container.

Source: plugin/pkg/admission/serviceaccount/admission.go.
"""

from __future__ import annotations

from typing import Any

from ...objects import Map, freeze
from ..errors import forbidden, subject_of
from ..pipeline import Context

Object = dict[str, Any]

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # DefaultAPITokenMountPath
VOLUME_PREFIX = "kube-api-access-"
TOKEN_SECONDS = 3607  # WarnOnlyBoundTokenExpirationPeriod

PROJECTED: Map = freeze({
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ],
    "defaultMode": 420,
})


def admit(obj: Object, ctx: Context) -> None:
    """Raises ApiError 403 where the account does not exist. The spec is replaced, never changed in place."""
    metadata, spec = obj["metadata"], obj["spec"]
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return
    namespace, name = metadata["namespace"], spec.get("serviceAccountName") or "default"
    account = ctx.find("serviceaccounts", name, namespace)
    if account is None:
        raise forbidden("", "pods", subject_of(metadata),
                        f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found')
    spec = obj["spec"] = {**spec, "serviceAccountName": name, "serviceAccount": name}
    wanted = spec.get("automountServiceAccountToken")
    if wanted is None:
        wanted = account.get("automountServiceAccountToken", True)
    if wanted:
        _mount_token(obj, ctx)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]


def _mount_token(obj: Object, ctx: Context) -> None:
    spec = obj["spec"]
    volumes = spec.get("volumes") or ()
    held = next((volume["name"] for volume in volumes if volume.get("name", "").startswith(VOLUME_PREFIX)), None)
    name = held or VOLUME_PREFIX + ctx.random_name(5, "token-volume", obj["metadata"]["namespace"],
                                                   obj["metadata"].get("name") or "")
    mount: Map = freeze({"name": name, "readOnly": True, "mountPath": MOUNT_PATH})
    mounted = False
    for member in ("initContainers", "containers"):
        containers = []
        for container in spec.get(member) or ():
            mounts = container.get("volumeMounts") or ()
            if not any(one.get("mountPath") == MOUNT_PATH for one in mounts):
                container = {**container, "volumeMounts": [*mounts, mount]}
                mounted = True
            containers.append(container)
        if containers:
            spec[member] = containers
    if mounted and not held:
        spec["volumes"] = [*volumes, {"name": name, "projected": PROJECTED}]
