"""Approved certificate signing requests get their certificate (pkg/controller/certificates/signer/signer.go).

Of the signers of kubernetes.io the two that people ask are here; the kubelets' own are for machines that join, which none does.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ..apiserver import certificate_requests
from ..cause import Cause
from ..component import Controller, own_key
from ..objects import Map
from ..runtime.x509 import BadCertificate
from ..times import rfc3339

CLIENT, UNKNOWN = "kubernetes.io/kube-apiserver-client", "kubernetes.io/legacy-unknown"


class CertificateSigningController(Controller):
    name = "csrsigning"
    latency_ms = 4
    watches = {"certificatesigningrequests": own_key}

    def reconcile(self, key: str) -> int | None:
        request = self.cluster.etcd.get("certificatesigningrequests", key)
        if request is None or request["spec"]["signerName"] not in (CLIENT, UNKNOWN):
            return None
        status = request.get("status") or {}
        held = {one["type"] for one in status.get("conditions") or () if one["status"] == "True"}
        if "Approved" not in held or "Failed" in held or status.get("certificate"):
            return None
        if wrong := _refused(request["spec"]):
            failed = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": wrong,
                      "lastUpdateTime": rfc3339(self.cluster.now), "lastTransitionTime": rfc3339(self.cluster.now)}
            self._tell(key, {"conditions": [*status["conditions"], failed]}, "certificate-refused")
            return None
        try:
            read = certificate_requests.read(base64.b64decode(request["spec"]["request"]).decode("ascii", "replace"))
        except BadCertificate:
            return None  # the real controller logs it and tries again
        serial = int(hashlib.sha256(request["metadata"]["uid"].encode()).hexdigest()[:32], 16)
        text = certificate_requests.issue(read, request["spec"]["usages"], request["spec"].get("expirationSeconds"), self.cluster.now, serial)
        self._tell(key, {"certificate": base64.b64encode(text.encode()).decode()}, "certificate-issued")
        return None

    def _tell(self, key: str, status: dict[str, Any], rule: str) -> None:
        self.client.patch("certificatesigningrequests", key, {"status": status}, subresource="status", cause=Cause(rule))


def _refused(spec: Map) -> str:
    """validAPIServerClientUsages."""
    if spec["signerName"] != CLIENT:
        return ""
    for usage in spec["usages"]:
        if usage not in ("digital signature", "key encipherment", "client auth"):
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in spec["usages"] else "missing required usage for client certificate: client auth"
