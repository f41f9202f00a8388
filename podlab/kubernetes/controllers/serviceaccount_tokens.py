"""Secrets of type service-account-token: filled for the account that they name, gone with it
(pkg/controller/serviceaccount/tokens_controller.go: syncSecret, generateTokenIfNeeded, deleteToken)."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from ..apiserver import account_tokens
from ..cause import Cause
from ..component import Controller
from ..controllers_common.root_ca import root_ca
from ..etcd import Change
from ..objects import Map

TYPE = "kubernetes.io/service-account-token"
NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


def _account_of(secret: Map) -> str:
    return str((secret["metadata"].get("annotations") or {}).get(NAME, "")) if secret.get("type") == TYPE else ""


def _of_secret(_: Controller, change: Change) -> Iterable[str]:
    return (change.key,) if change.type != "DELETED" and _account_of(change.object) else ()


def _of_account(controller: Controller, change: Change) -> Iterable[str]:
    if change.type != "DELETED":
        return ()
    metadata = change.object["metadata"]
    return [f"{metadata['namespace']}/{secret['metadata']['name']}" for secret in controller.client.list("secrets", metadata["namespace"])
            if _account_of(secret) == metadata["name"]]  # fmt: skip


class TokensController(Controller):
    name = "service-account-token-controller"
    latency_ms = 4
    watches = {"secrets": _of_secret, "serviceaccounts": _of_account}

    def reconcile(self, key: str) -> int | None:
        namespace, _, name = key.partition("/")
        secret = self.client.find("secrets", name, namespace)
        if secret is None or secret["metadata"].get("deletionTimestamp") or not _account_of(secret):
            return None
        annotations = secret["metadata"].get("annotations") or {}
        account = self.client.find("serviceaccounts", _account_of(secret), namespace)
        if account is None or annotations.get(UID, account["metadata"]["uid"]) != account["metadata"]["uid"]:
            self.client.delete("secrets", name, namespace, uid=secret["metadata"]["uid"], cause=Cause("account-token-without-account"))
            return None
        data = secret.get("data") or {}
        right = {
            "ca.crt": _encoded(root_ca(namespace)["data"]["ca.crt"]),
            "namespace": _encoded(namespace),
            "token": data.get("token") or _encoded(account_tokens.of_secret(self.cluster, secret, account)),
        }
        if any(data.get(member) != value for member, value in right.items()) or UID not in annotations:
            filled = {**annotations, UID: account["metadata"]["uid"]}
            changed = {**secret, "data": {**data, **right}, "metadata": {**secret["metadata"], "annotations": filled}}
            self.client.update("secrets", changed, cause=Cause("account-token-filled", {"account": account["metadata"]["name"]}))
        return None


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
