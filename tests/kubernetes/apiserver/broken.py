"""Manifests with one thing wrong, and the words that many refusals share: what the tables of refusals are written with."""

from __future__ import annotations

from typing import Any

from .given import container, deployment, job, pod

Case = tuple[dict[str, Any], str]
LABEL = ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
         "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
SUBDOMAIN = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
             "alphanumeric character (e.g. 'example.com', regex used for validation is "
             "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
LABEL_VALUE = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
               "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
               "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
QUALIFIED = ("name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
             "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")
IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
TYPE = "may not specify more than 1 volume type"


def one(**members: Any) -> dict[str, Any]:
    return pod(containers=[container(**members)])


def start(**members: Any) -> dict[str, Any]:
    return pod(initContainers=[container("i", **members)])


def volume(source: dict[str, Any], name: str = "v") -> dict[str, Any]:
    return pod(volumes=[{"name": name, **source}])


def projected(*sources: dict[str, Any]) -> dict[str, Any]:
    return volume({"projected": {"sources": [*sources]}})


def thing(api_version: str, kind: str, metadata: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **(metadata or {})}, **members}


def service(metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return thing("v1", "Service", metadata, spec={"ports": [{"port": 80}], "selector": {"app": "a"}, **spec})


def claim(**spec: Any) -> dict[str, Any]:
    return thing("v1", "PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec})


def disk(**spec: Any) -> dict[str, Any]:
    return thing("v1", "PersistentVolume", spec={"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **spec})


def cronjob(metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}}
    return thing("batch/v1", "CronJob", metadata, spec={"schedule": "* * * * *", "jobTemplate": template, **spec})


def workload(kind: str, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container()]}}
    return thing("apps/v1", kind, metadata, spec={"selector": {"matchLabels": {"app": "a"}}, "template": template, **spec})


def templated(**spec: Any) -> dict[str, Any]:
    return deployment(template={"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container()], **spec}})


def scaler(**spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", spec={"scaleTargetRef": target, "maxReplicas": 3, **spec})


def metric(kind: str, **source: Any) -> dict[str, Any]:
    return scaler(metrics=[{"type": kind, kind[0].lower() + kind[1:]: source}])


def ingress(**spec: Any) -> dict[str, Any]:
    return thing("networking.k8s.io/v1", "Ingress", spec=spec)


def route(path: dict[str, Any], **rule: Any) -> dict[str, Any]:
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    return ingress(rules=[{"http": {"paths": [{"backend": backend, **path}]}, **rule}])


def netpol(**spec: Any) -> dict[str, Any]:
    return thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, **spec})


def block(**members: Any) -> dict[str, Any]:
    return netpol(ingress=[{"from": [{"ipBlock": members}]}])


def quota(**spec: Any) -> dict[str, Any]:
    return thing("v1", "ResourceQuota", spec=spec)


def limits(**item: Any) -> dict[str, Any]:
    return thing("v1", "LimitRange", spec={"limits": [item]})


def required(rule: dict[str, Any]) -> dict[str, Any]:
    return pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [rule]}}})


def near(**term: Any) -> dict[str, Any]:
    return pod(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", **term}]}})


def spread(**constraint: Any) -> dict[str, Any]:
    return pod(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", **constraint}])


def webhook(**hook: Any) -> dict[str, Any]:
    config = {"service": {"name": "s", "namespace": "n"}}
    whole = {"name": "a.b.c", "clientConfig": config, "sideEffects": "None", "admissionReviewVersions": ["v1"], **hook}
    return thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", webhooks=[whole])


def hooked(**rule: Any) -> dict[str, Any]:
    whole = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], **rule}
    return webhook(rules=[whole])


def codes(**rule: Any) -> dict[str, Any]:
    return job(podFailurePolicy={"rules": [{"action": "FailJob", **rule}]})


C, INIT, V = "spec.containers[0]", "spec.initContainers[0]", "spec.volumes[0]"
NODE = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
NEAR = "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
SPREAD = "spec.topologySpreadConstraints[0]"
RULE = "spec.podFailurePolicy.rules[0]"
HTTP = {"httpGet": {"port": 80}}
