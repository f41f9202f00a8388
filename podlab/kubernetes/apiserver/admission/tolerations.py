"""DefaultTolerationSeconds and TaintNodesByCondition: five minutes' grace on a lost node, and a taint on a new one.

Sources: plugin/pkg/admission/defaulttolerationseconds/admission.go, plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from typing import Any

from ...objects import List, Map, freeze

Object = dict[str, Any]

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
SECONDS = 300  # --default-not-ready-toleration-seconds, --default-unreachable-toleration-seconds

ADDED: dict[str, Map] = {key: freeze({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS})
                         for key in (NOT_READY, UNREACHABLE)}
BOTH: List = freeze([*ADDED.values()])


def add_default_seconds(obj: Object) -> None:
    held = obj["spec"].get("tolerations") or ()
    if not held:
        obj["spec"] = {**obj["spec"], "tolerations": BOTH}
        return
    missing = [added for key, added in ADDED.items()
               if not any(one.get("key", "") in (key, "") and one.get("effect", "") in ("NoExecute", "") for one in held)]
    if missing:
        obj["spec"] = {**obj["spec"], "tolerations": [*held, *missing]}


def taint_new_node(obj: Object) -> None:
    """A node takes no Pods before its conditions are known."""
    spec = obj.get("spec") or {}
    taint = {"key": NOT_READY, "effect": "NoSchedule"}
    if not any(one.get("key") == NOT_READY and one.get("effect") == "NoSchedule" for one in spec.get("taints") or ()):
        obj["spec"] = {**spec, "taints": [*(spec.get("taints") or ()), taint]}
