"""ClusterRoles that are made of others (pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

from .. import selectors
from ..cause import Cause
from ..component import Controller
from ..etcd import Change


def _all_aggregated(controller: Controller, _: Change) -> Iterable[str]:
    return [role["metadata"]["name"] for role in controller.cluster.etcd.list("clusterroles") if role.get("aggregationRule")]


class ClusterRoleAggregationController(Controller):
    name = "clusterrole-aggregation-controller"
    latency_ms = 4
    watches = {"clusterroles": _all_aggregated}

    def reconcile(self, key: str) -> int | None:
        """The union of the rules of the roles that are selected, in the order of selectors and names, each once."""
        role = self.cluster.etcd.get("clusterroles", key)
        if role is None or not role.get("aggregationRule"):
            return None
        others = [other for other in self.cluster.etcd.list("clusterroles") if other["metadata"]["name"] != key]
        rules: list[object] = []
        for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
            for other in others:
                if selectors.selects(selector, other["metadata"].get("labels") or {}):
                    rules += [rule for rule in other.get("rules") or () if rule not in rules]
        if list(role.get("rules") or ()) != rules:
            self.client.update("clusterroles", {**role, "rules": rules}, cause=Cause("clusterrole-aggregated"))
        return None
