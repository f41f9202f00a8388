"""MutatingAdmissionPolicy: objects changed by people's own CEL expressions, as applied configurations or JSON patches.

Sources: S/apiserver/pkg/admission/plugin/policy/mutating (dispatcher.go, patch/smd.go, patch/json_patch.go). Which requests a policy is
for, its parameters and variables are as those of ValidatingAdmissionPolicy. The policies go by name; after a webhook's change those with
reinvocationPolicy IfNeeded go once more.
"""

from __future__ import annotations

from typing import Any

from ...objects import thaw
from .. import cel, defaults, schema
from ..errors import ApiError, forbidden
from ..ownership import managers, typed, types
from ..ownership.managers import APPLY, Writer
from ..patch import json_patch
from ..pipeline import Context
from .admission_policy import GROUP, LOOK_STEPS, NAMES, Asked, ConfigError, Object, Variables, conditions_hold, matches, names_of, params_of

MAKES = ("Object", "JSONPatch")  # the types that a mutation's expression makes values of
FIXED = ("apiVersion", "kind")  # an applied configuration may say nothing of these but what is


def mutate(asked: Asked, ctx: Context, *, again: bool = False) -> None:
    """Change `asked.new` in place; `again`: by those that are to look once more.

    Raises ApiError where a policy fails and its failurePolicy is Fail.
    """
    bindings = ctx.list("mutatingadmissionpolicybindings")
    if not bindings or asked.resource.group == GROUP or not isinstance(asked.new, dict):
        return
    before = thaw(asked.new)
    for policy in ctx.list("mutatingadmissionpolicies"):
        spec = policy["spec"]
        if again and spec.get("reinvocationPolicy") != "IfNeeded":
            continue
        mine = [one for one in bindings if one["spec"].get("policyName") == policy["metadata"]["name"]]
        if not mine or not matches(spec.get("matchConstraints") or {}, asked, ctx, whole=False):
            continue
        for binding in mine:
            if not matches(binding["spec"].get("matchResources") or {}, asked, ctx, whole=True):
                continue
            try:
                _bound(spec, binding, asked, ctx)
            except (ConfigError, cel.CelError, ApiError) as error:
                if spec.get("failurePolicy", "Fail") == "Fail":
                    raise forbidden(asked.resource.group, asked.resource.plural, asked.metadata.get("name", ""),
                                    f"policy '{policy['metadata']['name']}' with binding '{binding['metadata']['name']}' denied request: "
                                    f"{error}") from None
    if asked.resource.custom is None and thaw(asked.new) != before:
        defaults.apply_defaults(asked.resource, asked.new)


def _bound(spec: Object, binding: Object, asked: Asked, ctx: Context) -> None:
    """Raises ConfigError, CelError or ApiError."""
    kind = spec.get("paramKind")
    wanted = ctx.resource_of(kind["apiVersion"], kind["kind"]) if kind else None
    if kind and wanted is None:
        raise ConfigError(f"failed to find resource referenced by paramKind: '{kind['apiVersion']}, Kind={kind['kind']}'")
    cost, names = ctx.cost, names_of(asked, ctx)
    for param in params_of(wanted, binding["spec"].get("paramRef"), asked, ctx):
        cost.left -= LOOK_STEPS
        names["params"] = thaw(param)
        names["variables"] = Variables(spec.get("variables") or [], names, cost)
        if not conditions_hold(spec.get("matchConditions") or (), names, cost):
            continue
        for mutation in spec.get("mutations") or ():
            names["object"] = thaw(asked.new)
            changed = _changed(mutation, names, asked, cost)
            assert isinstance(asked.new, dict)
            asked.new.clear()
            asked.new.update(changed)


def _changed(mutation: Object, names: dict[str, Any], asked: Asked, cost: cel.Cost) -> dict[str, Any]:
    whole = {**names["object"], "apiVersion": asked.resource.api_version, "kind": asked.resource.kind}
    if mutation.get("patchType") == "JSONPatch":
        operations = _made((mutation.get("jsonPatch") or {}).get("expression", ""), names, cost)
        return json_patch(whole, operations)
    config = _made((mutation.get("applyConfiguration") or {}).get("expression", ""), names, cost)
    if not isinstance(config, dict):
        raise cel.CelError("must evaluate to Object")
    if any(config.get(name, whole[name]) != whole[name] for name in FIXED):
        raise cel.CelError("applied configuration may not change the kind of the object")
    config = {**config, **{name: whole[name] for name in FIXED}}
    custom = asked.resource.custom
    kind = custom.ownership if custom is not None else types.of_struct(schema.type_of(asked.resource))
    if wrong := typed.faults(config, kind):
        raise cel.CelError("error applying patch: " + "; ".join(wrong))
    who = Writer("admission", APPLY, asked.resource.api_version, "", "")
    merged, _ = managers.apply((), whole, config, kind, who, force=True, lives=True)
    return whole if merged is None else dict(thaw(merged))


def _made(expression: str, names: dict[str, Any], cost: cel.Cost) -> Any:
    return cel.compiled(expression, (*NAMES, *MAKES)).value(names, cost)
