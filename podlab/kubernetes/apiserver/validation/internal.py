"""Pod specs as the API server sees them inside: the Go structs behind a message that shows a whole value or a difference.

Refusals that print a struct print the server's internal type (pkg/apis/core/types.go), every field by its Go name and in
its order, unset ones as null or zero. The difference of two specs is a unified diff of such texts (apimachinery/pkg/util/diff).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

# Type: GoField[=jsonName][:kind] ... in the order of the Go struct. Kinds: `*T` pointer to a struct, `T` struct, `[]T` list of
# structs, `i` int and `b` bool (zero when unset); without a kind the value itself, null when unset; `s` string, "" when unset.
TYPES_TEXT = """
PodSpec Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]EphemeralContainer
 RestartPolicy:s TerminationGracePeriodSeconds ActiveDeadlineSeconds DNSPolicy=dnsPolicy:s NodeSelector ServiceAccountName:s
 AutomountServiceAccountToken NodeName:s SecurityContext:*PodSecurityContext ImagePullSecrets:[]LocalObjectReference
 Hostname:s Subdomain:s SetHostnameAsFQDN HostnameOverride Affinity:*Affinity SchedulerName:s Tolerations:[]Toleration
 HostAliases:[]HostAlias PriorityClassName:s Priority PreemptionPolicy DNSConfig=dnsConfig:*PodDNSConfig
 ReadinessGates:[]PodReadinessGate RuntimeClassName Overhead EnableServiceLinks
 TopologySpreadConstraints:[]TopologySpreadConstraint OS=os:*PodOS SchedulingGates:[]PodSchedulingGate
 ResourceClaims:[]PodResourceClaim Resources:*ResourceRequirements SchedulingGroup
PodSecurityContext HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace HostUsers
 SELinuxOptions=seLinuxOptions:*SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot SupplementalGroups
 SupplementalGroupsPolicy FSGroup=fsGroup FSGroupChangePolicy=fsGroupChangePolicy Sysctls:[]Sysctl
 SeccompProfile:*SeccompProfile AppArmorProfile:*AppArmorProfile SELinuxChangePolicy=seLinuxChangePolicy
SELinuxOptions User:s Role:s Type:s Level:s
Sysctl Name:s Value:s
SeccompProfile Type:s LocalhostProfile
AppArmorProfile Type:s LocalhostProfile
LocalObjectReference Name:s
Volume Name:s HostPath:*HostPathVolumeSource EmptyDir:*EmptyDirVolumeSource GCEPersistentDisk AWSElasticBlockStore GitRepo
 Secret:*SecretVolumeSource NFS=nfs:*NFSVolumeSource ISCSI Glusterfs PersistentVolumeClaim:*PersistentVolumeClaimVolumeSource
 RBD Quobyte FlexVolume Cinder CephFS Flocker DownwardAPI=downwardAPI:*DownwardAPIVolumeSource FC AzureFile
 ConfigMap:*ConfigMapVolumeSource VsphereVolume AzureDisk PhotonPersistentDisk Projected:*ProjectedVolumeSource PortworxVolume
 ScaleIO StorageOS CSI=csi Ephemeral Image:*ImageVolumeSource
PersistentVolumeSource GCEPersistentDisk AWSElasticBlockStore HostPath:*HostPathVolumeSource Glusterfs NFS=nfs:*NFSVolumeSource RBD
 Quobyte ISCSI FlexVolume Cinder CephFS FC Flocker AzureFile VsphereVolume AzureDisk PhotonPersistentDisk PortworxVolume ScaleIO
 Local:*LocalVolumeSource StorageOS CSI=csi:*CSIPersistentVolumeSource
LocalVolumeSource Path:s FSType=fsType
CSIPersistentVolumeSource Driver:s VolumeHandle:s ReadOnly:b FSType=fsType:s VolumeAttributes ControllerPublishSecretRef:*SecretReference
 NodeStageSecretRef:*SecretReference NodePublishSecretRef:*SecretReference ControllerExpandSecretRef:*SecretReference
 NodeExpandSecretRef:*SecretReference
SecretReference Name:s Namespace:s
HostPathVolumeSource Path:s Type
EmptyDirVolumeSource Medium:s SizeLimit
SecretVolumeSource SecretName:s Items:[]KeyToPath DefaultMode Optional
NFSVolumeSource Server:s Path:s ReadOnly:b
PersistentVolumeClaimVolumeSource ClaimName:s ReadOnly:b
DownwardAPIVolumeSource Items:[]DownwardAPIVolumeFile DefaultMode
DownwardAPIVolumeFile Path:s FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector Mode
ConfigMapVolumeSource Name:s Items:[]KeyToPath DefaultMode Optional
ImageVolumeSource Reference:s PullPolicy:s
KeyToPath Key:s Path:s Mode
ProjectedVolumeSource Sources:[]VolumeProjection DefaultMode
VolumeProjection Secret:*SecretProjection DownwardAPI=downwardAPI:*DownwardAPIProjection ConfigMap:*ConfigMapProjection
 ServiceAccountToken:*ServiceAccountTokenProjection ClusterTrustBundle PodCertificate
SecretProjection Name:s Items:[]KeyToPath Optional
ConfigMapProjection Name:s Items:[]KeyToPath Optional
DownwardAPIProjection Items:[]DownwardAPIVolumeFile
ServiceAccountTokenProjection Audience:s ExpirationSeconds:i Path:s
ClusterTrustBundleProjection Name SignerName LabelSelector Optional Path:s
ObjectFieldSelector APIVersion=apiVersion:s FieldPath:s
ResourceFieldSelector ContainerName:s Resource:s Divisor:q
Container Name:s Image:s Command Args WorkingDir:s Ports:[]ContainerPort EnvFrom:[]EnvFromSource Env:[]EnvVar
 Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy RestartPolicy RestartPolicyRules
 VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe
 Lifecycle:*Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:*SecurityContext
 Stdin:b StdinOnce:b TTY=tty:b
EphemeralContainer +Container TargetContainerName:s
ContainerPort Name:s HostPort:i ContainerPort:i Protocol:s HostIP=hostIP:s
EnvFromSource Prefix:s ConfigMapRef:*RefSource SecretRef:*RefSource
RefSource Name:s Optional
EnvVar Name:s Value:s ValueFrom:*EnvVarSource
EnvVarSource FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector ConfigMapKeyRef:*KeySelector
 SecretKeyRef:*KeySelector FileKeyRef
KeySelector Name:s Key:s Optional
ResourceRequirements Limits Requests Claims
ContainerResizePolicy ResourceName:s RestartPolicy:s
VolumeMount Name:s ReadOnly:b RecursiveReadOnly MountPath:s SubPath:s MountPropagation SubPathExpr:s
VolumeDevice Name:s DevicePath:s
Probe Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction TCPSocket=tcpSocket:*TCPSocketAction GRPC=grpc:*GRPCAction
 InitialDelaySeconds:i TimeoutSeconds:i PeriodSeconds:i SuccessThreshold:i FailureThreshold:i TerminationGracePeriodSeconds
ExecAction Command
HTTPGetAction Path:s Port Host:s Scheme:s HTTPHeaders=httpHeaders:[]HTTPHeader
HTTPHeader Name:s Value:s
TCPSocketAction Port Host:s
GRPCAction Port:i Service
SleepAction Seconds:i
Lifecycle PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal
LifecycleHandler Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction TCPSocket=tcpSocket:*TCPSocketAction Sleep:*SleepAction
SecurityContext Capabilities:*Capabilities Privileged SELinuxOptions=seLinuxOptions:*SELinuxOptions WindowsOptions RunAsUser
 RunAsGroup RunAsNonRoot ReadOnlyRootFilesystem AllowPrivilegeEscalation ProcMount SeccompProfile:*SeccompProfile
 AppArmorProfile:*AppArmorProfile
Capabilities Add Drop
Affinity NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity
NodeAffinity RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector
 PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
NodeSelector NodeSelectorTerms:[]NodeSelectorTerm
NodeSelectorTerm MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement
NodeSelectorRequirement Key:s Operator:s Values
PreferredSchedulingTerm Weight:i Preference:NodeSelectorTerm
PodAffinity RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
 PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
PodAffinityTerm LabelSelector Namespaces TopologyKey:s NamespaceSelector MatchLabelKeys MismatchLabelKeys
WeightedPodAffinityTerm Weight:i PodAffinityTerm:PodAffinityTerm
Toleration Key:s Operator:s Value:s Effect:s TolerationSeconds
HostAlias IP=ip:s Hostnames
PodDNSConfig Nameservers Searches Options:[]PodDNSConfigOption
PodDNSConfigOption Name:s Value
PodReadinessGate ConditionType:s
TopologySpreadConstraint MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector MinDomains NodeAffinityPolicy
 NodeTaintsPolicy MatchLabelKeys
PodOS Name:s
PodSchedulingGate Name:s
PodResourceClaim Name:s ResourceClaimName ResourceClaimTemplateName
DeploymentStrategy Type:s RollingUpdate:*RollingUpdateDeployment
RollingUpdateDeployment MaxUnavailable MaxSurge
PodDisruptionBudgetSpec MinAvailable Selector MaxUnavailable UnhealthyPodEvictionPolicy
StatefulSetUpdateStrategy Type:s RollingUpdate:*RollingUpdateStatefulSetStrategy
RollingUpdateStatefulSetStrategy Partition:i MaxUnavailable
PersistentVolumeClaimSpec AccessModes Selector Resources:VolumeResourceRequirements VolumeName:s StorageClassName VolumeMode
 DataSource:*TypedLocalObjectReference DataSourceRef:*TypedObjectReference VolumeAttributesClassName
VolumeResourceRequirements Limits Requests
TypedLocalObjectReference APIGroup=apiGroup Kind:s Name:s
TypedObjectReference APIGroup=apiGroup Kind:s Name:s Namespace
RoleRef APIGroup=apiGroup:s Kind:s Name:s
SuccessPolicy Rules:[]SuccessPolicyRule
SuccessPolicyRule SucceededIndexes SucceededCount
PodFailurePolicy Rules:[]PodFailurePolicyRule
PodFailurePolicyRule Action:s OnExitCodes:*OnExitCodes OnPodConditions:[]OnPodConditionsPattern
OnExitCodes ContainerName Operator:s Values
OnPodConditionsPattern Type:s Status:s
VolumeNodeAffinity Required:*NodeSelector
VolumeAttachmentSpec Attacher:s Source:VolumeAttachmentSource NodeName:s
VolumeAttachmentSource PersistentVolumeName InlineVolumeSpec
ResourceClaimSpec Devices:DeviceClaim
DeviceClaim Requests:[]DeviceRequest Constraints:[]DeviceConstraint Config:[]DeviceClaimConfiguration
DeviceRequest Name:s Exactly:*ExactDeviceRequest FirstAvailable:[]DeviceSubRequest
ExactDeviceRequest DeviceClassName:s Selectors:[]DeviceSelector AllocationMode:s Count:i AdminAccess
 Tolerations:[]DeviceToleration Capacity:*CapacityRequirements
DeviceSubRequest Name:s DeviceClassName:s Selectors:[]DeviceSelector AllocationMode:s Count:i
 Tolerations:[]DeviceToleration Capacity:*CapacityRequirements
DeviceSelector CEL=cel:*CELDeviceSelector
CELDeviceSelector Expression:s
DeviceToleration Key:s Operator:s Value:s Effect:s TolerationSeconds
CapacityRequirements Requests
DeviceConstraint Requests MatchAttribute DistinctAttribute
DeviceClaimConfiguration Requests Opaque:*OpaqueDeviceConfiguration
OpaqueDeviceConfiguration Driver:s Parameters
"""

# Fields that the server keeps in a Pod's security context though its API has them in the spec
IN_CONTEXT = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
ZERO: dict[str, Any] = {"s": "", "i": 0, "b": False, "q": "0"}
JSON_NAMES = {"GCEPersistentDisk": "gcePersistentDisk", "AWSElasticBlockStore": "awsElasticBlockStore", "ISCSI": "iscsi",
              "RBD": "rbd",
              "CephFS": "cephfs", "FC": "fc", "ScaleIO": "scaleIO", "StorageOS": "storageos"}

Field = tuple[str, str, str]  # Go name, JSON name, kind


def _parse(text: str) -> dict[str, tuple[Field, ...]]:
    types: dict[str, tuple[Field, ...]] = {}
    for line in text.replace("\n ", " ").strip().splitlines():
        name, *parts = line.split()
        fields: list[Field] = []
        for part in parts:
            if part.startswith("+"):
                fields += types[part[1:]]
                continue
            head, _, kind = part.partition(":")
            go, _, plain = head.partition("=")
            fields.append((go, plain or JSON_NAMES.get(go) or go[0].lower() + go[1:], kind))
        types[name] = tuple(fields)
    return types


TYPES = _parse(TYPES_TEXT)


def internal(kind: str, value: Object) -> dict[str, Any]:
    """A value of the API as its internal Go struct, ready for json.dumps."""
    if kind == "PodSpec":
        context = {**(value.get("securityContext") or {}), **{name: value[name] for name in IN_CONTEXT if name in value}}
        value = {**value, "securityContext": context}
    return {go: _field(kind_of, value.get(name)) for go, name, kind_of in TYPES[kind]}


def _field(kind: str, value: Any) -> Any:
    if kind in ZERO:
        return ZERO[kind] if value is None else value
    if kind.startswith("[]"):
        return None if value is None else [internal(kind[2:], one) for one in value]
    if kind.startswith("*"):
        return None if value is None else internal(kind[1:], value)
    if kind:
        return internal(kind, value or {})
    return value


def spec_diff(old: Object, new: Object, kind: str = "PodSpec") -> str:
    """How two values differ inside, as the server's messages show it: hunks with three lines around each change."""
    before, after = (json.dumps(internal(kind, value), indent=1, ensure_ascii=False).splitlines() for value in (old, new))
    lines = [*difflib.unified_diff(before, after, lineterm="", n=3)][2:]
    return "".join(line + "\n" for line in lines)
