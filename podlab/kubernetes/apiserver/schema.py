"""The published OpenAPI schema of Kubernetes 1.36, and the facts about Go's types that it leaves out.

The schema comes with the PyPI package kubernetes-validate (one JSON file, read once, on first use). It names every
field, its type and its merge keys. What it cannot say, and what decides how an object is stored and how a type error
reads, stands here as tables: which scalar fields are pointers (a zero is kept) and which Go types strings and lists
have (staging/src/k8s.io/api/*/types.go). The file is long because these tables are: one place for what Go's types say.
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..resources import Resource

PREFIX = "io.k8s.api."
META = "io.k8s.apimachinery.pkg.apis.meta.v1."

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
TIME = META + "Time"
MICRO_TIME = META + "MicroTime"
CUSTOM = "podlab.CustomObject"  # what all kinds that people define have in common: their metadata


def _table(text: str) -> frozenset[tuple[str, str]]:
    """`Type: field field` lines as pairs."""
    return frozenset((kind.strip(), name) for kind, _, names in (line.partition(":") for line in text.strip().splitlines())
                     for name in names.split())


# Scalars that are pointers in Go: false, 0 and "" are values there and are kept. All other zero scalars vanish (omitempty).
POINTERS = _table("""
    ObjectMeta: deletionGracePeriodSeconds
    OwnerReference: controller blockOwnerDeletion
    PodSpec: terminationGracePeriodSeconds activeDeadlineSeconds automountServiceAccountToken shareProcessNamespace priority
    PodSpec: runtimeClassName enableServiceLinks preemptionPolicy setHostnameAsFQDN hostUsers hostnameOverride
    Container: restartPolicy
    EphemeralContainer: restartPolicy
    ContainerRestartRuleOnExitCodes: operator
    Probe: terminationGracePeriodSeconds
    GRPCAction: service
    Lifecycle: stopSignal
    SecurityContext: privileged runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation procMount
    PodSecurityContext: runAsUser runAsGroup runAsNonRoot fsGroup fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy
    SeccompProfile: localhostProfile
    AppArmorProfile: localhostProfile
    WindowsSecurityContextOptions: gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess
    VolumeMount: mountPropagation recursiveReadOnly
    Toleration: tolerationSeconds
    PodDNSConfigOption: value
    TopologySpreadConstraint: minDomains nodeAffinityPolicy nodeTaintsPolicy
    SecretVolumeSource: defaultMode optional
    ConfigMapVolumeSource: defaultMode optional
    ProjectedVolumeSource: defaultMode
    DownwardAPIVolumeSource: defaultMode
    KeyToPath: mode
    DownwardAPIVolumeFile: mode
    ServiceAccountTokenProjection: expirationSeconds
    SecretProjection: optional
    ConfigMapProjection: optional
    ClusterTrustBundleProjection: name signerName optional
    SecretKeySelector: optional
    ConfigMapKeySelector: optional
    FileKeySelector: optional
    SecretEnvSource: optional
    ConfigMapEnvSource: optional
    HostPathVolumeSource: type
    CSIVolumeSource: readOnly fsType
    LocalVolumeSource: fsType
    ISCSIVolumeSource: initiatorName
    ISCSIPersistentVolumeSource: initiatorName
    FCVolumeSource: lun
    AzureFilePersistentVolumeSource: secretNamespace
    GlusterfsPersistentVolumeSource: endpointsNamespace
    AzureDiskVolumeSource: cachingMode fsType readOnly kind
    PodResourceClaim: resourceClaimName resourceClaimTemplateName
    PersistentVolumeClaimSpec: storageClassName volumeMode volumeAttributesClassName
    PersistentVolumeSpec: volumeMode volumeAttributesClassName
    PersistentVolumeClaimStatus: currentVolumeAttributesClassName
    TypedLocalObjectReference: apiGroup
    TypedObjectReference: apiGroup namespace
    ServiceSpec: ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution
    ServicePort: appProtocol
    ClientIPConfig: timeoutSeconds
    LoadBalancerIngress: ipMode
    PortStatus: error
    ServiceAccount: automountServiceAccountToken
    Secret: immutable
    ConfigMap: immutable
    ReplicationControllerSpec: replicas
    ContainerStatus: started stopSignal
    VolumeMountStatus: recursiveReadOnly
    ResourceHealth: message
    PodResourceClaimStatus: resourceClaimName
    PodCertificateProjection: maxExpirationSeconds
    EndpointAddress: nodeName
    EndpointPort: appProtocol name protocol port
    Endpoint: hostname nodeName zone
    EndpointConditions: ready serving terminating
    DeploymentSpec: replicas revisionHistoryLimit progressDeadlineSeconds
    DeploymentStatus: collisionCount terminatingReplicas
    ReplicaSetSpec: replicas
    ReplicaSetStatus: terminatingReplicas
    StatefulSetSpec: replicas revisionHistoryLimit
    StatefulSetStatus: collisionCount
    RollingUpdateStatefulSetStrategy: partition
    DaemonSetSpec: revisionHistoryLimit
    DaemonSetStatus: collisionCount
    JobSpec: parallelism completions activeDeadlineSeconds backoffLimit backoffLimitPerIndex maxFailedIndexes manualSelector
    JobSpec: ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy
    PodFailurePolicyOnExitCodesRequirement: containerName
    SuccessPolicyRule: succeededIndexes succeededCount
    JobStatus: terminating ready failedIndexes
    CronJobSpec: timeZone startingDeadlineSeconds suspend successfulJobsHistoryLimit failedJobsHistoryLimit
    HorizontalPodAutoscalerSpec: minReplicas targetCPUUtilizationPercentage
    HorizontalPodAutoscalerStatus: observedGeneration currentCPUUtilizationPercentage
    HPAScalingRules: stabilizationWindowSeconds selectPolicy
    MetricTarget: averageUtilization
    MetricValueStatus: averageUtilization
    LeaseSpec: holderIdentity leaseDurationSeconds leaseTransitions strategy preferredHolder
    IngressSpec: ingressClassName
    HTTPIngressPath: pathType
    NetworkPolicyPort: protocol endPort
    IngressClassParametersReference: apiGroup scope namespace
    IngressPortStatus: error
    PodDisruptionBudgetSpec: unhealthyPodEvictionPolicy
    PriorityClass: preemptionPolicy
    StorageClass: reclaimPolicy allowVolumeExpansion volumeBindingMode
    ValidatingAdmissionPolicySpec: failurePolicy
    MutatingAdmissionPolicySpec: failurePolicy
    MatchResources: matchPolicy
    NamedRuleWithOperations: scope
    RuleWithOperations: scope
    Validation: reason
    ParamRef: parameterNotFoundAction
    ValidatingWebhook: failurePolicy matchPolicy sideEffects timeoutSeconds
    MutatingWebhook: failurePolicy matchPolicy sideEffects timeoutSeconds reinvocationPolicy
    WebhookClientConfig: url
    ServiceReference: path port
    CertificateSigningRequestSpec: expirationSeconds
    LimitedPriorityLevelConfiguration: nominalConcurrencyShares lendablePercent borrowingLimitPercent
    ExemptPriorityLevelConfiguration: nominalConcurrencyShares lendablePercent
    DeviceClassSpec: extendedResourceName
    DeviceConstraint: matchAttribute distinctAttribute
    ExactDeviceRequest: adminAccess
    DeviceToleration: tolerationSeconds
    DeviceAttribute: bool int string version
    Device: allNodes allowMultipleAllocations bindsToNode nodeName
    DeviceRequestAllocationResult: adminAccess shareID
    AllocatedDeviceStatus: shareID
    ResourceSliceSpec: allNodes nodeName perDeviceNodeSelection
    CustomResourceDefinitionVersion: deprecationWarning
    CustomResourceSubresourceScale: labelSelectorPath
    CSIDriverSpec: attachRequired podInfoOnMount storageCapacity requiresRepublish seLinuxMount fsGroupPolicy
    CSIDriverSpec: nodeAllocatableUpdatePeriodSeconds
    CSIDriverSpec: preventPodSchedulingIfMissing serviceAccountTokenInSecrets
    TokenRequest: expirationSeconds
    VolumeError: errorCode
    VolumeNodeResources: count
    NodeFeatures: supplementalGroupsPolicy
    NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts userNamespaces
    NodeSwapStatus: capacity
    VolumeAttachmentSource: persistentVolumeName
    DeleteOptions: gracePeriodSeconds orphanDependents propagationPolicy
    Preconditions: uid resourceVersion
    TokenRequestSpec: expirationSeconds
""")

# core/v1 EndpointPort has plain fields where discovery/v1's are pointers; the schema's short names collide.
PLAIN = frozenset({("core.v1.EndpointPort", "name"), ("core.v1.EndpointPort", "protocol"), ("core.v1.EndpointPort", "port")})

# Fields without omitempty that the schema does not call required: they are written even when nothing was given.
ALWAYS: dict[str, dict[str, Any]] = {
    "StatefulSetSpec": {"serviceName": ""},
    "StatefulSetOrdinals": {"start": 0},
    "ResourceFieldSelector": {"divisor": "0"},
    "EndpointSlice": {"endpoints": None, "ports": None},
    "LimitRangeSpec": {"limits": None},
    "CSINodeSpec": {"drivers": None},
    "CSINodeDriver": {"topologyKeys": None},
    "AllocatedDeviceStatus": {"conditions": None},
    "DeviceClaim": {"requests": None},
    "ProjectedVolumeSource": {"sources": None},
    "Role": {"rules": None},
    "ClusterRole": {"rules": None},
    "PriorityClass": {"value": 0},
    "StatefulSetStatus": {"availableReplicas": 0, "replicas": 0},
    "ReplicaSetStatus": {"replicas": 0},
    "ReplicationControllerStatus": {"replicas": 0},
    "DaemonSetStatus": {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0},
    "PodDisruptionBudgetStatus": {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0},
    "autoscaling.v2.HorizontalPodAutoscalerStatus": {"currentMetrics": None, "desiredReplicas": 0},
    "Event": {"firstTimestamp": None, "lastTimestamp": None, "eventTime": None, "reportingComponent": "",
              "reportingInstance": ""},
    # times that are structs, not pointers: null while they are zero
    "EventSeries": {"lastObservedTime": None},
    "PodCondition": {"lastProbeTime": None, "lastTransitionTime": None},
    "NodeCondition": {"lastHeartbeatTime": None, "lastTransitionTime": None},
    "NamespaceCondition": {"lastTransitionTime": None},
    "PersistentVolumeClaimCondition": {"lastProbeTime": None, "lastTransitionTime": None},
    "ReplicationControllerCondition": {"lastTransitionTime": None},
    "ReplicaSetCondition": {"lastTransitionTime": None},
    "StatefulSetCondition": {"lastTransitionTime": None},
    "DaemonSetCondition": {"lastTransitionTime": None},
    "DeploymentCondition": {"lastUpdateTime": None, "lastTransitionTime": None},
    "JobCondition": {"lastProbeTime": None, "lastTransitionTime": None},
    "ContainerStateRunning": {"startedAt": None},
    "ContainerStateTerminated": {"startedAt": None, "finishedAt": None},
}

# Struct (not pointer) fields: Go writes them always, {} at least.
STRUCTS = _table("""
    Pod: metadata spec status
    Container: resources
    EphemeralContainer: resources
    Deployment: metadata spec status
    DeploymentSpec: strategy template
    ReplicaSet: metadata spec status
    ReplicationController: metadata spec status
    StatefulSet: metadata spec status
    StatefulSetSpec: updateStrategy template
    DaemonSet: metadata spec status
    DaemonSetSpec: updateStrategy template
    Job: metadata spec status
    JobSpec: template
    CronJob: metadata spec status
    CronJobSpec: jobTemplate
    JobTemplateSpec: metadata spec
    PodTemplateSpec: metadata spec
    PodTemplate: metadata template
    Service: metadata spec status
    ServiceStatus: loadBalancer
    Namespace: metadata spec status
    Node: metadata spec status
    NodeStatus: daemonEndpoints nodeInfo
    NodeDaemonEndpoints: kubeletEndpoint
    PersistentVolumeClaim: metadata spec status
    PersistentVolumeClaimTemplate: metadata spec
    PersistentVolumeClaimSpec: resources
    PersistentVolume: metadata spec status
    ResourceQuota: metadata spec status
    LimitRange: metadata spec
    PodDisruptionBudget: metadata spec status
    Ingress: metadata spec status
    IngressStatus: loadBalancer
    NetworkPolicy: metadata spec
    NetworkPolicySpec: podSelector
    HorizontalPodAutoscaler: metadata spec status
    HorizontalPodAutoscalerSpec: scaleTargetRef
    Lease: metadata spec
    Event: metadata source involvedObject
    ConfigMap: metadata
    Secret: metadata
    ServiceAccount: metadata
    Endpoints: metadata
    EndpointSlice: metadata
    Endpoint: conditions
    Role: metadata
    ClusterRole: metadata
    RoleBinding: metadata roleRef
    ClusterRoleBinding: metadata roleRef
    StorageClass: metadata
    PriorityClass: metadata
    RuntimeClass: metadata
    IngressClass: metadata spec
    ControllerRevision: metadata
    LimitRangeItem:
    ContainerStatus: state lastState
    MetricIdentifier:
    ResourceMetricSource: target
    PodsMetricSource: metric target
    ObjectMetricSource: describedObject metric target
    ExternalMetricSource: metric target
    ContainerResourceMetricSource: target
    Binding: metadata target
    CustomResourceDefinition: metadata spec status
    ResourceClaimTemplateSpec: metadata spec
    ResourceClaimSpec: devices
    AllocationResult: devices
""")

# Fields whose Go type has a name of its own, as type errors print it.
GO_NAMES: dict[tuple[str, str], str] = {
    (kind, name): go for go, pairs in {
        "v1.RestartPolicy": "PodSpec.restartPolicy", "v1.DNSPolicy": "PodSpec.dnsPolicy",
        "v1.PullPolicy": "Container.imagePullPolicy "
        "EphemeralContainer.imagePullPolicy ImageVolumeSource.pullPolicy",
        "v1.Protocol": "ContainerPort.protocol ServicePort.protocol "
        "EndpointPort.protocol NetworkPolicyPort.protocol",
        "v1.ContainerRestartPolicy": "Container.restartPolicy EphemeralContainer.restartPolicy",
        "v1.TerminationMessagePolicy": "Container.terminationMessagePolicy EphemeralContainer.terminationMessagePolicy",
        "v1.URIScheme": "HTTPGetAction.scheme",
        "v1.TaintEffect": "Toleration.effect Taint.effect", "v1.TolerationOperator": "Toleration.operator",
        "v1.StorageMedium": "EmptyDirVolumeSource.medium", "v1.HostPathType": "HostPathVolumeSource.type",
        "v1.MountPropagationMode": "VolumeMount.mountPropagation",
        "v1.PreemptionPolicy": "PodSpec.preemptionPolicy PriorityClass.preemptionPolicy",
        "v1.PodPhase": "PodStatus.phase", "v1.ServiceType": "ServiceSpec.type",
        "v1.ServiceAffinity": "ServiceSpec.sessionAffinity",
        "v1.SecretType": "Secret.type",
        "v1.PersistentVolumeReclaimPolicy": "PersistentVolumeSpec.persistentVolumeReclaimPolicy StorageClass.reclaimPolicy",
        "v1.PersistentVolumeMode": "PersistentVolumeSpec.volumeMode PersistentVolumeClaimSpec.volumeMode",
        "v1.DeploymentStrategyType": "DeploymentStrategy.type",
        "v1.PodManagementPolicyType": "StatefulSetSpec.podManagementPolicy",
        "v1.StatefulSetUpdateStrategyType": "StatefulSetUpdateStrategy.type",
        "v1.DaemonSetUpdateStrategyType": "DaemonSetUpdateStrategy.type",
        "v1.ConcurrencyPolicy": "CronJobSpec.concurrencyPolicy", "v1.CompletionMode": "JobSpec.completionMode",
        "v1.PodReplacementPolicy": "JobSpec.podReplacementPolicy", "v1.PathType": "HTTPIngressPath.pathType",
        "v1.LabelSelectorOperator": "LabelSelectorRequirement.operator",
        "v1.NodeSelectorOperator": "NodeSelectorRequirement.operator",
        "v1.UnsatisfiableConstraintAction": "TopologySpreadConstraint.whenUnsatisfiable",
        "types.UID": "ObjectMeta.uid OwnerReference.uid ObjectReference.uid",
        "v1.LimitType": "LimitRangeItem.type", "v1.PodFSGroupChangePolicy": "PodSecurityContext.fsGroupChangePolicy",
        "v1.SeccompProfileType": "SeccompProfile.type", "v1.VolumeBindingMode": "StorageClass.volumeBindingMode",
        "v1.ResourceList": "ResourceRequirements.limits ResourceRequirements.requests VolumeResourceRequirements.limits "
        "VolumeResourceRequirements.requests ResourceQuotaSpec.hard PersistentVolumeSpec.capacity PodSpec.overhead "
        "LimitRangeItem.max LimitRangeItem.min LimitRangeItem.default LimitRangeItem.defaultRequest "
        "LimitRangeItem.maxLimitRequestRatio NodeStatus.capacity NodeStatus.allocatable PersistentVolumeClaimStatus.capacity "
        "ResourceQuotaStatus.hard ResourceQuotaStatus.used",
        "[]v1.PersistentVolumeAccessMode": "PersistentVolumeSpec.accessModes PersistentVolumeClaimSpec.accessModes",
        "[]v1.Capability": "Capabilities.add Capabilities.drop", "[]v1.PolicyType": "NetworkPolicySpec.policyTypes",
        "[]v1.IPFamily": "ServiceSpec.ipFamilies", "v1.ServiceExternalTrafficPolicy": "ServiceSpec.externalTrafficPolicy",
        "v1.ServiceInternalTrafficPolicy": "ServiceSpec.internalTrafficPolicy", "v1.IPFamilyPolicy": "ServiceSpec.ipFamilyPolicy",
        "v2.MetricSourceType": "MetricSpec.type", "v2.MetricTargetType": "MetricTarget.type",
        "v1.ResourceName": "ResourceMetricSource.name ContainerResizePolicy.resourceName",
        "v1.AzureDataDiskCachingMode": "AzureDiskVolumeSource.cachingMode", "v1.AzureDataDiskKind": "AzureDiskVolumeSource.kind",
        "v1.ResourceResizeRestartPolicy": "ContainerResizePolicy.restartPolicy", "v1.ProcMountType": "SecurityContext.procMount",
        "v1.ContainerRestartRuleAction": "ContainerRestartRule.action",
        "v1.ContainerRestartRuleOnExitCodesOperator": "ContainerRestartRuleOnExitCodes.operator",
        "v1.AppArmorProfileType": "AppArmorProfile.type", "v1.SupplementalGroupsPolicy": "PodSecurityContext.supplementalGroupsPolicy",
        "v1.PodSELinuxChangePolicy": "PodSecurityContext.seLinuxChangePolicy", "v1.RecursiveReadOnlyMode": "VolumeMount.recursiveReadOnly",
        "v1.NodeInclusionPolicy": "TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy",
        "v1.PodConditionType": "PodReadinessGate.conditionType PodCondition.type", "v1.PodQOSClass": "PodStatus.qosClass",
        "v1.Signal": "Lifecycle.stopSignal", "v1.LoadBalancerIPMode": "LoadBalancerIngress.ipMode", "v1.NodeAddressType": "NodeAddress.type",
        "v1.ConditionStatus": "PodCondition.status NodeCondition.status", "v1.NodeConditionType": "NodeCondition.type",
        "[]v1.FinalizerName": "NamespaceSpec.finalizers", "v1.NamespacePhase": "NamespaceStatus.phase",
        "v1.PersistentVolumePhase": "PersistentVolumeStatus.phase", "v1.PersistentVolumeClaimPhase": "PersistentVolumeClaimStatus.phase",
        "[]v1.ResourceQuotaScope": "ResourceQuotaSpec.scopes", "v1.ResourceQuotaScope": "ScopedResourceSelectorRequirement.scopeName",
        "v1.ScopeSelectorOperator": "ScopedResourceSelectorRequirement.operator",
        "v1.OSName": "PodOS.name", "v1.AddressType": "EndpointSlice.addressType",
    }.items() for kind, _, name in (pair.partition(".") for pair in pairs.split())
}


@lru_cache(maxsize=1)
def definitions() -> dict[str, dict[str, Any]]:
    """Every type of the API by its full name, such as `io.k8s.api.core.v1.Container`."""
    base = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / "v1.36.0-local" / "_definitions.json"
    found: dict[str, dict[str, Any]] = json.loads(base.read_text(encoding="utf-8"))["$defs"]
    return {**found, CUSTOM: {"type": "object", "properties": {name: found[PREFIX + "core.v1.ConfigMap"]["properties"][name]
                                                              for name in ("apiVersion", "kind", "metadata")}}}


@lru_cache(maxsize=1)
def _by_kind() -> dict[tuple[str, str, str], str]:
    return {(gvk["group"], gvk["version"], gvk["kind"]): name for name, definition in definitions().items()
            for gvk in definition.get("x-kubernetes-group-version-kind") or ()
            if name.endswith("." + gvk["kind"])}


def type_of(resource: Resource) -> str:
    """The full name of a kind's type, such as `io.k8s.api.apps.v1.Deployment`."""
    return CUSTOM if resource.custom is not None else _by_kind()[resource.group, resource.version, resource.kind]


def short(name: str) -> str:
    """`Container` of `io.k8s.api.core.v1.Container`."""
    return name.rsplit(".", 1)[1]


def go_name(name: str) -> str:
    """A type as Go's messages print it: the last part of its package, and its name (`v1.Container`)."""
    parts = name.rsplit(".", 2)
    return f"{parts[1]}.{parts[2]}"


def is_pointer(type_name: str, field: str) -> bool:
    return (short(type_name), field) in POINTERS and (type_name.removeprefix(PREFIX), field) not in PLAIN


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """How one field merges. `kind` is "struct", "list", "map" or "scalar"; `type` the struct type of it or of its items."""

    kind: str
    type: str = ""
    patch_strategies: tuple[str, ...] = ()  # of "merge", "replace", "retainKeys"
    patch_merge_key: str = ""
    list_type: str = ""  # "atomic", "set", "map" or ""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""  # "atomic" or ""


@lru_cache(maxsize=8192)
def field_facts(type_name: str, field: str) -> FieldFacts | None:
    """The merge facts of a struct's field; None where the struct has no such field."""
    schema = definitions().get(type_name, {}).get("properties", {}).get(field)
    if schema is None:
        return None
    kinds = schema.get("type") or ()
    if isinstance(kinds, str):
        kinds = (kinds,)
    target = _ref(schema)
    common: dict[str, Any] = {
        "patch_strategies": tuple(filter(None, (schema.get("x-kubernetes-patch-strategy") or "").split(","))),
        "patch_merge_key": schema.get("x-kubernetes-patch-merge-key") or "",
        "list_type": schema.get("x-kubernetes-list-type") or "",
        "list_map_keys": tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        "map_type": schema.get("x-kubernetes-map-type") or (definitions().get(target, {}).get("x-kubernetes-map-type") or ""),
    }
    if target:
        return FieldFacts("struct" if definitions()[target].get("properties") else "scalar", target, **common)
    if "array" in kinds:
        return FieldFacts("list", _ref(schema.get("items") or {}), **common)
    if "object" in kinds:
        return FieldFacts("map", _ref(schema.get("additionalProperties") or {}), **common)
    return FieldFacts("scalar", **common)


def _ref(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref") or "").removeprefix("#/$defs/")
