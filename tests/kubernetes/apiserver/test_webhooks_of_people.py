"""Admission webhooks that a learner writes: a Python program with ssl, a proxy that gives fixed bodies. They are asked as any server is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.run import run_to_end
from tests.kubernetes.apiserver.webhook_lab import SERVICE, WebhookLab, configmap, hook, of, whole
from tests.kubernetes.frozen import thawed

pytestmark = pytest.mark.slow
PROGRAM = """
import base64, json, ssl, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    asked = 0
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        Handler.asked += 1
        print("asked", Handler.asked, request["object"]["metadata"]["name"], flush=True)
        response = {"uid": request["uid"], "allowed": True}
        path = self.path.partition("?")[0]
        if path == "/need-team" and "team" not in request["object"]["metadata"].get("labels", {}):
            response.update(allowed=False, status={"message": "label 'team' is required", "code": 403})
        elif path == "/annotate":
            patch = [{"op": "add", "path": "/metadata/annotations", "value": {"by": request["userInfo"]["username"]}}]
            response.update(patchType="JSONPatch", patch=base64.b64encode(json.dumps(patch).encode()).decode())
        elif path == "/sleep":
            time.sleep(8)
        elif path == "/spin":
            while True:
                pass
        elif path == "/raise":
            raise RuntimeError("on purpose")
        elif path == "/exit":
            import os
            os._exit(3)
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("", 8444), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/c/tls.crt", "/c/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
FIXED = json.dumps({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview",
                    "response": {"allowed": False, "status": {"message": "never on a Friday"}}})
NGINX = f"""server {{
  listen 8444 ssl;
  ssl_certificate /c/tls.crt;
  ssl_certificate_key /c/tls.key;
  location / {{ default_type application/json; return 200 '{FIXED}'; }}
}}
"""
SERVERS = (("python", "python:3.12", "/p", {"hook.py": PROGRAM}, ["python", "-u", "/p/hook.py"]),
           ("nginx", "nginx:1.27", "/etc/nginx/conf.d", {"default.conf": NGINX}, []))


def furnished() -> Cluster:
    lab = WebhookLab()
    for name, image, path, files, command in SERVERS:
        lab.create("configmaps", of("ConfigMap", name, data=files))
        container = {"name": "c", "image": image, "volumeMounts": [{"name": "c", "mountPath": "/c"}, {"name": "p", "mountPath": path}],
                     **({"command": command} if command else {})}
        pod = of("Pod", name, spec={"containers": [container], "volumes": [
            {"name": "c", "secret": {"secretName": "pair"}}, {"name": "p", "configMap": {"name": name}}]})
        pod["metadata"]["labels"] = {"server": name}
        lab.create("pods", pod)
    lab.cluster.run_for(60)
    return lab.cluster


@pytest.fixture
def lab() -> WebhookLab:
    return WebhookLab(thawed("webhooks of people", furnished))


def point(lab: WebhookLab, server: str) -> None:
    """The certificate names one Service: it leads to this server now."""
    lab.ask("delete", "services", SERVICE)
    lab.create("services", of("Service", SERVICE, spec={"selector": {"server": server}, "ports": [{"port": 8443, "targetPort": 8444}]}))
    lab.cluster.run_for(3)


def lines(lab: WebhookLab) -> list[str]:
    return str(run_to_end(lab.cluster, ["logs", "python"])[1]).splitlines()


def test_a_python_program_denies_and_patches_and_its_log_tells_of_what_happened_only(lab: WebhookLab) -> None:
    point(lab, "python")
    lab.register("w", hook("need-team", "/need-team"))
    lab.register("m", hook("annotate", "/annotate"), mutating=True)
    teamed: dict[str, Any] = configmap("teamed")
    teamed["metadata"]["labels"] = {"team": "a"}
    before = whole(lab.cluster.checkpoint())
    for _ in range(2):
        tried = lab.refused("create", "configmaps", body=configmap("bare"), dryRun="All")
        assert tried.message == "admission webhook \"need-team.k8s.io\" denied the request: label 'team' is required"
    assert lab.create("configmaps", teamed, dryRun="All")["metadata"]["annotations"] == {"by": "kubernetes-admin"}
    assert whole(lab.cluster.checkpoint()) == before
    lab.create("configmaps", teamed)
    other = Cluster.restore(whole(lab.cluster.checkpoint()), strict=True)
    for cluster in (lab.cluster, other):
        cluster.run_for(1)
    assert whole(other.checkpoint()) == whole(lab.cluster.checkpoint())
    assert [line for line in lines(lab) if line.startswith("asked")] == ["asked 1 teamed", "asked 2 teamed"]
    assert any('"POST /annotate?timeout=10s HTTP/1.1" 200' in line for line in lines(lab))
    sent = [hop for hop in lab.cluster.network.traffic(0) if hop["from"] == "control-plane"]
    assert [(hop["via"], hop["status"]) for hop in sent] == [(f"default/{SERVICE}", 200)] * 2


@pytest.mark.parametrize("path, words", [("/sleep", "context deadline exceeded"), ("/spin", "context deadline exceeded"), ("/raise", "EOF"),
                                         ("/exit", "EOF")])
def test_a_python_program_that_does_not_answer_fails_its_caller_and_nobody_else(lab: WebhookLab, path: str, words: str) -> None:
    point(lab, "python")
    lab.register("w", hook("w", path, timeoutSeconds=5))
    assert lab.refused("create", "configmaps", body=configmap("c"), dryRun="All").message.endswith(f"{path}?timeout=5s\": {words}")
    pod = lab.ask("get", "pods", "python")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_proxy_answers_with_its_fixed_body(lab: WebhookLab) -> None:
    point(lab, "nginx")
    lab.register("w", hook("friday", "/", admissionReviewVersions=["v1beta1"]))
    refused = lab.refused("create", "configmaps", body=configmap("c"))
    assert refused.message == 'admission webhook "friday.k8s.io" denied the request: never on a Friday'
