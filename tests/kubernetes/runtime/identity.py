"""A provider of identities, a legacy application behind oauth2-proxy, and a client: what the tests of both drive."""

from __future__ import annotations

import json
from typing import Any

from tests.kubernetes.runtime.lab import Lab

ISSUER = "http://node-1:30556/dex"
HASH = "$2b$10$QzZ1xkJ0cVQ9u8YtBq2W7ORoBEOJRaG52Z0zuxrU.A5Y71yZlV1bS"  # of mango-42
PEACH = "$2b$10$Hn3mVb5RsD4kLp0XyTgU1eldBqHGgtVbAD4gqvoJPZzNIXMgj4O1G"  # of peach-77
DEX = f"""
issuer: {ISSUER}
storage: {{type: memory}}
web: {{http: 0.0.0.0:5556}}
oauth2: {{passwordConnector: local, skipApprovalScreen: true}}
enablePasswordDB: true
staticPasswords:
- {{email: haneul@podlab.test, hash: "{HASH}", username: haneul, userID: "1", groups: [staff]}}
- {{email: bada@elsewhere.test, hash: "{PEACH}", username: bada, userID: "2"}}
staticClients:
- {{id: office, name: Office, secret: s3cret, redirectURIs: ["http://node-1:30080/oauth2/callback"]}}
"""
FLAGS = {
    "provider": "oidc",
    "oidc-issuer-url": ISSUER,
    "client-id": "office",
    "client-secret": "s3cret",
    "cookie-secret": "0123456789abcdef",
    "cookie-secure": "false",
    "email-domain": "podlab.test",
    "upstream": "http://127.0.0.1:8080/",
    "http-address": "0.0.0.0:4180",
    "skip-provider-button": "true",
}


def dex(lab: Lab, config: str = DEX) -> None:
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dex"}, "data": {"config.yaml": config}})
    container = {"name": "dex", "image": "ghcr.io/dexidp/dex:v2.44.0", "command": ["dex", "serve", "/etc/dex/config.yaml"],
                 "volumeMounts": [{"name": "config", "mountPath": "/etc/dex"}]}
    lab.pod("dex", containers=[container], spec={"volumes": [{"name": "config", "configMap": {"name": "dex"}}]})


def node_port(lab: Lab, app: str, target: int, port: int) -> None:
    body = {"type": "NodePort", "selector": {"app": app}, "ports": [{"port": 80, "targetPort": target, "nodePort": port}]}
    lab.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": app}, "spec": body})


def proxy(flags: dict[str, str] | None = None, **container: Any) -> dict[str, Any]:
    """The sidecar: FLAGS with these in front; an empty value leaves a flag out."""
    merged = {**FLAGS, **(flags or {})}
    arguments = [f"--{name}={value}" for name, value in merged.items() if value]
    return {"name": "proxy", "image": "quay.io/oauth2-proxy/oauth2-proxy:v7.12.0", "args": arguments, **container}


def office(lab: Lab, flags: dict[str, str] | None = None, name: str = "office", listen: str = "127.0.0.1", **container: Any) -> None:
    app = {"name": "app", "image": "podlab/legacy:1.0", "env": [{"name": "LISTEN", "value": listen}]}
    lab.pod(name, containers=[app, proxy(flags, **container)])


def token(lab: Lab, scope: str = "openid email groups") -> str:
    """An ID token of haneul's by the password grant."""
    form = f"-d grant_type=password -d scope='{scope}' -d username=haneul@podlab.test -d password=mango-42"
    return str(json.loads(lab.out("client", f"curl -s {ISSUER}/token -u office:s3cret {form}"))["id_token"])


def status(text: str) -> int:
    return int(text.split(" ")[1])


def header(text: str, name: str) -> str:
    lines = text.partition("\r\n\r\n")[0].split("\r\n")
    return next((line.partition(": ")[2] for line in lines if line.lower().startswith(name.lower() + ":")), "")
