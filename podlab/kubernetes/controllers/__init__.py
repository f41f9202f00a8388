"""The controllers of kube-controller-manager, one file each, named as Kubernetes names them. They meet in the store only."""

from __future__ import annotations

from ..component import Component
from .deployment import DeploymentController
from .endpoints import EndpointsController
from .endpointslice import EndpointSliceController
from .garbage_collector import GarbageCollector
from .namespace import NamespaceController
from .replicaset import ReplicaSetController
from .root_ca_cert_publisher import RootCACertPublisher
from .serviceaccount import ServiceAccountController

CONTROLLERS: tuple[type[Component], ...] = (
    ServiceAccountController, RootCACertPublisher, NamespaceController, GarbageCollector,
    ReplicaSetController, DeploymentController, EndpointSliceController, EndpointsController,
)
"""In start order: what acts first when several keys are due at the same millisecond."""
