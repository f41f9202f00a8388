"""Server-side tables: what `kubectl get` shows of every kind (pkg/printers/internalversion/printers.go, v1.36)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...resources import Resource
from . import cluster, configuration, custom, network, pods, workloads
from .texts import Obj

Cells = Callable[[Obj, int], list[Any]]
METADATA_KIND = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
FINISHED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def _columns(text: str) -> list[dict[str, Any]]:
    """Column definitions of a `|`-separated list; `*` marks those of -o wide only, `#` whole numbers, `?` true or false."""
    made = []
    for name in text.split("|"):
        marks = name[:len(name) - len(name.lstrip("*#?"))]
        name = name[len(marks):]
        made.append({"name": name, "type": "integer" if "#" in marks else "boolean" if "?" in marks else "string",
                     "format": "name" if name == "Name" else "", "description": "", "priority": 1 if "*" in marks else 0})
    return made


_TEMPLATE = "*Containers|*Images"
PRINTERS: dict[str, tuple[list[dict[str, Any]], Cells]] = {plural: (_columns(text), cells) for plural, text, cells in (
    ("pods", "Name|Ready|Status|Restarts|Age|*IP|*Node|*Nominated Node|*Readiness Gates", pods.pod_cells),
    ("podtemplates", "Name|Containers|Images|Pod Labels", workloads.podtemplate_cells),
    ("deployments", f"Name|Ready|Up-to-date|Available|Age|{_TEMPLATE}|*Selector", workloads.deployment_cells),
    ("replicasets", f"Name|#Desired|#Current|#Ready|Age|{_TEMPLATE}|*Selector", workloads.replicaset_cells),
    ("replicationcontrollers", f"Name|#Desired|#Current|#Ready|Age|{_TEMPLATE}|*Selector", workloads.replicationcontroller_cells),
    ("scales", "Name|#Desired|#Available|Age", workloads.scale_cells),
    ("statefulsets", f"Name|Ready|Age|{_TEMPLATE}", workloads.statefulset_cells),
    ("daemonsets", f"Name|#Desired|#Current|#Ready|#Up-to-date|#Available|Node Selector|Age|{_TEMPLATE}|*Selector",
     workloads.daemonset_cells),
    ("jobs", f"Name|Status|Completions|Duration|Age|{_TEMPLATE}|*Selector", workloads.job_cells),
    ("cronjobs", f"Name|Schedule|Timezone|?Suspend|#Active|Last Schedule|Age|{_TEMPLATE}|*Selector", workloads.cronjob_cells),
    ("controllerrevisions", "Name|Controller|Revision|Age", workloads.controllerrevision_cells),
    ("horizontalpodautoscalers", "Name|Reference|Targets|MinPods|MaxPods|Replicas|Age", workloads.horizontalpodautoscaler_cells),
    ("poddisruptionbudgets", "Name|Min Available|Max Unavailable|#Allowed Disruptions|Age", workloads.poddisruptionbudget_cells),
    ("services", "Name|Type|Cluster-IP|External-IP|Port(s)|Age|*Selector", network.service_cells),
    ("endpoints", "Name|Endpoints|Age", network.endpoints_cells),
    ("endpointslices", "Name|AddressType|Ports|Endpoints|Age", network.endpointslice_cells),
    ("ingresses", "Name|Class|Hosts|Address|Ports|Age", network.ingress_cells),
    ("ingressclasses", "Name|Controller|Parameters|Age", network.ingressclass_cells),
    ("networkpolicies", "Name|Pod-Selector|Age", network.networkpolicy_cells),
    ("nodes", "Name|Status|Roles|Age|Version|*Internal-IP|*External-IP|*OS-Image|*Kernel-Version|*Container-Runtime",
     cluster.node_cells),
    ("namespaces", "Name|Status|Age", cluster.namespace_cells),
    ("events", "Last Seen|Type|Reason|Object|*Subobject|*Source|Message|*First Seen|*Count|*Name", cluster.event_cells),
    ("configmaps", "Name|Data|Age", cluster.configmap_cells),
    ("secrets", "Name|Type|Data|Age", cluster.secret_cells),
    ("serviceaccounts", "Name|Age", cluster.name_and_age),  # without Secrets since v1.35
    ("componentstatuses", "Name|Status|Message|Error", cluster.componentstatus_cells),
    ("persistentvolumes", "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age"
     "|*VolumeMode", cluster.persistentvolume_cells),
    ("persistentvolumeclaims", "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|*VolumeMode",
     cluster.persistentvolumeclaim_cells),
    ("storageclasses", "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age", cluster.storageclass_cells),
    ("leases", "Name|Holder|Age", cluster.lease_cells),
    ("resourcequotas", "Name|Request|Limit|Age", cluster.resourcequota_cells),
    ("priorityclasses", "Name|#Value|?Global-Default|Age|PreemptionPolicy", cluster.priorityclass_cells),
    ("runtimeclasses", "Name|Handler|Age", cluster.runtimeclass_cells),
    ("rolebindings", "Name|Role|Age|*Users|*Groups|*ServiceAccounts", cluster.rolebinding_cells),
    ("clusterrolebindings", "Name|Role|Age|*Users|*Groups|*ServiceAccounts", cluster.rolebinding_cells),
    ("roles", "Name|Created At", cluster.name_and_creation),
    ("clusterroles", "Name|Created At", cluster.name_and_creation),
    ("limitranges", "Name|Created At", cluster.name_and_creation),
    ("customresourcedefinitions", "Name|Created At", cluster.name_and_creation),
    ("mutatingwebhookconfigurations", "Name|#Webhooks|Age", configuration.webhook_configuration_cells),
    ("validatingwebhookconfigurations", "Name|#Webhooks|Age", configuration.webhook_configuration_cells),
    ("validatingadmissionpolicies", "Name|#Validations|ParamKind|Age", configuration.admission_policy_cells),
    ("mutatingadmissionpolicies", "Name|#Mutations|ParamKind|Age", configuration.admission_policy_cells),
    ("validatingadmissionpolicybindings", "Name|PolicyName|ParamRef|Age", configuration.admission_policy_binding_cells),
    ("mutatingadmissionpolicybindings", "Name|PolicyName|ParamRef|Age", configuration.admission_policy_binding_cells),
    ("apiservices", "Name|Service|Available|Age", configuration.api_service_cells),
    ("certificatesigningrequests", "Name|Age|SignerName|Requestor|RequestedDuration|Condition",
     configuration.certificate_signing_request_cells),
    ("flowschemas", "Name|PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL", configuration.flow_schema_cells),
    ("prioritylevelconfigurations", "Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age",
     configuration.priority_level_cells),
    ("ipaddresses", "Name|ParentRef", configuration.ip_address_cells),
    ("servicecidrs", "Name|CIDRs|Age", configuration.service_cidr_cells),
    ("resourceclaims", "Name|State|Age", configuration.resource_claim_cells),
    ("resourceslices", "Name|Node|Driver|Pool|Age", configuration.resource_slice_cells),
    ("csidrivers", "Name|?AttachRequired|?PodInfoOnMount|?StorageCapacity|TokenRequests|?RequiresRepublish|Modes|Age",
     configuration.csi_driver_cells),
    ("csinodes", "Name|#Drivers|Age", configuration.csi_node_cells),
    ("csistoragecapacities", "Name|StorageClassName|Capacity", configuration.csi_storage_capacity_cells),
    ("volumeattachments", "Name|Attacher|PV|Node|?Attached|Age", configuration.volume_attachment_cells),
    ("volumeattributesclasses", "Name|DriverName|Age", configuration.volume_attributes_class_cells),
)}
CUSTOM = (_columns("Name|Age"), cluster.name_and_age)


def table(resource: Resource, objects: Sequence[Obj], now: int) -> dict[str, Any]:
    """The body of a meta.k8s.io/v1 Table: `{"columnDefinitions": [...], "rows": [{"cells": [...], "object": {...}}]}`.

    `now` is virtual milliseconds since the Unix epoch. Cells follow the columns, those with priority 1 (-o wide) included;
    `object` is the row's metadata alone (includeObject=Metadata), from which clients print namespaces and labels.
    """
    if resource.plural == "flowschemas":  # FlowSchemaSequence: in the order in which requests are held against them
        objects = sorted(objects, key=configuration.flow_schema_order)
    columns, cells = PRINTERS.get(resource.plural, CUSTOM) if resource.custom is None else custom.printer(resource.custom)
    return {"columnDefinitions": columns, "rows": [_row(resource, obj, cells(obj, now)) for obj in objects]}


def _row(resource: Resource, obj: Mapping[str, Any], cells: list[Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": cells, "object": {**METADATA_KIND, "metadata": obj["metadata"]}}
    phase = (obj.get("status") or {}).get("phase") if resource.plural == "pods" else None
    if phase in FINISHED:
        row["conditions"] = [{"type": "Completed", "status": "True", "reason": phase, "message": FINISHED[phase]}]
    return row
