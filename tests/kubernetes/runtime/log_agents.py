"""Pods with Fluentd, Fluent Bit or Vector beside a writer, for tests: their images, their configurations, what they said."""

from __future__ import annotations

from typing import Any

from tests.kubernetes.runtime.lab import Lab

ES = [{"name": "discovery.type", "value": "single-node"}, {"name": "xpack.security.enabled", "value": "false"},
      {"name": "ES_JAVA_OPTS", "value": "-Xms256m -Xmx256m"}]  # fmt: skip
WRITER = ["sh", "-c", "while true; do sleep 1000; done"]
FLUENTD, ELASTIC = "fluent/fluentd:v1.18-1", "fluent/fluentd-kubernetes-daemonset:v1-debian-elasticsearch"
FLUENT_BIT, VECTOR = "fluent/fluent-bit:4.1.0", "timberio/vector:0.50.0-alpine"
WHERE = {FLUENTD: ("/fluentd/etc", "fluent.conf"), ELASTIC: ("/fluentd/etc", "fluent.conf"), FLUENT_BIT: ("/fluent-bit/etc", "fluent-bit.conf"),
         VECTOR: ("/etc/vector", "vector.yaml")}  # fmt: skip


def agent(lab: Lab, name: str, image: str, conf: str, files: dict[str, str] | None = None, **more: Any) -> None:
    """A Pod with a writer `app` and an agent that share /logs."""
    directory, file = WHERE[image]
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {file: conf, **(files or {})}})
    logs = {"name": "logs", "mountPath": "/logs"}
    lab.pod(name, containers=[
        {"name": "app", "image": "busybox:1.36", "command": WRITER, "volumeMounts": [logs]},
        {"name": "agent", "image": image, "volumeMounts": [logs, {"name": "conf", "mountPath": directory}], **more},
    ], spec={"terminationGracePeriodSeconds": 30,
             "volumes": [{"name": "logs", "emptyDir": {}}, {"name": "conf", "configMap": {"name": name}}]})  # fmt: skip


def write(lab: Lab, pod: str, *lines: str, file: str = "/logs/app.log") -> None:
    lab.run(pod, f"cat >> {file}", "app", stdin="".join(line + "\n" for line in lines))


def said(lab: Lab, pod: str) -> str:
    return lab.logs(pod, "agent")


def tail_conf(rest: str, **options: str) -> str:
    found = {"path": "/logs/app.log", "tag": "app", "pos_file": "/logs/app.pos", "read_from_head": "true", **options}
    parse = found.pop("parse", "@type none")
    rows = "".join(f"  {key} {value}\n" for key, value in found.items())
    return f"<source>\n  @type tail\n{rows}  <parse>\n    {parse}\n  </parse>\n</source>\n{rest}"


STDOUT = "<match **>\n  @type stdout\n</match>\n"
BIT = (
    "[SERVICE]\n  flush 1\n[INPUT]\n  name tail\n  path /logs/*.log\n  tag app\n  read_from_head on\n  refresh_interval 1\n"
    "{}[OUTPUT]\n  name stdout\n  match *\n"
)


def vector_conf(remap: str, sink: str = "    type: console\n    inputs: [step]\n    encoding: {codec: json}\n") -> str:
    program = "".join(f"      {line}\n" for line in remap.splitlines())
    return ("sources:\n  app:\n    type: file\n    include: [/logs/*.log]\ntransforms:\n  step:\n    type: remap\n    inputs: [app]\n   "
            " source: |\n" + program
            + "sinks:\n  out:\n" + sink)  # fmt: skip
