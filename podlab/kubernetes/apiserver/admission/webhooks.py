"""Admission webhooks: people's own HTTPS servers that are asked about writes, and may change or refuse them.

Sources: S/apiserver/pkg/admission/plugin/webhook (generic/webhook.go, mutating/dispatcher.go, mutating/reinvocationcontext.go,
validating/dispatcher.go, request/admissionreview.go, errors/statuserror.go). Which requests a webhook is for is asked as for the admission
policies; how it is asked, webhook_client.py tells. Validating webhooks are all asked, as at the same time, and the first refusal is given.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...objects import thaw
from .. import cel, decode, defaults
from ..customresources import structural
from ..errors import ApiError, bad_request, forbidden
from ..patch import json_patch
from ..pipeline import Context
from ..webhook_client import CallError
from .admission_policy import GROUP, LOOK_STEPS, Asked, conditions_hold, matches, names_of

Object = Mapping[str, Any]
REVIEW = "admission.k8s.io"
OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


class _Failed(Exception):
    """A webhook that could not be called (ErrCallingWebhook)."""


# ---- which webhooks, and of which version's objects


def _hooks(plural: str, ctx: Context) -> Iterator[tuple[str, Object]]:
    """(what a webhook is known by, it), configuration by configuration in the order of their names."""
    for config in ctx.list(plural):
        for at, hook in enumerate(config.get("webhooks") or ()):
            yield f"{config['metadata']['name']}/{at}", hook


def _as_meant(hook: Object, asked: Asked, ctx: Context) -> Asked | None:
    """The request as a webhook is to see it: in another version of its kind where only that one is meant (matchPolicy Equivalent); None: not at all.

    Raises ApiError 403 where it cannot be told.
    """
    wanted = {**hook, "resourceRules": hook.get("rules") or ()}
    seen = asked
    if not matches(wanted, asked, ctx, whole=False):
        others = ctx.versions_of(asked.resource) if hook.get("matchPolicy", "Equivalent") == "Equivalent" else ()
        other = next((one for one in others if matches(wanted, asked._replace(resource=one), ctx, whole=False)), None)
        if other is None:
            return None
        new, old = (None if one is None else ctx.converted(other, _whole(one, asked)) for one in (asked.new, asked.old))
        seen = asked._replace(resource=other, new=new, old=old)
    if not hook.get("matchConditions"):
        return seen
    names = names_of(seen, ctx)
    try:
        return seen if conditions_hold(hook["matchConditions"], names, ctx.cost) else None
    except cel.CelError as error:
        if hook.get("failurePolicy", "Fail") == "Ignore":
            return None
        raise forbidden(asked.resource.group, asked.resource.plural, asked.metadata.get("name", ""), str(error)) from None


def _whole(obj: Object, asked: Asked) -> dict[str, Any]:
    """A copy of an object that says what it is."""
    given: dict[str, Any] = thaw(obj)
    if asked.target is not None:
        return given
    kept = {name: member for name, member in given.items() if name not in ("kind", "apiVersion")}
    return {"kind": asked.resource.kind, "apiVersion": asked.resource.api_version, **kept}


# ---- one call


def _call(hook: Object, asked: Asked, seen: Asked, ctx: Context, *, mutating: bool) -> Any:
    """The patch of a webhook that allows the request; None without one. Raises _Failed, and ApiError where it refuses."""
    name = hook["name"]
    ctx.cost.left -= LOOK_STEPS
    if ctx.dry and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
        raise bad_request(f'admission webhook "{name}" does not support dry run')
    review = _review(hook, asked, seen, ctx)
    try:
        answer = ctx.ask(hook["clientConfig"], review, hook.get("timeoutSeconds") or 10)
    except CallError as error:
        raise _Failed(f'failed calling webhook "{name}": failed to call webhook: {error}') from None
    response = _verified(name, answer, review, mutating=mutating)
    for text in response.get("warnings") or ():
        ctx.warn(str(text))
    if not response.get("allowed"):
        raise _refusal(name, response.get("status") or {})
    if not response.get("patch"):
        return None
    try:
        return json.loads(base64.b64decode(response["patch"]))
    except (ValueError, binascii.Error) as error:
        raise _Failed(f'failed calling webhook "{name}": received undecodable patch in webhook response: {error}') from None


def _review(hook: Object, asked: Asked, seen: Asked, ctx: Context) -> dict[str, Any]:
    said, first = names_of(seen, ctx)["request"], asked.resource
    version = next((one for one in hook.get("admissionReviewVersions") or () if one in ("v1", "v1beta1")), "v1")
    kind = said["kind"] if seen is asked else {"group": first.group, "version": first.version, "kind": first.kind}
    options = OPTIONS.get(asked.operation)
    request = {
        "uid": ctx.uid("admission-review", hook["name"], asked.metadata.get("name") or ""), "kind": said["kind"], "resource": said["resource"],
        **({"subResource": asked.subresource} if asked.subresource else {}), "requestKind": kind,
        "requestResource": {**said["resource"], "version": first.version},
        **({"requestSubResource": asked.subresource} if asked.subresource else {}),
        **{member: said[member] for member in ("name", "namespace") if said[member]}, "operation": asked.operation, "userInfo": said["userInfo"],
        "object": None if seen.new is None else _whole(seen.new, seen), "oldObject": None if seen.old is None else _whole(seen.old, seen),
        "dryRun": ctx.dry,
        "options": {"kind": options, "apiVersion": "meta.k8s.io/v1", **({"dryRun": ["All"]} if ctx.dry else {})} if options else None,
    }  # fmt: skip
    return {"kind": "AdmissionReview", "apiVersion": f"{REVIEW}/{version}", "request": request}


def _verified(name: str, answer: Any, review: Object, *, mutating: bool) -> Any:
    """The AdmissionResponse (VerifyAdmissionResponse). Raises _Failed."""
    def wrong(text: str) -> _Failed:
        return _Failed(f'failed calling webhook "{name}": received invalid webhook response: {text}')

    if not isinstance(answer, dict):
        raise wrong("it is no object")
    got = f"{answer.get('apiVersion') or ''}, Kind={answer.get('kind') or ''}"
    if got != (wanted := f"{review['apiVersion']}, Kind=AdmissionReview"):
        raise wrong(f"expected webhook response of {wanted}, got {got}")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise wrong("webhook response was absent")
    if review["apiVersion"] != f"{REVIEW}/v1":
        return response
    if (uid := response.get("uid") or "") != review["request"]["uid"]:
        raise wrong(f'expected response.uid="{review["request"]["uid"]}", got "{uid}"')
    patch, kind = response.get("patch"), response.get("patchType")
    if not mutating and (patch or kind):
        raise wrong("validating webhook may not return response.patch" if patch else "validating webhook may not return response.patchType")
    if patch and not kind:
        raise wrong("webhook returned response.patch but not response.patchType")
    if kind and not patch:
        raise wrong("webhook returned response.patchType but not response.patch")
    if kind and kind != "JSONPatch":
        raise wrong(f'webhook returned invalid response.patchType of "{kind}"')
    return response


def _refusal(name: str, status: Any) -> ApiError:
    """A webhook's own words, and its code where that says that something is wrong (ToStatusErr)."""
    denied = f'admission webhook "{name}" denied the request'
    why = str(status.get("message") or status.get("reason") or "")
    code = status.get("code")
    return ApiError(code if isinstance(code, int) and code >= 400 else 400, str(status.get("reason") or ""),
                    f"{denied}: {why}" if why else f"{denied} without explanation", status.get("details"))


def _internal(text: object) -> ApiError:
    return ApiError(500, "InternalError", f"Internal error occurred: {text}", {"causes": [{"message": str(text)}]})


# ---- all of them


def validate(asked: Asked, ctx: Context) -> None:
    """Raises ApiError where a webhook refuses the request, or cannot be asked and its failurePolicy is Fail."""
    if asked.resource.group == GROUP:
        return
    refused: list[ApiError] = []
    for _, hook in _hooks("validatingwebhookconfigurations", ctx):
        seen = _as_meant(hook, asked, ctx)
        if seen is None:
            continue
        try:
            _call(hook, asked, seen, ctx, mutating=False)
        except _Failed as error:
            if hook.get("failurePolicy", "Fail") == "Fail":
                refused.append(_internal(error))
        except ApiError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def mutate(asked: Asked, ctx: Context, other_plugins: Callable[[], None]) -> bool:
    """Change `asked.new` in place as the webhooks want; whether they did. `other_plugins`: the mutating ones before, which then run again.

    A webhook with reinvocationPolicy IfNeeded is called once more where something changed after it. Raises ApiError as `validate`.
    """
    if asked.resource.group == GROUP:
        return False
    before: list[str] = []  # those called that may be called again
    again: list[str] = []
    changed = False
    for known, hook in _hooks("mutatingwebhookconfigurations", ctx):
        done = _changes(hook, asked, ctx)
        if done:
            changed, again, before = True, again + before, []
        if done is not None and hook.get("reinvocationPolicy") == "IfNeeded":
            before.append(known)
    if changed:
        left = thaw(asked.new)
        other_plugins()
        if thaw(asked.new) != left:
            again += before
        for known, hook in _hooks("mutatingwebhookconfigurations", ctx):
            if known in again:
                _changes(hook, asked, ctx)
    return changed


def _changes(hook: Object, asked: Asked, ctx: Context) -> bool | None:
    """Ask one mutating webhook; whether the object is another one now. None: it is not for this request."""
    seen = _as_meant(hook, asked, ctx)
    if seen is None:
        return None
    try:
        operations = _call(hook, asked, seen, ctx, mutating=True)
    except _Failed as error:
        if hook.get("failurePolicy", "Fail") == "Fail":
            raise _internal(error) from None
        return False
    if not operations:
        return False
    if seen.new is None or not isinstance(asked.new, dict):
        raise _internal(f'admission webhook "{hook["name"]}" attempted to modify the object, which is not supported for this operation')
    old = thaw(asked.new)
    try:
        new = json_patch(_whole(seen.new, seen), operations)
        made = _typed(asked, dict(ctx.converted(asked.resource, new)) if seen.resource is not asked.resource else new)
    except ApiError as error:
        raise _internal(error.message) from None
    asked.new.clear()
    asked.new.update(made)
    return bool(thaw(asked.new) != old)


def _typed(asked: Asked, obj: dict[str, Any]) -> dict[str, Any]:
    """A patched object with the members that its kind has, and its defaults. Raises ApiError."""
    resource = asked.resource
    if resource.custom is not None:
        schema = dict(resource.custom.schema)
        structural.prune(schema, obj)
        structural.fill(schema, obj)
        return obj
    made: dict[str, Any] = dict(decode.decode(resource, obj, strict=False))
    made["metadata"] = dict(made["metadata"])
    defaults.apply_defaults(resource, made)
    return made
