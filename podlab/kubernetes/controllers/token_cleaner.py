"""Bootstrap tokens: Secrets by which a Node joins, deleted when their time is over (pkg/controller/bootstrap/tokencleaner.go, which kubeadm
turns on)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller
from ..etcd import Change
from ..objects import Map
from ..times import parse_rfc3339

TYPE, NAMESPACE = "bootstrap.kubernetes.io/token", "kube-system"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")  # RFC 3339


def expires_at(secret: Map) -> int | None:
    """Virtual ms; None for a token without end, 0 for one whose end nobody can read (GetExpiration in cluster-bootstrap/util/secrets)."""
    text = (secret.get("data") or {}).get("expiration")
    if not text:
        return None
    try:
        moment = base64.b64decode(text).decode()
        return parse_rfc3339(moment) if MOMENT.fullmatch(moment) else 0
    except (ValueError, binascii.Error):
        return 0


def _of_token(_: Controller, change: Change) -> Iterable[str]:
    secret = change.object
    held = change.type != "DELETED" and secret.get("type") == TYPE and secret["metadata"]["namespace"] == NAMESPACE
    return (change.key,) if held else ()


class TokenCleaner(Controller):
    name = "token-cleaner"
    watches = {"secrets": _of_token}

    def reconcile(self, key: str) -> int | None:
        secret = self.cluster.etcd.get("secrets", key)
        due = expires_at(secret) if secret is not None else None
        if secret is None or due is None:
            return None
        if due > self.now:
            return due - self.now
        self.client.delete("secrets", secret["metadata"]["name"], NAMESPACE, uid=secret["metadata"]["uid"],
                           cause=Cause("bootstrap-token-expired"))
        return None
