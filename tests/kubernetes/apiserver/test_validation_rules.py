"""Refusals rule by rule: broken manifests beside the words in which the server's validation of each kind refuses them.

The facts are of pkg/apis/*/validation of Kubernetes 1.36 and its feature gates; a table is one concept.
"""

from __future__ import annotations

from typing import Any

import pytest

from .given import container, deployment, job, pod, refusal
from .test_validation import only

pytestmark = pytest.mark.slow  # hundreds of manifests

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

TABLES: dict[str, list[Case]] = {
    "containers": [
        (one(terminationMessagePolicy="Log"),
         f'{C}.terminationMessagePolicy: Unsupported value: "Log": supported values: "File", "FallbackToLogsOnError"'),
        (one(ports=[{"containerPort": 80, "hostPort": 99999}]),
         f"{C}.ports[0].hostPort: Invalid value: 99999: must be between 1 and 65535, inclusive"),
        (one(ports=[{"containerPort": -1}]), f"{C}.ports[0].containerPort: Invalid value: -1: must be between 1 and 65535, inclusive"),
        (one(ports=[{"containerPort": 80, "name": "80"}]), f'{C}.ports[0].name: Invalid value: "80": must contain at least one letter (a-z)'),
        (one(ports=[{"containerPort": 80, "name": "a--b"}]), f'{C}.ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens'),
        (one(ports=[{"containerPort": 80, "name": "-a"}]), f'{C}.ports[0].name: Invalid value: "-a": must not begin or end with a hyphen'),
        (one(ports=[{"containerPort": 80, "name": "Http"}]),
         f'{C}.ports[0].name: Invalid value: "Http": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'),
        (pod(containers=[container("a"), container("a")]), 'spec.containers[1].name: Duplicate value: "a"'),
        (pod(initContainers=[container("c")]), f'{INIT}.name: Duplicate value: "c"'),
        (one(restartPolicy="Sometimes"), f'{C}.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'),
        (one(restartPolicyRules=[{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]),
         f"{C}.restartPolicy: Required value: must specify restartPolicy when restart rules are used"),
        (one(restartPolicy="Never", restartPolicyRules=[{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}] * 21),
         f"{C}.restartPolicyRules: Too many: 21: must have at most 20 items"),
        (one(restartPolicy="Never", restartPolicyRules=[{"action": "Restart", "exitCodes": {"operator": "In", "values": [*range(256)]}}]),
         f"{C}.restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items"),
        (one(restartPolicy="Never", restartPolicyRules=[{"action": "Restart"}]),
         f"{C}.restartPolicyRules[0].exitCodes: Required value: must be specified"),
        (start(readinessProbe=HTTP), f"{INIT}.readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"),
        (start(lifecycle={"preStop": HTTP}), f"{INIT}.lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always"),
        (one(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "Now"}]),
         f'{C}.resizePolicy: Unsupported value: "Now": supported values: "NotRequired", "RestartContainer"'),
        (one(resizePolicy=[{"resourceName": "disk", "restartPolicy": "NotRequired"}]),
         f'{C}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"'),
        (one(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "NotRequired"}] * 2), f'{C}.resizePolicy[1]: Duplicate value: "cpu"'),
        (pod(restartPolicy="Never", containers=[container(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "RestartContainer"}])]),
         f"{C}.resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'"),
        (pod(ephemeralContainers=[container("e")]), "spec.ephemeralContainers: Forbidden: cannot be set on create"),
        (pod(ephemeralContainers=[container("e", ports=[{"containerPort": 80}], restartPolicy="Always", livenessProbe=HTTP)]),
         "[spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container, "
         "spec.ephemeralContainers[0].restartPolicy: Forbidden: cannot be set for an Ephemeral Container, "
         "spec.ephemeralContainers[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container, "
         "spec.ephemeralContainers: Forbidden: cannot be set on create]"),
    ],
    "environment": [
        (one(env=[{"value": "1"}]), f"{C}.env[0].name: Required value"),
        (one(env=[{"name": "a=b"}]), f'{C}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable '
                                     "ASCII characters other than '='"),
        (one(env=[{"name": "A", "valueFrom": {}}]), f'{C}.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
                                                    "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"),
        (one(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m"}}}]), f"{C}.env[0].valueFrom.configMapKeyRef.key: Required value"),
        (one(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "S", "key": "k"}}}]),
         f'{C}.env[0].valueFrom.secretKeyRef.name: Invalid value: "S": {SUBDOMAIN}'),
        (one(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}]),
         f'{C}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", '
         '"metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'),
        (one(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}]),
         f'{C}.env[0].valueFrom.fieldRef: Invalid value: "a b": {QUALIFIED}'),
        (one(env=[{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]),
         f'{C}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", '
         '"limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"'),
        (one(env=[{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]),
         f'{C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the '
         "cpu resource"),
        (one(env=[{"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "../a", "key": "K"}}}]),
         f"{C}.env[0].valueFrom.fileKeyRef.path: Invalid value: \"../a\": must not contain '..'"),
        (one(envFrom=[{}]), f'{C}.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'),
        (one(envFrom=[{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]),
         f'{C}.envFrom: Invalid value: "": may not have more than one field specified at a time'),
        (one(envFrom=[{"secretRef": {}}]), f"{C}.envFrom[0].secretRef.name: Required value"),
    ],
    "resources": [
        (one(resources={"requests": {"cpu": "-1"}}), f'{C}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
        (one(resources={"limits": {"example.com/gpu": "1"}, "requests": {"example.com/gpu": "1.5"}}),
         f'[{C}.resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer, '
         f'{C}.resources.requests: Invalid value: "1500m": must be equal to example.com/gpu limit of 1]'),
        (one(resources={"limits": {"cpu": "-1"}, "requests": {"cpu": "-2"}}),
         f'[{C}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0, '
         f'{C}.resources.requests[cpu]: Invalid value: "-2": must be greater than or equal to 0]'),
        (one(resources={"limits": {"example.com/gpu": "1"}, "requests": {"example.com/gpu": "2"}}),
         f'{C}.resources.requests: Invalid value: "2": must be equal to example.com/gpu limit of 1'),
        (one(resources={"requests": {"example.com/gpu": "2"}}),
         f"{C}.resources.limits: Required value: Limit must be set for non overcommitable resources"),
        (one(resources={"limits": {"hugepages-2Mi": "2Mi"}}), f"{C}.resources: Forbidden: HugePages require cpu or memory"),
        (one(resources={"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}}),
         f'[{C}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi, '
         f'{C}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi]'),
        (one(resources={"limits": {"storage": "1Gi"}}),
         f'[{C}.resources.limits[storage]: Invalid value: "storage": must be a standard resource for containers, '
         f'{C}.resources.requests[storage]: Invalid value: "storage": must be a standard resource for containers]'),
        (one(resources={"claims": [{"name": "gpu"}]}),
         f'{C}.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty'),
        (pod(resources={"limits": {"ephemeral-storage": "1Gi"}}),
         "[spec.resources.limits[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", "
         "\"hugepages-\", \"memory\", "
         "spec.resources.requests[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", "
         "\"hugepages-\", \"memory\"]"),
        (pod(resources={"requests": {"cpu": "1"}}, containers=[container(resources={"requests": {"cpu": "2"}})]),
         'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2'),
        (pod(resourceClaims=[{"name": "g"}]),
         'spec.resourceClaims[0]: Invalid value: {"Name":"g","ResourceClaimName":null,"ResourceClaimTemplateName":null}: must specify one of: '
         "`resourceClaimName`, `resourceClaimTemplateName`"),
    ],
    "probes and hooks": [
        (one(livenessProbe={"httpGet": {"path": "/", "port": "no_name"}}),
         f'{C}.livenessProbe.httpGet.port: Invalid value: "no_name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'),
        (one(livenessProbe={"httpGet": {"port": 80, "scheme": "FTP"}}),
         f'{C}.livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'),
        (one(livenessProbe={"httpGet": {"port": 80, "httpHeaders": [{"name": "a b", "value": "c"}]}}),
         f'{C}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or \'-\' '
         "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"),
        (one(livenessProbe={"exec": {}}), f"{C}.livenessProbe.exec.command: Required value"),
        (one(livenessProbe={"tcpSocket": {"port": 0}}),
         f"{C}.livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"),
        (one(livenessProbe={"grpc": {"port": 70000}}), f"{C}.livenessProbe.grpc.port: Invalid value: 70000: must be between 1 and 65535, inclusive"),
        (one(startupProbe={**HTTP, "successThreshold": 3}), f"{C}.startupProbe.successThreshold: Invalid value: 3: must be 1"),
        (one(livenessProbe={**HTTP, "terminationGracePeriodSeconds": 0}),
         f"{C}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"),
        (one(livenessProbe={**HTTP, "initialDelaySeconds": -5, "failureThreshold": -1}),
         f"[{C}.livenessProbe.initialDelaySeconds: Invalid value: -5: must be greater than or equal to 0, "
         f"{C}.livenessProbe.failureThreshold: Invalid value: -1: must be greater than or equal to 0]"),
        (one(lifecycle={"preStop": {}}), f"{C}.lifecycle.preStop: Required value: must specify a handler type"),
        (one(lifecycle={"preStop": {"sleep": {"seconds": 31}}}),
         f"{C}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"),
        (one(lifecycle={"postStart": {"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}}}),
         f"{C}.lifecycle.postStart.tcpSocket: Forbidden: may not specify more than 1 handler type"),
    ],
    "mounts": [
        (pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[container(volumeMounts=[{"name": "v", "mountPath": ""}])]),
         f"{C}.volumeMounts[0].mountPath: Required value"),
        (pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[container(volumeMounts=[{"name": "v", "mountPath": "/a"}] * 2)]),
         f'{C}.volumeMounts[1].mountPath: Invalid value: "/a": must be unique'),
        (pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[container(volumeMounts=[{"name": "v", "mountPath": "/a", "subPath": "/b"}])]),
         f'{C}.volumeMounts.subPath: Invalid value: "/b": must be a relative path'),
        (pod(volumes=[{"name": "v", "emptyDir": {}}],
             containers=[container(volumeMounts=[{"name": "v", "mountPath": "/a", "subPath": "b", "subPathExpr": "c"}])]),
         f'{C}.volumeMounts[0].subPathExpr: Invalid value: "c": subPathExpr and subPath are mutually exclusive'),
        (pod(volumes=[{"name": "v", "emptyDir": {}}],
             containers=[container(volumeMounts=[{"name": "v", "mountPath": "/a", "mountPropagation": "Both"}])]),
         f'{C}.volumeMounts.mountPropagation: Unsupported value: "Both": supported values: "Bidirectional", "HostToContainer", "None"'),
        (pod(volumes=[{"name": "v", "emptyDir": {}}],
             containers=[container(volumeMounts=[{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}])]),
         f"{C}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"),
        (pod(volumes=[{"name": "v", "emptyDir": {}}],
             containers=[container(volumeMounts=[{"name": "v", "mountPath": "/a", "recursiveReadOnly": "Enabled"}])]),
         f"{C}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"),
        (pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[container(volumeDevices=[{"name": "v", "devicePath": "/dev/x"}])]),
         f'{C}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'),
        (pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
             containers=[container(volumeDevices=[{"name": "v", "devicePath": "/dev/../x"}])]),
         f"{C}.volumeDevices[0].devicePath: Invalid value: \"/dev/../x\": can not contain backsteps ('..')"),
    ],
    "volumes": [
        (volume({"emptyDir": {}}, "My_V"), f'{V}.name: Invalid value: "My_V": {LABEL}'),
        (pod(volumes=[{"emptyDir": {}}]), f"{V}.name: Required value"),
        (volume({"hostPath": {"path": "/a/../b"}}), f"{V}.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"),
        (volume({"hostPath": {"path": "/a", "type": "Folder"}}),
         f'{V}.hostPath.type: Unsupported value: "Folder": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", '
         '"File", "FileOrCreate", "Socket"'),
        (volume({"secret": {}}), f"{V}.secret.secretName: Required value"),
        (volume({"secret": {"secretName": "s", "defaultMode": 512}}),
         f"{V}.secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"),
        (volume({"configMap": {"name": "m", "items": [{"key": "k", "path": "/a"}]}}),
         f'{V}.configMap.items[0].path: Invalid value: "/a": must be a relative path'),
        (volume({"configMap": {"name": "m", "items": [{"path": "a"}]}}), f"{V}.configMap.items[0].key: Required value"),
        (volume({"configMap": {"name": "m", "items": [{"key": "k", "path": "..a"}]}}),
         f"{V}.configMap.items[0].path: Invalid value: \"..a\": must not start with '..'"),
        (volume({"persistentVolumeClaim": {}}), f"{V}.persistentVolumeClaim.claimName: Required value"),
        (volume({"nfs": {"server": "s", "path": "a"}}), f'{V}.nfs.path: Invalid value: "a": must be an absolute path'),
        (volume({"downwardAPI": {"items": [{"path": "a"}]}}), f"{V}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"),
        (volume({"downwardAPI": {"items": [{"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}]}}),
         f"{V}.downwardAPI.resourceFieldRef.containerName: Required value"),
        (volume({"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "status.podIP"}}]}}),
         f'{V}.downwardAPI.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", '
         '"metadata.name", "metadata.namespace", "metadata.uid"'),
        (volume({"emptyDir": {}, "configMap": {"name": "m"}, "secret": {"secretName": "s"}}),
         f"[{V}.secret: Forbidden: {TYPE}, {V}.configMap: Forbidden: {TYPE}]"),
        (volume({"csi": {"driver": "d", "nodePublishSecretRef": {}}}), f"{V}.csi.nodePublishSecretRef.name: Required value"),
        (volume({"csi": {"driver": "a" * 64}}), f"{V}.csi.driver: Too long: may not be more than 63 bytes"),
        (volume({"image": {}}), f"{V}.image.reference: Required value"),
        (volume({"image": {"reference": "a", "pullPolicy": "Later"}}),
         f'{V}.image.pullPolicy: Unsupported value: "Later": supported values: "Always", "IfNotPresent", "Never"'),
        (volume({"ephemeral": {}}), f"{V}.ephemeral.volumeClaimTemplate: Required value"),
        (volume({"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "n"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}),
         f"{V}.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set"),
        (projected({"secret": {}}), f"{V}.projected.sources[0].secret.name: Required value"),
        (projected({"secret": {"name": "a"}, "configMap": {"name": "b"}}),
         f"{V}.projected.sources[0]: Forbidden: may not specify more than 1 volume type per source"),
        (projected({"secret": {"name": "a", "items": [{"key": "k", "path": "p"}]}}, {"configMap": {"name": "b", "items": [{"key": "k",
            "path": "p"}]}}),
         f'{V}.projected: Invalid value: "b": conflicting duplicate paths'),
        (projected({"serviceAccountToken": {"expirationSeconds": 60, "path": "t"}}),
         f"{V}.projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes"),
        (projected({"serviceAccountToken": {"path": ""}}), f"{V}.projected.path: Required value"),
    ],
    "security": [
        (one(securityContext={"runAsUser": -1}), f"{C}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
        (pod(securityContext={"fsGroup": -1}), "spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
        (pod(securityContext={"supplementalGroups": [1, -1]}),
         "spec.securityContext.supplementalGroups[1]: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
        (pod(securityContext={"fsGroupChangePolicy": "Never"}),
         'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"'),
        (pod(securityContext={"seccompProfile": {"type": "Localhost"}}),
         "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"),
        (pod(securityContext={"seccompProfile": {"type": "Loose"}}),
         'spec.securityContext.seccompProfile.type: Unsupported value: "Loose": supported values: "Localhost", "RuntimeDefault", "Unconfined"'),
        (pod(securityContext={"seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "a"}}),
         'spec.securityContext.seccompProfile.localhostProfile: Invalid value: {"Type":"RuntimeDefault","LocalhostProfile":"a"}: can only be set '
         "when seccomp type is Localhost"),
        (one(securityContext={"appArmorProfile": {"type": "Localhost", "localhostProfile": " "}}),
         f'{C}.securityContext.appArmorProfile.localhostProfile: Invalid value: " ": must not be padded with whitespace'),
        (one(securityContext={"appArmorProfile": {"type": "Localhost", "localhostProfile": "a" * 4096}}),
         f"{C}.securityContext.appArmorProfile.localhostProfile: Too long: may not be more than 4095 bytes"),
        (one(securityContext={"procMount": "Masked"}),
         f'{C}.securityContext.procMount: Unsupported value: "Masked": supported values: "Default", "Unmasked"'),
        (one(securityContext={"procMount": "Unmasked"}),
         f'{C}.securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'),
        (pod(securityContext={"sysctls": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}),
         'spec.securityContext.sysctls[1].name: Duplicate value: "a"'),
        (pod(hostNetwork=True, securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}),
         "spec.securityContext.sysctls[0].name: Invalid value: \"net.ipv4.tcp_syncookies\": may not be specified when 'hostNetwork' is true"),
        (pod(hostPID=True, shareProcessNamespace=True),
         "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"),
        (pod(hostUsers=False, hostNetwork=True, hostPID=True),
         "[spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false, spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false]"),
        (pod(os={"name": "plan9"}), 'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'),
        (pod(os={"name": ""}), "spec.os.name: Required value: cannot be empty"),
        (pod(os={"name": "linux"}, securityContext={"windowsOptions": {}}),
         "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"),
        (pod(os={"name": "windows"}, hostPID=True, hostIPC=False, securityContext={"runAsUser": 1, "seLinuxOptions": {}, "sysctls": []},
             containers=[container(securityContext={"privileged": False})]),
         "[spec.securityContext.seLinuxOptions: Forbidden: cannot be set for a windows pod, spec.hostPID: Forbidden: cannot be set for "
         "a windows pod, "
         "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod, "
         f"{C}.securityContext.privileged: Forbidden: cannot be set for a windows pod]"),
        (pod(securityContext={"windowsOptions": {"runAsUserName": ""}}),
         'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "": runAsUserName cannot be an empty string'),
        (pod(securityContext={"windowsOptions": {"runAsUserName": "a\\b\\c"}}),
         'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName cannot contain more than one backslash'),
        (pod(securityContext={"windowsOptions": {"runAsUserName": "a?b"}}),
         'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a?b": runAsUserName\'s User cannot contain the following characters: '
         '"/\\:;|=,+*?<>@[]'),
        (one(securityContext={"windowsOptions": {"gmsaCredentialSpec": ""}}),
         f'{C}.securityContext.windowsOptions.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty string'),
        (one(securityContext={"windowsOptions": {"hostProcess": True}}),
         "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"),
        (pod(hostNetwork=True, securityContext={"windowsOptions": {"hostProcess": True}},
             containers=[container(securityContext={"windowsOptions": {"hostProcess": False}})]),
         f"{C}.securityContext.windowsOptions.hostProcess: Invalid value: false: pod hostProcess value must be identical if both are specified, "
         "was true"),
    ],
    "scheduling": [
        (required({"matchExpressions": [{"key": "a", "operator": "In"}]}),
         f"{NODE}.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"),
        (required({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1", "2"]}]}),
         f"{NODE}.matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"),
        (required({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["1"]}]}),
         f"{NODE}.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        (required({"matchExpressions": [{"key": "a", "operator": "In", "values": ["a b"]}]}),
         f'{NODE}.matchExpressions[0].values[0]: Invalid value: "a b": {LABEL_VALUE}'),
        (required({"matchFields": [{"key": "metadata.labels", "operator": "In", "values": ["a"]}]}),
         f'{NODE}.matchFields[0].key: Invalid value: "metadata.labels": not a valid field selector key'),
        (pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}),
         "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node "
         "selector term"),
        (pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 101, "preference": {}}]}}),
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100"),
        (near(namespaces=["A"], labelSelector={}), f'{NEAR}.namespace: Invalid value: "A": {LABEL}'),
        (near(labelSelector={"matchExpressions": [{"key": "a", "operator": "In"}]}),
         f"{NEAR}.labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"),
        (near(matchLabelKeys=["a"]), f"{NEAR}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"),
        (near(labelSelector={}, matchLabelKeys=["a"], mismatchLabelKeys=["a"]),
         f'{NEAR}.matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys'),
        (near(labelSelector={"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]}, matchLabelKeys=["app"]),
         f'{NEAR}[0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector'),
        (pod(tolerations=[{"key": "a", "operator": "Like"}]),
         'spec.tolerations[0].operator: Unsupported value: "Like": supported values: "Equal", "Exists"'),
        (pod(tolerations=[{"value": "a"}]),
         'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means '
                                            '"match all values and all keys"'),
        (pod(tolerations=[{"key": "a", "operator": "Exists", "effect": "Never"}]),
         'spec.tolerations[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'),
        (spread(maxSkew=0), f"{SPREAD}.maxSkew: Invalid value: 0: must be greater than zero"),
        (spread(topologyKey=""), f"{SPREAD}.topologyKey: Required value: can not be empty"),
        (spread(whenUnsatisfiable="Maybe"),
         f'{SPREAD}.whenUnsatisfiable: Unsupported value: "Maybe": supported values: "DoNotSchedule", "ScheduleAnyway"'),
        (spread(minDomains=0), f"{SPREAD}.minDomains: Invalid value: 0: must be greater than zero"),
        (spread(whenUnsatisfiable="ScheduleAnyway", minDomains=1),
         f"{SPREAD}.minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"),
        (spread(nodeTaintsPolicy="Look"), f'{SPREAD}.nodeTaintsPolicy: Unsupported value: "Look": supported values: "Honor", "Ignore"'),
        (spread(matchLabelKeys=["a"]), f"{SPREAD}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"),
        (pod(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}] * 2),
         SPREAD + '.{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"'),
        (pod(schedulingGates=[{"name": "a"}, {"name": "a"}]), 'spec.schedulingGates[1]: Duplicate value: "a"'),
        (pod(schedulingGates=[{"name": "a"}], nodeName="n"), "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"),
    ],
    "the rest of a Pod": [
        (pod(hostname="a.b"), 'spec.hostname: Invalid value: "a.b": must not contain dots'),
        (pod(subdomain="A"), f'spec.subdomain: Invalid value: "A": {LABEL}'),
        (pod(hostnameOverride="a", hostNetwork=True), "spec.hostnameOverride: Forbidden: cannot be set when hostNetwork is true"),
        (pod(dnsPolicy="Fast"),
         'spec.dnsPolicy: Unsupported value: "Fast": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"'),
        (pod(dnsPolicy="None", dnsConfig={}),
         "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"),
        (pod(dnsConfig={"nameservers": ["1.1.1.1"] * 4}),
         'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.1","1.1.1.1","1.1.1.1"]: must not have more than 3 nameservers'),
        (pod(dnsConfig={"nameservers": ["dns"]}), f'spec.dnsConfig.nameservers[0]: Invalid value: "dns": {IP}'),
        (pod(dnsConfig={"nameservers": ["08.8.8.8"]}), 'spec.dnsConfig.nameservers[0]: Invalid value: "08.8.8.8": must not have leading 0s'),
        (pod(dnsConfig={"options": [{"value": "2"}]}), "spec.dnsConfig.options[0]: Required value: must not be empty"),
        (pod(hostAliases=[{"ip": "1.2.3", "hostnames": ["a"]}]), f'spec.hostAliases[0].ip: Invalid value: "1.2.3": {IP}'),
        (pod(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["a_b"]}]), f'spec.hostAliases[0].hostnames[0]: Invalid value: "a_b": {SUBDOMAIN}'),
        (pod(readinessGates=[{"conditionType": "a b"}]), f'spec.readinessGates[0].conditionType: Invalid value: "a b": {QUALIFIED}'),
        (pod(nodeName="N"), f'spec.nodeName: Invalid value: "N": {SUBDOMAIN}'),
        (pod(hostNetwork=True, containers=[container(ports=[{"containerPort": 80, "hostPort": 81}])]),
         f"{C}.ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"),
        (pod() | {"metadata": {"name": "p", "annotations": {"controller.kubernetes.io/pod-deletion-cost": "much"}}},
         'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "much": must be a 32bit integer'),
        (pod() | {"metadata": {"name": "p", "annotations": {"container.apparmor.security.beta.kubernetes.io/z": "runtime/default"}}},
         'metadata.annotations[container.apparmor.security.beta.kubernetes.io/z]: Invalid value: "z": container not found'),
        (pod() | {"metadata": {"name": "p", "annotations": {"seccomp.security.alpha.kubernetes.io/pod": "loose"}}},
         'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "loose": must be a valid seccomp profile'),
    ],
    "services": [
        (service(type="Balancer"),
         'spec.type: Unsupported value: "Balancer": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'),
        (service(ports=[{"port": 0}]), "[spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, "
                                       "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]"),
        (service(ports=[{"port": 80}, {"port": 81}]), "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]"),
        (service(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]), 'spec.ports[1].name: Duplicate value: "a"'),
        (service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
         'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}'),
        (service(ports=[{"port": 80, "protocol": "HTTP"}]),
         'spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'),
        (service(ports=[{"port": 80, "targetPort": "Web_1"}]),
         'spec.ports[0].targetPort: Invalid value: "Web_1": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'),
        (service(ports=[{"port": 80, "appProtocol": "a b"}]), f'spec.ports[0].appProtocol: Invalid value: "a b": {QUALIFIED}'),
        (service(ports=[{"port": 80, "nodePort": 30080}]), "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"),
        (service(selector={"app": "a b"}), f'spec.selector: Invalid value: "a b": {LABEL_VALUE}'),
        (service(sessionAffinity="Client"), 'spec.sessionAffinity: Unsupported value: "Client": supported values: "ClientIP", "None"'),
        (service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 90000}}),
         "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400"),
        (service(externalIPs=["a"]), f'spec.externalIPs[0]: Invalid value: "a": {IP}'),
        (service(externalIPs=["127.0.0.1"]),
         'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'),
        (service(externalTrafficPolicy="Local"),
         'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'),
        (service(type="NodePort", externalTrafficPolicy="Near"),
         'spec.externalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"'),
        (service(internalTrafficPolicy="Near"), 'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"'),
        (service(loadBalancerClass="a/b"), "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"),
        (service(allocateLoadBalancerNodePorts=False),
         "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"),
        (service(loadBalancerSourceRanges=["10.0.0.0/8"]),
         "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"),
        (service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0"]), f'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": {CIDR}'),
        (service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.1/8"]),
         'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'),
        (service(type="NodePort", clusterIP="None"), "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"),
        (service(clusterIP="10.0.0"), f'spec.clusterIPs[0]: Invalid value: "10.0.0": {IP}'),
        (service(ipFamilies=["IPv5"]), 'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'),
        (service(ipFamilyPolicy="Both"),
         'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'),
        (service(type="ExternalName", ports=[]), "spec.externalName: Required value"),
        (service(type="ExternalName", ports=[], externalName="a_b.c"), f'spec.externalName: Invalid value: "a_b.c": {SUBDOMAIN}'),
        (service(trafficDistribution="Near"),
         'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'),
        (service(type="LoadBalancer", healthCheckNodePort=30000), "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is "
                                                                  "'LoadBalancer' and `externalTrafficPolicy` is 'Local'"),
        (thing("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[{"addresses": []}]),
         "endpoints[0].addresses: Required value: must contain at least 1 address"),
        (thing("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"] * 101}]),
         "endpoints[0].addresses: Too many: 101: must have at most 100 items"),
        (thing("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[
            {"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "a"}, {"name": "a"}]}}]),
         'endpoints[0].hints.forZones[1].name: Duplicate value: "a"'),
    ],
    "storage": [
        (claim(accessModes=[]), "spec.accessModes: Required value: at least 1 access mode is required"),
        (claim(accessModes=["ReadWrite"]), 'spec.accessModes: Unsupported value: "ReadWrite": supported values: "ReadOnlyMany", "ReadWriteMany", '
                                           '"ReadWriteOnce", "ReadWriteOncePod"'),
        (claim(accessModes=["ReadWriteOncePod", "ReadWriteMany"]),
         "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"),
        (claim(resources={"requests": {"storage": "0"}}), 'spec.resources[storage]: Invalid value: "0": must be greater than zero'),
        (claim(storageClassName="A"), f'spec.storageClassName: Invalid value: "A": {SUBDOMAIN}'),
        (claim(volumeMode="File"), 'spec.volumeMode: Unsupported value: "File": supported values: "Block", "Filesystem"'),
        (claim(dataSource={"kind": "VolumeSnapshot", "name": "s"}),
         "[spec.dataSource: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup, "
         "spec.dataSourceRef: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup]"),
        (claim(volumeAttributesClassName="A"), f'spec.volumeAttributesClassName: Invalid value: "A": {SUBDOMAIN}'),
        (disk(hostPath={"path": "/a"}, accessModes=[]), "spec.accessModes: Required value"),
        (disk(hostPath={"path": "/a"}, capacity=None),
         '[spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: "storage"]'),
        (disk(hostPath={"path": "/"}, persistentVolumeReclaimPolicy="Recycle"),
         "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"),
        (disk(hostPath={"path": "/a"}, persistentVolumeReclaimPolicy="Keep"),
         'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"'),
        (disk(local={"path": "/a"}), "spec.nodeAffinity: Required value: Local volume requires node affinity"),
        (disk(local={"path": "/a"}, nodeAffinity={}), "spec.nodeAffinity.required: Required value: must specify required node constraints"),
        (disk(hostPath={"path": "/a"}, nfs={"server": "s", "path": "/"}), f"spec.nfs: Forbidden: {TYPE}"),
        (disk(hostPath={"path": "/a"}, volumeAttributesClassName="a"),
         "spec.csi: Required value: has to be specified when using volumeAttributesClassName"),
        (thing("storage.k8s.io/v1", "StorageClass", provisioner="a", reclaimPolicy="Keep"),
         'reclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"'),
        (thing("storage.k8s.io/v1", "StorageClass", provisioner="a", volumeBindingMode="Late"),
         'volumeBindingMode: Unsupported value: "Late": supported values: "Immediate", "WaitForFirstConsumer"'),
        (thing("storage.k8s.io/v1", "StorageClass", provisioner="a b"), f'provisioner: Invalid value: "a b": {QUALIFIED}'),
        (thing("storage.k8s.io/v1", "StorageClass", provisioner="a", parameters={str(n): "" for n in range(513)}),
         "parameters: Too long: may not be more than 512 bytes"),
        (thing("storage.k8s.io/v1", "StorageClass", provisioner="a", allowedTopologies=[
            {"matchLabelExpressions": [{"key": "z", "values": ["a"]}]}] * 2),
         'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'),
        (thing("storage.k8s.io/v1", "CSIDriver", spec={"volumeLifecycleModes": ["Fast"]}),
         'spec.volumeLifecycleModes: Unsupported value: "Fast": supported values: "Persistent", "Ephemeral"'),
        (thing("storage.k8s.io/v1", "CSIDriver", spec={"tokenRequests": [{"audience": "a"}, {"audience": "a"}]}),
         'spec.tokenRequests[1].audience: Duplicate value: "a"'),
        (thing("storage.k8s.io/v1", "CSINode", spec={"drivers": [{"name": "d", "nodeID": ""}]}), "spec.drivers[0].nodeID: Required value"),
        (thing("storage.k8s.io/v1", "VolumeAttachment", spec={"attacher": "d", "nodeName": "n", "source": {}}),
         "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"),
        (thing("storage.k8s.io/v1", "VolumeAttributesClass", driverName="d"),
         "parameters: Required value: must contain at least one key/value pair"),
    ],
    "workloads": [
        (deployment(replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (deployment(minReadySeconds=-1), "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"),
        (deployment(revisionHistoryLimit=-1), "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"),
        (deployment(minReadySeconds=600), "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"),
        (deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "101%"}}),
         'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'),
        (deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "half"}}),
         "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' "
         "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
        (deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
         "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
        (deployment(selector={}), "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        (templated(restartPolicy="Never"), 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'),
        (templated(activeDeadlineSeconds=5),
         "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"),
        (templated(ephemeralContainers=[container("e")]),
         "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"),
        (workload("StatefulSet", podManagementPolicy="Any"),
         "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"),
        (workload("StatefulSet", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": -1}}),
         "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"),
        (workload("StatefulSet", updateStrategy={"type": "OnDelete", "rollingUpdate": {"partition": 1}}),
         'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy '
         '\'RollingUpdate\''),
        (workload("StatefulSet", ordinals={"start": -1}), "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"),
        (workload("StatefulSet", persistentVolumeClaimRetentionPolicy={"whenDeleted": "Keep"}),
         'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"'),
        (workload("DaemonSet", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}}),
         "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"),
        (workload("DaemonSet", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}),
         "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"),
        (workload("ReplicaSet", selector={"matchLabels": {"app": "b"}}),
         'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'),
    ],
    "jobs": [
        (job(parallelism=-1), "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"),
        (job(ttlSecondsAfterFinished=-1), "spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0"),
        (job(completionMode="Some"), 'spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"'),
        (job(completionMode="Indexed", parallelism=2), "spec.completions: Required value: when completion mode is Indexed"),
        (job(maxFailedIndexes=1), "[spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified, "
                                  "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode]"),
        (job(backoffLimitPerIndex=1), "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
        (job(completionMode="Indexed", completions=2, backoffLimitPerIndex=1, maxFailedIndexes=3),
         "spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions"),
        (job(completionMode="Indexed", completions=100001, backoffLimitPerIndex=1),
         "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000"),
        (job(completionMode="Indexed", completions=1, parallelism=100001),
         "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed"),
        (job(managedBy="a.b/" + "c" * 60), "spec.managedBy: Too long: may not be more than 63 bytes"),
        (codes(), f"{RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"),
        (codes(onExitCodes={"operator": "In", "values": [0]}), f"{RULE}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"),
        (codes(onExitCodes={"operator": "Out", "values": [1]}),
         f'{RULE}.onExitCodes.operator: Unsupported value: "Out": supported values: "In", "NotIn"'),
        (codes(onExitCodes={"operator": "In", "values": []}), f"{RULE}.onExitCodes.values: Invalid value: []: at least one value is required"),
        (codes(onExitCodes={"operator": "In", "values": [1], "containerName": "z"}),
         f'{RULE}.onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template'),
        (codes(action="Stop", onExitCodes={"operator": "In", "values": [1]}),
         f'{RULE}.action: Unsupported value: "Stop": supported values: "Count", "FailIndex", "FailJob", "Ignore"'),
        (codes(action="FailIndex", onExitCodes={"operator": "In", "values": [1]}),
         f'{RULE}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set'),
        (codes(onPodConditions=[{"type": "DisruptionTarget", "status": "Yes"}]),
         f'{RULE}.onPodConditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"'),
        (job(podFailurePolicy={"rules": [{"action": "Ignore", "onPodConditions": [{"type": "A"}]}] * 21}),
         "spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items"),
        (job(podFailurePolicy={"rules": []}, podReplacementPolicy="TerminatingOrFailed"),
         'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'),
        (job(podReplacementPolicy="Soon"), 'spec.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", "TerminatingOrFailed"'),
        (job(successPolicy={"rules": [{"succeededCount": 1}]}), 'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,'
                                                                 '"SucceededCount":1}]}: requires indexed completion mode'),
        (job(completionMode="Indexed", completions=3, successPolicy={"rules": []}),
         "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified"),
        (job(completionMode="Indexed", completions=3, successPolicy={"rules": [{"succeededCount": 4}]}),
         "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)"),
        (cronjob(schedule=""), "spec.schedule: Required value"),
        (cronjob(schedule="* * * *"), 'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'),
        (cronjob(schedule="60 * * * *"), 'spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60'),
        (cronjob(schedule="TZ=UTC * * * * *"),
         'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
        (cronjob(timeZone=""), 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'),
        (cronjob(timeZone="Mars/Base"), 'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'),
        (cronjob(timeZone="Local"),
         'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
        (cronjob(concurrencyPolicy="Queue"), 'spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"'),
        (cronjob(startingDeadlineSeconds=-1), "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"),
        (cronjob(failedJobsHistoryLimit=-1), "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"),
        (cronjob({"name": "c" * 53}), f'metadata.name: Invalid value: "{"c" * 53}": must be no more than 52 characters'),
    ],
    "autoscalers": [
        (scaler(maxReplicas=0), "[spec.maxReplicas: Invalid value: 0: must be greater than 0, "
                               "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`]"),
        (scaler(minReplicas=0), "[spec.minReplicas: Invalid value: 0: must be greater than or equal to 1, spec.metrics: Forbidden: must specify at "
                               "least one Object or External metric to support scaling to zero replicas]"),
        (scaler(scaleTargetRef={"apiVersion": "apps/v1"}), "[spec.scaleTargetRef.kind: Required value, spec.scaleTargetRef.name: Required value]"),
        (metric("Resource", target={"type": "Utilization", "averageUtilization": 50}),
         "spec.metrics[0].resource.name: Required value: must specify a resource name"),
        (metric("Resource", name="cpu", target={"type": "Utilization", "averageUtilization": 0}),
         "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"),
        (metric("Resource", name="cpu", target={"type": "Share", "averageUtilization": 5}),
         'spec.metrics[0].resource.target.type: Invalid value: "Share": must be either Utilization, Value, or AverageValue'),
        (metric("Resource", name="cpu", target={"type": "Utilization", "averageUtilization": 5, "averageValue": "1"}),
         "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization"),
        (metric("ContainerResource", name="cpu", target={"type": "Utilization", "averageUtilization": 5}),
         "spec.metrics[0].containerResource.container: Required value: must specify a container"),
        (metric("Pods", metric={"name": "a/b"}, target={"type": "AverageValue", "averageValue": "1"}),
         "spec.metrics[0].pods.metric.name: Invalid value: \"a/b\": may not contain '/'"),
        (metric("Pods", metric={"name": "a"}, target={"type": "AverageValue"}),
         "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue"),
        (scaler(behavior={"scaleUp": {"stabilizationWindowSeconds": 3601}}),
         "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600"),
        (scaler(behavior={"scaleDown": {"selectPolicy": "Mean"}}),
         'spec.behavior.scaleDown.selectPolicy: Unsupported value: "Mean": supported values: "Disabled", "Max", "Min"'),
        (scaler(behavior={"scaleDown": {"policies": [{"type": "Half", "value": 0, "periodSeconds": 1801}]}}),
         '[spec.behavior.scaleDown.policies[0].type: Unsupported value: "Half": supported values: "Percent", "Pods", '
         "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero, "
         "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800]"),
        (scaler(behavior={"scaleDown": {"tolerance": "-0.1"}}),
         'spec.behavior.scaleDown.tolerance: Invalid value: "-100m": must be greater than or equal to 0'),
    ],
    "network": [
        (ingress(), "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"),
        (route({"path": "a", "pathType": "Prefix"}), 'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path'),
        (route({"path": "/a//b", "pathType": "Exact"}), "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b\": must not contain '//'"),
        (route({"path": "/", "pathType": "Regex"}),
         'spec.rules[0].http.paths[0].pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"'),
        (route({"path": "/", "pathType": "Prefix"}, host="1.2.3.4"),
         'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'),
        (route({"path": "/", "pathType": "Prefix"}, host="a.*.com"),
         "spec.rules[0].host: Invalid value: \"a.*.com\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
         "subdomain, which "
         "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used "
         "for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"),
        (route({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s"}}}),
         "spec.rules[0].http.paths[0].backend: Required value: port name or number is required"),
        (route({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"name": "a", "number": 1}}}}),
         'spec.rules[0].http.paths[0].backend: Invalid value: "": cannot set both port name & port number'),
        (ingress(rules=[{"http": {"paths": []}}]), "spec.rules[0].http.paths: Required value"),
        (thing("networking.k8s.io/v1", "IngressClass", spec={"controller": "c"}),
         'spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")'),
        (netpol(ingress=[{"from": [{}]}]), "spec.ingress[0].from[0]: Required value: must specify a peer"),
        (netpol(egress=[{"ports": [{"port": 80, "endPort": 79}]}]),
         "spec.egress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`"),
        (netpol(egress=[{"ports": [{"endPort": 79}]}]),
         "spec.egress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified"),
        (netpol(egress=[{"ports": [{"port": 0}]}]), "spec.egress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
        (netpol(ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]),
         "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"),
        (block(), "spec.ingress[0].from[0].ipBlock.cidr: Required value"),
        (block(cidr="10.0.0.0"), f'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": {CIDR}'),
        (block(cidr="10.0.0.1/8"),
         'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'),
        (block(cidr="10.0.0.0/08"),
         'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0/08": must not have leading 0s in IP or prefix length'),
        (block(cidr="10.0.0.0/8", **{"except": ["11.0.0.0/16"]}),
         'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'),
        (thing("v1", "Endpoints", subsets=[{"addresses": [{"ip": "10.0.0.300"}]}]),
         f'[subsets[0].addresses[0].ip: Invalid value: "10.0.0.300": {IP}, subsets[0].addresses[0].ip: Invalid value: "10.0.0.300": must '
         'be a valid IP '
         "address]"),
    ],
    "policies and configuration": [
        (quota(hard={"gpus": "1"}), '[spec.hard[gpus]: Invalid value: "gpus": must be a standard resource type or fully qualified, '
                                    'spec.hard[gpus]: Invalid value: "gpus": must be a standard resource for quota]'),
        (quota(hard={"pods": "1.5"}), 'spec.hard[pods]: Invalid value: "1500m": must be an integer'),
        (quota(hard={"pods": "1"}, scopes=["Any"]), 'spec.scopes: Invalid value: ["Any"]: unsupported scope'),
        (quota(hard={"pods": "1"}, scopes=["BestEffort", "NotBestEffort"]),
         'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'),
        (quota(hard={"secrets": "1"}, scopes=["BestEffort"]), 'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'),
        (quota(hard={"pods": "1"}, scopeSelector={"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}),
         "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for "
         "scope selector"),
        (limits(type="Pod", min={"cpu": "2"}, max={"cpu": "1"}),
         'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'),
        (limits(type="Pod", default={"cpu": "1"}), "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"),
        (limits(type="Box", max={"cpu": "1"}), 'spec.limits[0].type: Invalid value: "Box": must be a standard limit type or fully qualified'),
        (limits(type="PersistentVolumeClaim"),
         "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"),
        (thing("policy/v1", "PodDisruptionBudget", spec={"minAvailable": "110%", "selector": {}}),
         'spec.minAvailable: Invalid value: "110%": must not be greater than 100%'),
        (thing("policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": -1, "selector": {}}),
         "spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"),
        (thing("policy/v1", "PodDisruptionBudget", spec={"unhealthyPodEvictionPolicy": "Always"}),
         'spec.unhealthyPodEvictionPolicy: Unsupported value: "Always": supported values: "AlwaysAllow", "IfHealthyBudget"'),
        (thing("scheduling.k8s.io/v1", "PriorityClass", {"name": "system-mine"}, value=1),
         "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known "
         "system priority class"),
        (thing("scheduling.k8s.io/v1", "PriorityClass", value=1, preemptionPolicy="Maybe"),
         'preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"'),
        (thing("v1", "ConfigMap", data={"..": "a"}), "data[..]: Invalid value: \"..\": must not be '..'"),
        (thing("v1", "ConfigMap", data={"a": "b"}, binaryData={"a": "YQ=="}), 'data[a]: Invalid value: "a": duplicate of key present in binaryData'),
        (thing("v1", "ConfigMap", data={"a": "b" * (1024 * 1024 + 1)}), "[]: Too long: may not be more than 1048576 bytes"),
        (thing("v1", "Secret", type="kubernetes.io/tls"), "[data[tls.crt]: Required value, data[tls.key]: Required value]"),
        (thing("v1", "Secret", type="kubernetes.io/basic-auth"), "[data[username]: Required value, data[password]: Required value]"),
        (thing("v1", "Secret", type="kubernetes.io/dockerconfigjson", stringData={".dockerconfigjson": "{"}),
         'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'),
        (thing("v1", "Secret", type="kubernetes.io/service-account-token"),
         "metadata.annotations[kubernetes.io/service-account.name]: Required value"),
        (thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"]}]),
         "rules[0].verbs: Required value: verbs must contain at least one value"),
        (thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"verbs": ["get"], "apiGroups": [""]}]),
         "rules[0].resources: Required value: resource rules must supply at least one resource"),
        (thing("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}),
         'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'),
        (thing("node.k8s.io/v1", "RuntimeClass", handler="Kata"), f'handler: Invalid value: "Kata": {LABEL}'),
        (thing("coordination.k8s.io/v1", "Lease", spec={"leaseDurationSeconds": 0}),
         "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"),
        (thing("v1", "Node", spec={"taints": [{"key": "a", "effect": "No"}]}),
         'metadata.taints[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'),
    ],
    "metadata": [
        (thing("v1", "ConfigMap", {"labels": {"a b": "c"}}), f'metadata.labels: Invalid value: "a b": {QUALIFIED}'),
        (thing("v1", "ConfigMap", {"labels": {"a": "b c"}}), f'metadata.labels: Invalid value: "b c": {LABEL_VALUE}'),
        (thing("v1", "ConfigMap", {"labels": {"a": "b" * 64}}), f'metadata.labels: Invalid value: "{"b" * 64}": must be no more than 63 characters'),
        (thing("v1", "ConfigMap", {"labels": {"/a": ""}}), 'metadata.labels: Invalid value: "/a": prefix part must be non-empty'),
        (thing("v1", "ConfigMap", {"labels": {"A.b/c": ""}}), f'metadata.labels: Invalid value: "A.b/c": prefix part {SUBDOMAIN}'),
        (thing("v1", "ConfigMap", {"annotations": {"a/b/c": ""}}),
         'metadata.annotations: Invalid value: "a/b/c": a qualified name ' + QUALIFIED.removeprefix("name part ")
         + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"),
        (thing("v1", "ConfigMap", {"annotations": {"a": "b" * 262144}}), "metadata.annotations: Too long: may not be more than 262144 bytes"),
        (thing("v1", "ConfigMap", {"finalizers": ["mine"]}),
         'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'),
        (thing("v1", "ConfigMap", {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]}),
         'metadata.ownerReferences.uid: Invalid value: "": must not be empty'),
        (thing("v1", "ConfigMap", {"ownerReferences": [{"apiVersion": "", "kind": "", "name": "p", "uid": "u"}]}),
         '[metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty, '
         'metadata.ownerReferences.kind: Invalid value: "": must not be empty]'),
        (thing("v1", "ConfigMap", {"name": "", "generateName": "A_a-"}),
         f'[metadata.generateName: Invalid value: "A_a-": {SUBDOMAIN}, metadata.name: Invalid value: "A_a-bcdfg": {SUBDOMAIN}]'),
        (thing("v1", "Namespace", {"name": "n" * 64}),  # its name is its label, too
         f'[metadata.name: Invalid value: "{"n" * 64}": must be no more than 63 characters, '
         f'metadata.labels: Invalid value: "{"n" * 64}": must be no more than 63 characters]'),
        (thing("v1", "Service", {"name": "9a"}, spec={"ports": [{"port": 1}]}), ""),
        (thing("v1", "Service", {"name": "-a"}, spec={"ports": [{"port": 1}]}), f'metadata.name: Invalid value: "-a": {LABEL}'),
        (thing("rbac.authorization.k8s.io/v1", "Role", {"name": "a/b"}), "metadata.name: Invalid value: \"a/b\": may not contain '/'"),
        (templated() | {"metadata": {"name": "D"}}, f'metadata.name: Invalid value: "D": {SUBDOMAIN}'),
    ],
    "admission": [
        (webhook(name="a.b"), 'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'),
        (webhook(name="A.b.c"), f'webhooks[0].name: Invalid value: "A.b.c": {SUBDOMAIN}'),
        (webhook(sideEffects="Some"), 'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'),
        (webhook(sideEffects=None), "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"),
        (webhook(timeoutSeconds=31), "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"),
        (webhook(failurePolicy="Try"), 'webhooks[0].failurePolicy: Unsupported value: "Try": supported values: "Fail", "Ignore"'),
        (webhook(admissionReviewVersions=[]), "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"),
        (webhook(admissionReviewVersions=["v1", "v1"]), 'webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version'),
        (webhook(admissionReviewVersions=["v2"]),
         'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1'),
        (webhook(clientConfig={}), "webhooks[0].clientConfig: Required value: exactly one of url or service is required"),
        (webhook(clientConfig={"url": "http://a"}), "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; "
                                                    "desired format: https://host[/path]"),
        (webhook(clientConfig={"url": "https://a?b=c"}),
         'webhooks[0].clientConfig.url: Invalid value: "b=c": query parameters are not permitted in the URL'),
        (webhook(clientConfig={"service": {"name": "s", "namespace": "n", "path": "a"}}),
         "[webhooks[0].clientConfig.service.path: Invalid value: \"a\": must start with a '/', "
         'webhooks[0].clientConfig.service.path: Invalid value: "a": segment[0] may not be empty]'),
        (webhook(clientConfig={"service": {"name": "s", "namespace": "n", "port": 70000}}),
         "webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive"),
        (webhook(matchConditions=[{"name": "a", "expression": "true"}, {"name": "a", "expression": "true"}]),
         'webhooks[0].matchConditions[1].name: Duplicate value: "a"'),
        (hooked(operations=["*", "CREATE"]),
         "webhooks[0].rules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations"),
        (hooked(operations=["LIST"]), 'webhooks[0].rules[0].operations[0]: Unsupported value: "LIST": supported values: "*", "CONNECT", "CREATE", '
                                      '"DELETE", "UPDATE"'),
        (hooked(apiGroups=["*", "apps"]),
         "webhooks[0].rules[0].apiGroups: Invalid value: [\"*\",\"apps\"]: if '*' is present, must not specify other API groups"),
        (hooked(resources=[]), "webhooks[0].rules[0].resources: Required value"),
        (hooked(resources=["pods/*", "pods/exec"]),
         "webhooks[0].rules[0].resources[1]: Invalid value: \"pods/exec\": if 'pods/*' is present, must not specify pods/exec"),
        (hooked(scope="Wide"), 'webhooks[0].rules[0].scope: Unsupported value: "Wide": supported values: "*", "Cluster", "Namespaced"'),
        (thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", spec={"policyName": "p"}),
         "spec.validationActions: Required value: at least one validation action is required"),
        (thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", spec={
            "policyName": "p", "validationActions": ["Deny"], "paramRef": {"name": "n", "selector": {}, "parameterNotFoundAction": "Deny"}}),
         "[spec.paramRef.name: Forbidden: name and selector are mutually exclusive, "
         "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive]"),
    ],
}


@pytest.mark.parametrize("concept", [*TABLES])
def test_each_rule_is_told_as_the_server_tells_it(concept: str) -> None:
    told = [(only(refusal(manifest)), said) for manifest, said in TABLES[concept]]
    assert [here for here, _ in told] == [there for _, there in told]
