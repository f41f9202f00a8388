"""`kubectl describe` (kubectl/pkg/describe/describe.go, v1.36)."""

from __future__ import annotations

from collections.abc import Callable

from ...objects import Map
from ...resources import BY_PLURAL, Resource
from . import addresses, autoscaling, certificates, config, namespaces, nodes, pods, services, storage, workloads
from .events import Reader
from .generic import describer
from .writer import Page

Describer = Callable[[Page, Reader, Map, bool], None]

DESCRIBERS: dict[str, Describer] = {
    "pods": pods.describe_pod,
    "deployments": workloads.describe_deployment,
    "replicasets": workloads.describe_replicaset,
    "replicationcontrollers": workloads.describe_replicationcontroller,
    "statefulsets": workloads.describe_statefulset,
    "daemonsets": workloads.describe_daemonset,
    "jobs": workloads.describe_job,
    "cronjobs": workloads.describe_cronjob,
    "horizontalpodautoscalers": autoscaling.describe_horizontalpodautoscaler,
    "poddisruptionbudgets": autoscaling.describe_poddisruptionbudget,
    "services": services.describe_service,
    "endpoints": services.describe_endpoints,
    "endpointslices": services.describe_endpointslice,
    "ingresses": services.describe_ingress,
    "ingressclasses": services.describe_ingressclass,
    "ipaddresses": addresses.describe_ipaddress,
    "servicecidrs": addresses.describe_servicecidr,
    "networkpolicies": services.describe_networkpolicy,
    "nodes": nodes.describe_node,
    "namespaces": namespaces.describe_namespace,
    "resourcequotas": namespaces.describe_resourcequota,
    "limitranges": namespaces.describe_limitrange,
    "configmaps": config.describe_configmap,
    "secrets": config.describe_secret,
    "serviceaccounts": config.describe_serviceaccount,
    "priorityclasses": config.describe_priorityclass,
    "roles": config.describe_role,
    "clusterroles": config.describe_role,
    "rolebindings": config.describe_rolebinding,
    "clusterrolebindings": config.describe_rolebinding,
    "certificatesigningrequests": certificates.describe_certificatesigningrequest,
    "persistentvolumes": storage.describe_persistentvolume,
    "persistentvolumeclaims": storage.describe_persistentvolumeclaim,
    "storageclasses": storage.describe_storageclass,
    "csinodes": storage.describe_csinode,
    "volumeattributesclasses": storage.describe_volumeattributesclass,
}


def describe(client: Reader, resource: Resource, name: str, namespace: str | None, now: int, show_events: bool = True) -> str:
    """The description of one object, ending in a line end. `now` is virtual milliseconds since the Unix epoch.

    Raises ApiError 404 where there is no such object. Between several objects kubectl prints an empty line of its own.
    """
    return describe_held(client, resource, client.get(resource.plural, name, namespace), now, show_events)


def describe_held(client: Reader, resource: Resource, obj: Map, now: int, show_events: bool = True) -> str:
    """As `describe`, of an object that is at hand: the metrics of a Pod are stored nowhere."""
    page = Page(now)
    own = DESCRIBERS.get(resource.plural) if BY_PLURAL.get(resource.plural, resource).group == resource.group else None
    (own or describer(resource.kind))(page, client, obj, show_events)
    return page.text()
