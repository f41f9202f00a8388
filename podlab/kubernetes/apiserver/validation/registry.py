"""Which checks belong to which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import (
    admission_kinds,
    batch,
    cluster_kinds,
    core,
    definitions,
    devices,
    endpoints,
    flow_control,
    networking,
    pod_updates,
    pods,
    policy,
    rbac,
    services,
    storage,
    storage_kinds,
    words,
    workloads,
)
from .metadata import Errors, NameCheck

Object = Mapping[str, Any]
Check = Callable[[Object, Errors, Any], None]
UpdateCheck = Callable[[Object, Object, Errors], None]


def nothing(*_: Any) -> None:
    """The check of what cannot be wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The checks of one kind. Where nothing is said of updates, the new object is held to the rules of a new one."""

    create: Check = nothing
    update: UpdateCheck | None = None
    status: UpdateCheck = nothing
    bad_name: NameCheck = words.bad_subdomain

    def check_update(self, new: Object, old: Object, errors: Errors) -> None:
        if self.update:
            self.update(new, old, errors)
        else:
            self.create(new, errors, None)


KINDS: dict[str, Kind] = {
    "APIService": Kind(cluster_kinds.api_service, bad_name=words.bad_path_segment),
    "Binding": Kind(),  # subresources.target_of looks at it
    "ComponentStatus": Kind(),
    "CSIDriver": Kind(storage_kinds.csi_driver, storage_kinds.csi_driver_update),
    "CSINode": Kind(storage_kinds.csi_node),
    "CSIStorageCapacity": Kind(storage_kinds.csi_storage_capacity, storage_kinds.csi_storage_capacity_update),
    "CertificateSigningRequest": Kind(cluster_kinds.certificate_signing_request, bad_name=words.bad_path_segment),
    "ConfigMap": Kind(core.config_map, core.config_map_update),
    "ControllerRevision": Kind(workloads.controller_revision, workloads.controller_revision_update),
    "ClusterRole": Kind(rbac.cluster_role, bad_name=words.bad_path_segment),
    "ClusterRoleBinding": Kind(rbac.cluster_role_binding, rbac.cluster_role_binding_update, bad_name=words.bad_path_segment),
    "CronJob": Kind(batch.cronjob, batch.cronjob_update),
    "CustomResourceDefinition": Kind(definitions.create, definitions.update),
    "DaemonSet": Kind(workloads.daemonset, workloads.daemonset_update),
    "Deployment": Kind(workloads.deployment, workloads.deployment_update),
    "DeviceClass": Kind(devices.device_class),
    "EndpointSlice": Kind(endpoints.endpoint_slice, endpoints.endpoint_slice_update),
    "Endpoints": Kind(endpoints.endpoints),
    "Event": Kind(core.event),
    "FlowSchema": Kind(flow_control.flow_schema),
    "HorizontalPodAutoscaler": Kind(policy.autoscaler),
    "IPAddress": Kind(cluster_kinds.ip_address, cluster_kinds.ip_address_update, bad_name=cluster_kinds.bad_address_name),
    "Ingress": Kind(networking.ingress, networking.ingress_update),
    "IngressClass": Kind(networking.ingress_class, networking.ingress_class_update),
    "Job": Kind(batch.job, batch.job_update),
    "Lease": Kind(core.lease),
    "LimitRange": Kind(policy.limit_range),
    "MutatingAdmissionPolicy": Kind(admission_kinds.mutating_admission_policy),
    "MutatingAdmissionPolicyBinding": Kind(admission_kinds.mutating_admission_policy_binding),
    "MutatingWebhookConfiguration": Kind(admission_kinds.webhook_configuration),
    "Namespace": Kind(core.namespace, nothing, core.namespace_status, words.bad_label),
    "NetworkPolicy": Kind(networking.network_policy),
    "Node": Kind(core.node, core.node_update),
    "PersistentVolume": Kind(storage.volume, storage.volume_update),
    "PersistentVolumeClaim": Kind(storage.claim, storage.claim_update),
    "Pod": Kind(pods.create, pod_updates.update, pod_updates.status),
    "PodDisruptionBudget": Kind(policy.disruption_budget),
    "PodTemplate": Kind(workloads.pod_template),
    "PriorityClass": Kind(policy.priority_class, policy.priority_class_update),
    "PriorityLevelConfiguration": Kind(flow_control.priority_level),
    "ReplicaSet": Kind(workloads.replicaset, workloads.replicaset_update),
    "ReplicationController": Kind(workloads.replication_controller, status=workloads.replication_controller_status),
    "ResourceClaim": Kind(devices.resource_claim, devices.claim_update),
    "ResourceClaimTemplate": Kind(devices.resource_claim_template, devices.claim_template_update),
    "ResourceQuota": Kind(policy.resource_quota, policy.resource_quota_update, policy.resource_quota_status),
    "ResourceSlice": Kind(devices.resource_slice, devices.resource_slice_update),
    "Role": Kind(rbac.role, bad_name=words.bad_path_segment),
    "RoleBinding": Kind(rbac.role_binding, rbac.role_binding_update, bad_name=words.bad_path_segment),
    "RuntimeClass": Kind(core.runtime_class, core.runtime_class_update),
    "Secret": Kind(core.secret, core.secret_update),
    "Service": Kind(services.service, services.service_update, services.service_status, words.bad_label),
    "ServiceCIDR": Kind(cluster_kinds.service_cidr, cluster_kinds.service_cidr_update),
    "ServiceAccount": Kind(),
    "StatefulSet": Kind(workloads.statefulset, workloads.statefulset_update, workloads.statefulset_status, words.bad_label),
    "StorageClass": Kind(storage_kinds.storage_class, storage_kinds.storage_class_update),
    "ValidatingAdmissionPolicy": Kind(admission_kinds.validating_admission_policy),
    "ValidatingAdmissionPolicyBinding": Kind(admission_kinds.validating_admission_policy_binding),
    "ValidatingWebhookConfiguration": Kind(admission_kinds.webhook_configuration),
    "VolumeAttachment": Kind(storage_kinds.volume_attachment, storage_kinds.volume_attachment_update),
    "VolumeAttributesClass": Kind(storage_kinds.volume_attributes_class, storage_kinds.volume_attributes_class_update),
}
