"""ValidatingAdmissionPolicy: what people's own CEL rules refuse, warn of or let pass.

Sources: S/apiserver/pkg/admission/plugin/policy/validating (dispatcher.go, validator.go), plugin/policy/generic (CollectParams),
plugin/policy/matching and plugin/webhook/predicates (rules, namespace and object selectors), plugin/cel (the variables).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ... import selectors
from ...objects import dig, thaw
from ...resources import Resource
from .. import cel, rbac
from ..errors import ApiError, forbidden
from ..pipeline import Context
from ..request import ADMIN

Object = Mapping[str, Any]
GROUP = "admissionregistration.k8s.io"  # IsExemptAdmissionConfigurationResource: rules never bind the rules
NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer")
CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}  # reasonToCode
LOOK_STEPS = 50  # what it costs to ask one policy with one parameter, whatever it says
MESSAGE_MAX = 5 * 1024  # MaxEvaluatedMessageExpressionSizeBytes


class Asked(NamedTuple):
    """What a request does to one object, or to a part of it that has a kind of its own."""

    resource: Resource
    operation: str  # CREATE, UPDATE, DELETE, CONNECT
    new: Object | None
    old: Object | None
    subresource: str = ""
    target: Object | None = None  # where `new` is such a part (PodExecOptions, which has no metadata; Eviction): the metadata of the whole

    @property
    def metadata(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (self.new or self.old or {})["metadata"] if self.target is None else self.target
        return found


class ConfigError(Exception):
    """A policy or binding that cannot be used as it is."""


class Variables(dict[str, Any]):
    """`variables`: each is worked out when an expression first names it."""

    def __init__(self, given: list[Any], names: dict[str, Any], cost: cel.Cost) -> None:
        super().__init__()
        self._given = {one["name"]: one["expression"] for one in given}
        self._names, self._cost = names, cost

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __missing__(self, name: str) -> Any:
        try:
            found = self[name] = _value(self._given[name], self._names, self._cost)
        except cel.CelError as error:
            raise cel.CelError(f'composited variable "{name}" fails to evaluate: {error}') from None
        return found


def validate(asked: Asked, ctx: Context) -> None:
    """Raises ApiError with the first rule's reason where a policy denies the request; warnings go to `ctx.warn`."""
    bindings = ctx.list("validatingadmissionpolicybindings")
    if not bindings or asked.resource.group == GROUP:
        return
    names = names_of(asked, ctx)
    denied: list[tuple[Object, Object | None, str, str]] = []
    for policy in ctx.list("validatingadmissionpolicies"):
        mine = [one for one in bindings if one["spec"].get("policyName") == policy["metadata"]["name"]]
        if mine and matches(policy["spec"].get("matchConstraints") or {}, asked, ctx, whole=False):
            denied += _denials(policy, mine, asked, ctx, names)
    if denied:
        raise _refusal(asked, *denied[0])


def _denials(policy: Object, bindings: list[Any], asked: Asked, ctx: Context,
             names: dict[str, Any]) -> Iterator[tuple[Object, Object | None, str, str]]:
    fails = policy["spec"].get("failurePolicy", "Fail") == "Fail"
    kind = policy["spec"].get("paramKind")
    wanted = ctx.resource_of(kind["apiVersion"], kind["kind"]) if kind else None
    if kind and wanted is None:
        if fails:
            yield policy, None, "", (f"failed to configure policy: failed to find resource referenced by paramKind: '{kind['apiVersion']}, "
                                     f"Kind={kind['kind']}'")
        return
    for binding in bindings:
        if not matches(binding["spec"].get("matchResources") or {}, asked, ctx, whole=True):
            continue
        try:
            params = params_of(wanted, binding["spec"].get("paramRef"), asked, ctx)
        except ConfigError as error:
            if fails:
                yield policy, binding, "", f"failed to configure binding: {error}"
            continue
        for param in params:
            for reason, message in _broken(policy["spec"], {**names, "params": thaw(param)}, ctx.cost, fails):
                actions = binding["spec"].get("validationActions") or ()
                if "Warn" in actions:
                    ctx.warn(f"Validation failed for ValidatingAdmissionPolicy '{policy['metadata']['name']}' with binding "
                             f"'{binding['metadata']['name']}': {message}")
                if "Deny" in actions:
                    yield policy, binding, reason, message
            if ctx.cost.left < 0:
                return


def _refusal(asked: Asked, policy: Object, binding: Object | None, reason: str, message: str) -> ApiError:
    bound = f" with binding '{binding['metadata']['name']}'" if binding is not None else ""
    text = f"ValidatingAdmissionPolicy '{policy['metadata']['name']}'{bound} denied request: {message}"
    error = forbidden(asked.resource.group, asked.resource.plural, asked.metadata.get("name", ""), text, [{"message": text}])
    error.reason = reason or "Invalid"
    error.code = CODES.get(error.reason, 422)
    return error


# ---- which requests


def matches(wanted: Object, asked: Asked, ctx: Context, *, whole: bool) -> bool:
    """`whole`: no rules mean every resource (a binding's matchResources), not none."""
    rules = wanted.get("resourceRules")
    if not (any(_rule(one, asked) for one in rules) if rules else whole):
        return False
    if any(_rule(one, asked) for one in wanted.get("excludeResourceRules") or ()):
        return False
    if wanted.get("namespaceSelector"):
        labels = _namespace_labels(asked, ctx)
        if labels is not None and not selectors.selects(wanted["namespaceSelector"], labels):
            return False
    if not wanted.get("objectSelector"):
        return True
    return any(one is not None and "metadata" in one and selectors.selects(wanted["objectSelector"], one["metadata"].get("labels"))
               for one in (asked.new, asked.old))


def _rule(rule: Object, asked: Asked) -> bool:
    resource = asked.resource
    plural = resource.plural.partition(".")[0]
    ways = (f"{plural}/{asked.subresource}", f"*/{asked.subresource}", f"{plural}/*", "*/*") if asked.subresource else (plural, "*", "*/*")
    named = rule.get("resourceNames")
    scope = rule.get("scope", "*")
    return (
        any(one in ("*", asked.operation) for one in rule.get("operations") or ())
        and any(one in ("*", resource.group) for one in rule.get("apiGroups") or ())
        and any(one in ("*", resource.version) for one in rule.get("apiVersions") or ())
        and any(one in ways for one in rule.get("resources") or ())
        and (not named or asked.metadata.get("name") in named)
        and (scope == "*" or (scope == "Namespaced") == (resource.namespaced or resource.kind == "Namespace"))
    )


def _namespace_labels(asked: Asked, ctx: Context) -> Mapping[str, str] | None:
    """None for what is in no namespace, which every namespaceSelector takes."""
    if asked.resource.kind == "Namespace":
        return asked.metadata.get("labels") or {}
    if not asked.resource.namespaced:
        return None
    found = ctx.find("namespaces", asked.metadata.get("namespace") or "")
    return dig(found, "metadata.labels") or {}


def params_of(kind: Resource | None, ref: Object | None, asked: Asked, ctx: Context) -> list[Object | None]:
    """Raises ConfigError."""
    if kind is None or ref is None:
        return [None]
    namespace = None
    if kind.namespaced:
        namespace = ref.get("namespace") or (asked.metadata.get("namespace") if asked.resource.namespaced else "")
        if not namespace:
            raise ConfigError("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    elif ref.get("namespace"):
        raise ConfigError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
    found: list[Object | None]
    if ref.get("name"):
        one = ctx.find(kind.plural, ref["name"], namespace)
        found = [] if one is None else [one]
    else:
        found = [one for one in ctx.list(kind.plural, namespace) if selectors.selects(ref.get("selector") or {}, one["metadata"].get("labels"))]
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise ConfigError("no params found for policy binding with `Deny` parameterNotFoundAction")
    return found


# ---- what the rules say


def _broken(spec: Object, names: dict[str, Any], cost: cel.Cost, fails: bool) -> Iterator[tuple[str, str]]:
    """The reason and message of each validation that does not hold."""
    cost.left -= LOOK_STEPS
    names["variables"] = Variables(spec.get("variables") or [], names, cost)
    try:
        if not conditions_hold(spec.get("matchConditions") or (), names, cost):
            return
    except cel.CelError as error:
        if fails:
            yield "", str(error)
        return
    for rule in spec.get("validations") or ():
        try:
            if not _holds(rule["expression"], names, cost):
                yield rule.get("reason") or "", _message(rule, names, cost)
        except cel.CelError as error:
            if fails:
                yield "", f"expression '{rule['expression']}' resulted in error: {error}"


def _message(rule: Object, names: dict[str, Any], cost: cel.Cost) -> str:
    text = ""
    if rule.get("messageExpression"):
        try:
            found = _value(rule["messageExpression"], names, cost)
            text = found.strip() if isinstance(found, str) else ""
        except cel.CelError:
            text = ""
        if len(text) > MESSAGE_MAX or "\n" in text:
            text = ""
    return text or str(rule.get("message") or "").strip() or f"failed expression: {rule['expression'].strip()}"


def _value(expression: str, names: dict[str, Any], cost: cel.Cost) -> Any:
    return cel.compiled(expression, NAMES).value(names, cost)


def _holds(expression: str, names: dict[str, Any], cost: cel.Cost) -> bool:
    return cel.compiled(expression, NAMES).holds(names, cost)


def conditions_hold(conditions: Iterable[Object], names: dict[str, Any], cost: cel.Cost) -> bool:
    """Whether all matchConditions hold. One that does not hold decides, whatever others come to (matchconditions/matcher.go).

    Raises CelError where it is open, because one cannot be worked out.
    """
    failed = ""
    for condition in conditions:
        try:
            if not _holds(condition["expression"], names, cost):
                return False
        except cel.CelError as error:
            failed = failed or f"expression '{condition['expression']}' resulted in error: {error}"
    if failed:
        raise cel.CelError(failed)
    return True


def names_of(asked: Asked, ctx: Context) -> dict[str, Any]:
    """The variables of an expression, but for `params` and `variables`."""
    resource, metadata = asked.resource, asked.metadata
    namespace = metadata.get("namespace", "") if resource.namespaced else metadata.get("name", "") if resource.kind == "Namespace" else ""
    own = asked.new if asked.target is not None and asked.new is not None else {"apiVersion": resource.api_version, "kind": resource.kind}
    group, _, version = own["apiVersion"].rpartition("/")
    held = ctx.find("namespaces", namespace) if namespace and resource.namespaced else None
    plural = resource.plural.partition(".")[0]
    about = {"group": resource.group, "resource": plural, "subresource": asked.subresource, "namespace": metadata.get("namespace", ""),
             "name": metadata.get("name", "")}

    def ask(user: str, wanted: dict[str, str]) -> Object:
        return ctx.verdict(rbac.User(user, tuple(groups_of(user))), wanted)

    return {
        "authorizer": cel.Authorizer(ask, ctx.user, tuple(about.items())),
        "object": thaw(asked.new),
        "oldObject": thaw(asked.old),
        "namespaceObject": thaw(held),
        "request": {
            "kind": {"group": group, "version": version, "kind": own["kind"]},
            "resource": {"group": resource.group, "version": resource.version, "resource": plural},
            "subResource": asked.subresource, "name": metadata.get("name", ""), "namespace": namespace, "operation": asked.operation,
            "userInfo": {"username": ctx.user, "groups": groups_of(ctx.user)}, "dryRun": ctx.dry, "options": {},
        },
    }  # fmt: skip


def groups_of(user: str) -> list[str]:
    """The groups that the authenticators give a user (serviceaccount.MakeGroupNames, the node authorizer's system:nodes)."""
    if user == ADMIN:
        return ["system:masters", "system:authenticated"]
    if user.startswith("system:serviceaccount:"):
        return ["system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}", "system:authenticated"]
    if user.startswith("system:node:"):
        return ["system:nodes", "system:authenticated"]
    return ["system:authenticated"]
