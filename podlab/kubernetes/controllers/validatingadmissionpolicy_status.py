"""The expressions of ValidatingAdmissionPolicies are type-checked against the built-in kinds that they match; what is amiss goes to the status.

Sources: pkg/controller/validatingadmissionpolicystatus/controller.go; S/apiserver/pkg/admission/plugin/policy/validating/typechecking.go
(`maxTypesToCheck`; wildcards, subresources and custom kinds are left out).
"""

from __future__ import annotations

from typing import Any

from ..apiserver import schema
from ..apiserver.cel import checking
from ..apiserver.cel.values import CelError
from ..cause import Cause
from ..component import Controller, own_key
from ..objects import Map
from ..resources import RESOURCES, Resource, by_api_kind

TYPES_MAX = 10  # maxTypesToCheck
NAMESPACE = ("object", schema.PREFIX + "core.v1.Namespace")


class ValidatingAdmissionPolicyStatusController(Controller):
    name = "validatingadmissionpolicy-status"
    watches = {"validatingadmissionpolicies": own_key}

    def reconcile(self, key: str) -> int | None:
        """The warnings of the present generation, written once."""
        policy = self.cluster.etcd.get("validatingadmissionpolicies", key)
        if policy is None or (policy.get("status") or {}).get("observedGeneration") == policy["metadata"].get("generation"):
            return None
        warnings = _warnings(policy["spec"])
        status = {"observedGeneration": policy["metadata"]["generation"], "typeChecking": {"expressionWarnings": warnings} if warnings else {}}
        self.client.patch("validatingadmissionpolicies", key, {"status": status}, subresource="status", cause=Cause("admission-policy-checked"))
        return None


def _warnings(spec: Map) -> list[dict[str, str]]:
    """[{"fieldRef", "warning"}] of the validations, in their order."""
    kinds, found = _matched(spec), []
    for number, one in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            said = [f"{kind.group}/{kind.version}, Kind={kind.kind}: " + "\n".join(words) for kind in kinds
                    if one.get(field) and (words := _complaints(spec, one[field], kind))]
            if said:
                found.append({"fieldRef": f"spec.validations[{number}].{field}", "warning": "\n".join(said)})
    return found


def _matched(spec: Map) -> list[Resource]:
    """The built-in kinds that the rules name without wildcards, in the order of group, version and resource."""
    asked: set[tuple[str, str, str]] = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        asked |= {(group, version, plural) for group in rule.get("apiGroups") or () for version in rule.get("apiVersions") or ()
                  for plural in rule.get("resources") or () if "*" not in group + version + plural and "/" not in plural}
    known = {(one.group, one.version, one.plural.partition(".")[0]): one for one in RESOURCES}
    return [known[key] for key in sorted(asked)[:TYPES_MAX] if key in known]


def _complaints(spec: Map, text: str, kind: Resource) -> list[str]:
    whole = ("object", schema.type_of(kind))
    names: dict[str, Any] = {"object": whole, "oldObject": whole, "request": ("object", "request"), "namespaceObject": NAMESPACE,
                             "params": _params(spec), "authorizer": checking.DYN, "variables": checking.DYN}
    variables: dict[str, Any] = {}
    try:
        for one in spec.get("variables") or ():
            variables[one["name"]] = checking.check(one["expression"], names, variables)[0]
        return checking.check(text, names, variables)[1]
    except CelError:  # validation has refused what does not parse; an authorizer's calls are not known here
        return []


def _params(spec: Map) -> Any:
    wanted = spec.get("paramKind")
    kind = by_api_kind(wanted["apiVersion"], wanted["kind"]) if wanted else None
    return ("object", schema.type_of(kind)) if kind is not None else checking.DYN
