"""The controllers of kube-controller-manager, one file each, named as Kubernetes names them. They meet in the store only."""

from __future__ import annotations

from ..component import Component
from .cronjob import CronJobController
from .daemonset import DaemonSetController
from .deployment import DeploymentController
from .endpoints import EndpointsController
from .endpointslice import EndpointSliceController
from .garbage_collector import GarbageCollector
from .job import JobController
from .namespace import NamespaceController
from .node_lifecycle import NodeLifecycleController
from .pod_gc import PodGCController
from .replicaset import ReplicaSetController
from .replicationcontroller import ReplicationControllerController
from .root_ca_cert_publisher import RootCACertPublisher
from .serviceaccount import ServiceAccountController
from .statefulset import StatefulSetController
from .taint_eviction import TaintEvictionController
from .ttl_after_finished import TTLAfterFinishedController

CONTROLLERS: tuple[type[Component], ...] = (
    ServiceAccountController, RootCACertPublisher, NamespaceController, GarbageCollector,
    ReplicaSetController, ReplicationControllerController, DeploymentController, StatefulSetController, DaemonSetController,
    JobController, CronJobController, TTLAfterFinishedController,
    EndpointSliceController, EndpointsController,
    NodeLifecycleController, TaintEvictionController, PodGCController,
)
"""In start order: what acts first when several keys are due at the same millisecond."""
