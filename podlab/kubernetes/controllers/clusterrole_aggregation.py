"""ClusterRoles that are made of others (pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from .. import selectors
from ..apiserver.errors import ETCD_REQUEST_MAX, too_large_for_etcd
from ..cause import Cause
from ..component import Controller
from ..etcd import Change
from ..objects import EMPTY, Map, memo


def _all_aggregated(controller: Controller, _: Change) -> Iterable[str]:
    return [role["metadata"]["name"] for role in controller.cluster.etcd.list("clusterroles") if role.get("aggregationRule")]


class ClusterRoleAggregationController(Controller):
    name = "clusterrole-aggregation-controller"
    latency_ms = 4
    watches = {"clusterroles": _all_aggregated}

    def reconcile(self, key: str) -> int | None:
        """The union of the rules of the roles that are selected, in the order of selectors and names, each once. Raises ApiError where
        etcd would not take so much: roles that are made of others could otherwise hold many times what people may write."""
        role = self.cluster.etcd.get("clusterroles", key)
        if role is None or not role.get("aggregationRule"):
            return None
        others = [other for other in self.cluster.etcd.list("clusterroles") if other["metadata"]["name"] != key]
        rules: dict[str, Map] = {}
        size = 0
        for other in _selected(role["aggregationRule"].get("clusterRoleSelectors") or (), others):
            for text, rule in zip(memo(other, "aggregated", _texts), other.get("rules") or (), strict=True):
                if text not in rules:
                    rules[text] = rule
                    size += len(text)
            if size > ETCD_REQUEST_MAX:
                raise too_large_for_etcd()
        if list(role.get("rules") or ()) != list(rules.values()):
            self.client.update("clusterroles", {**role, "rules": list(rules.values())}, cause=Cause("clusterrole-aggregated"))
        return None


def _texts(role: Map) -> tuple[str, ...]:
    """Each rule so that equal ones have the same text. Those of the default roles are the same in every cluster: each is written once."""
    return tuple(memo(rule, "text", _text) for rule in role.get("rules") or ())


def _text(rule: Map) -> str:
    return json.dumps(rule, sort_keys=True)


def _selected(wanted: Sequence[Map], roles: list[Map]) -> Iterable[Map]:
    """Each role that a selector picks, where the first does: a second time it would add nothing, and so would an equal selector."""
    for selector in {selectors.from_object(selector): selector for selector in wanted}.values():
        rest = []
        for role in roles:
            if selectors.selects(selector, role["metadata"].get("labels") or EMPTY):
                yield role
            else:
                rest.append(role)
        roles = rest
