"""The controllers of kube-controller-manager, one file each, named as Kubernetes names them. They meet in the store only."""

from __future__ import annotations

from ..component import Component
from .apiservice_availability import AvailableConditionController
from .certificate_signing import CertificateSigningController
from .clusterrole_aggregation import ClusterRoleAggregationController
from .cronjob import CronJobController
from .customresourcedefinition import CustomResourceDefinitionController
from .daemonset import DaemonSetController
from .deployment import DeploymentController
from .disruption import DisruptionController
from .endpoints import EndpointsController
from .endpointslice import EndpointSliceController
from .endpointslice_mirroring import EndpointSliceMirroringController
from .ephemeral_volume import EphemeralVolumeController
from .garbage_collector import GarbageCollector
from .horizontalpodautoscaler import HorizontalPodAutoscalerController
from .job import JobController
from .kubernetes_service import KubernetesServiceController
from .namespace import NamespaceController
from .node_lifecycle import NodeLifecycleController
from .persistentvolume_binder import PersistentVolumeBinder
from .pod_gc import PodGCController
from .pv_protection import PVProtectionController
from .pvc_protection import PVCProtectionController
from .replicaset import ReplicaSetController
from .replicationcontroller import ReplicationControllerController
from .resourceclaim import ResourceClaimController
from .resourcequota import ResourceQuotaController
from .root_ca_cert_publisher import RootCACertPublisher
from .serviceaccount import ServiceAccountController
from .serviceaccount_tokens import TokensController
from .servicecidrs import ServiceCIDRController
from .statefulset import StatefulSetController
from .taint_eviction import TaintEvictionController
from .token_cleaner import TokenCleaner
from .ttl_after_finished import TTLAfterFinishedController
from .validatingadmissionpolicy_status import ValidatingAdmissionPolicyStatusController
from .volume_expand import VolumeExpandController

CONTROLLERS: tuple[type[Component], ...] = (
    ServiceAccountController, TokensController, TokenCleaner, RootCACertPublisher, NamespaceController, GarbageCollector, ResourceQuotaController,
    ReplicaSetController, ReplicationControllerController, DeploymentController, StatefulSetController, DaemonSetController,
    JobController, CronJobController, TTLAfterFinishedController, HorizontalPodAutoscalerController, DisruptionController,
    EndpointSliceController, EndpointsController, EndpointSliceMirroringController,
    EphemeralVolumeController, ResourceClaimController, PersistentVolumeBinder, PVCProtectionController, PVProtectionController,
    VolumeExpandController,
    NodeLifecycleController, TaintEvictionController, PodGCController,
    ClusterRoleAggregationController, CustomResourceDefinitionController, ServiceCIDRController, ValidatingAdmissionPolicyStatusController,
    CertificateSigningController,
    AvailableConditionController, KubernetesServiceController,
)
"""In start order: what acts first when several keys are due at the same millisecond."""
