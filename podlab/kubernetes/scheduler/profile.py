"""The default profile: which plugins run, in which order, with which weights.

Source: getDefaultPlugins in pkg/scheduler/apis/config/v1/default_plugins.go (1.36). Left out because nothing here has what they
look at: NodeVolumeLimits (CSI drivers' limits), NodeDeclaredFeatures. DefaultBinder is
`scheduler.Scheduler`'s; SchedulingGates, PrioritySort and DefaultPreemption are called by name.
"""

from __future__ import annotations

from .framework import Plugin
from .plugins import (
    dynamic_resources,
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_name,
    node_ports,
    node_resources_balanced_allocation,
    node_resources_fit,
    node_unschedulable,
    pod_topology_spread,
    taint_toleration,
    volume_binding,
    volume_restrictions,
    volume_zone,
)

PROFILE: tuple[Plugin, ...] = (
    Plugin("NodeUnschedulable", node_unschedulable.pre_filter, node_unschedulable.filter, hint=node_unschedulable.hint),
    Plugin("NodeName", node_name.pre_filter, node_name.filter, hint=node_name.hint),
    Plugin("TaintToleration", taint_toleration.pre_filter, taint_toleration.filter, taint_toleration.pre_score,
           taint_toleration.score, taint_toleration.normalize, 3, taint_toleration.hint),
    Plugin("NodeAffinity", node_affinity.pre_filter, node_affinity.filter, node_affinity.pre_score, node_affinity.score,
           node_affinity.normalize, 2, node_affinity.hint),
    Plugin("NodePorts", node_ports.pre_filter, node_ports.filter, hint=node_ports.hint),
    Plugin("NodeResourcesFit", node_resources_fit.pre_filter, node_resources_fit.filter, node_resources_fit.pre_score,
           node_resources_fit.score, None, 1, node_resources_fit.hint, by_sums=True),
    Plugin("VolumeRestrictions", volume_restrictions.pre_filter, volume_restrictions.filter, hint=volume_restrictions.hint),
    Plugin("VolumeBinding", volume_binding.pre_filter, volume_binding.filter, hint=volume_binding.hint),
    Plugin("VolumeZone", volume_zone.pre_filter, volume_zone.filter, hint=volume_zone.hint),
    Plugin("PodTopologySpread", pod_topology_spread.pre_filter, pod_topology_spread.filter, pod_topology_spread.pre_score,
           pod_topology_spread.score, pod_topology_spread.normalize, 2, pod_topology_spread.hint),
    Plugin("InterPodAffinity", inter_pod_affinity.pre_filter, inter_pod_affinity.filter, inter_pod_affinity.pre_score,
           inter_pod_affinity.score, inter_pod_affinity.normalize, 2, inter_pod_affinity.hint),
    Plugin("DynamicResources", dynamic_resources.pre_filter, dynamic_resources.filter, hint=dynamic_resources.hint),
    Plugin("NodeResourcesBalancedAllocation", pre_score=node_resources_balanced_allocation.pre_score,
           score=node_resources_balanced_allocation.score, weight=1, by_sums=True),
    Plugin("ImageLocality", pre_score=image_locality.pre_score, score=image_locality.score, weight=1),
)

BY_NAME: dict[str, Plugin] = {plugin.name: plugin for plugin in PROFILE}
