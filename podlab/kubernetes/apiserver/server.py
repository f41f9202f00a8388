"""The API server: the one door. Every read and write of people and components passes `perform`.

Order of a write: find, decode, default, prepare (strategy), admit, validate, check conflicts, store with its cause.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import selectors
from ..cause import UNSAID, Cause
from ..etcd import key_of, key_of_object
from ..objects import Map, dig, freeze, stored, thaw
from ..resources import BY_KIND, BY_PLURAL, Resource
from ..times import rfc3339
from . import admission, applying, create, decode, deletion, fields, made_up, patch, schema, strategy, subresources, validation, warnings
from .context import Context
from .customresources import conversion, door, reading
from .customresources.definitions import Definitions
from .errors import (
    MODIFIED,
    ApiError,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    method_not_allowed,
    method_not_supported,
    not_found,
    other_uid,
)
from .ownership import managers, records
from .ownership.managers import Entries
from .request import ADMIN, Request

if TYPE_CHECKING:
    from ..ground import Ground


class ApiServer:
    """The verbs over the store. `perform` raises ApiError."""

    def __init__(self, cluster: Ground) -> None:
        self.cluster = cluster
        self.customs = Definitions(cluster)
        self.warnings: list[str] = []  # the Warning headers of the last request's answer

    def perform(self, request: Request, cause: Cause = UNSAID) -> Any:
        """Do one request. Returns a frozen object, or {"items": [...]} for list and deletecollection."""
        if self.warnings:
            self.warnings.clear()
        resource = BY_PLURAL.get(request.resource) or self.customs.find(request.resource)
        if resource is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        if request.subresource and request.subresource not in resource.subresources:
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        if request.verb == "get":
            return subresources.read(self, resource, request) if request.subresource else self.existing(resource, request)
        if request.verb == "list":
            return {"items": self.matching(resource, request)}
        if resource.plural in made_up.READ_ONLY:
            raise method_not_allowed()
        if resource.custom is not None and request.verb not in ("delete", "deletecollection"):
            return door.write(self, resource, request, cause)
        if request.subresource and request.subresource != "status":
            return subresources.write(self, resource, request, cause)
        if request.verb == "create":
            return self.create(resource, request, cause)
        if request.verb == "update":
            return self.update(resource, request, cause)
        if request.verb == "patch":
            return self.patch(resource, request, cause)
        if request.verb == "delete":
            return deletion.delete(self, resource, request, cause)
        if request.verb == "deletecollection":
            return {"items": [deletion.delete_object(self, resource, obj, request, cause) for obj in self.matching(resource, request)]}
        raise method_not_supported(resource.plural, request.verb)

    # ---- reading

    def held(self, resource: Resource, request: Request) -> Map:
        """As it is stored, or made up where it follows from others. Raises ApiError 404."""
        obj = self.cluster.etcd.get(resource.plural, key_of(request.namespace if resource.namespaced else None, request.name))
        if obj is None and resource.plural in made_up.KINDS:
            obj = made_up.find(self.cluster, resource.plural, request.name)
        if obj is None:
            raise not_found(resource.group, resource.plural, request.name)
        return obj

    def existing(self, resource: Resource, request: Request) -> Map:
        obj = self.held(resource, request)
        if resource.custom is not None:
            return reading.as_read(resource, obj)
        complete = made_up.READ.get(resource.plural)
        return complete(self.cluster, obj) if complete is not None else obj

    def everything(self, plural: str, namespace: str | None = None) -> list[Map]:
        """All of a kind, with those that are made up when they are read."""
        found = self.cluster.etcd.list(plural, namespace)
        return made_up.together(self.cluster, plural, found) if plural in made_up.KINDS else found

    def matching(self, resource: Resource, request: Request) -> list[Map]:
        found = self.everything(resource.plural, request.namespace if resource.namespaced else None)
        if resource.custom is not None:
            found = [reading.as_read(resource, obj) for obj in found]
        try:
            if text := request.options.get("labelSelector"):
                wanted = selectors.parse(text)
                found = [obj for obj in found if selectors.matches(wanted, obj["metadata"].get("labels") or {})]
            if text := request.options.get("fieldSelector"):
                picked, seen = selectors.field_matcher(text, self.field), door.in_version(resource, request.options, self)
                found = [obj for obj in found if picked(conversion.in_version(seen, obj) if seen.custom is not None else obj)]
        except selectors.SelectorError as error:
            raise bad_request(str(error)) from error
        complete = made_up.READ.get(resource.plural)
        return [complete(self.cluster, obj) for obj in found] if complete is not None else found

    @staticmethod
    def field(obj: Any, path: str) -> str:
        """A field as field selectors see it: '' where unset, but "false" and "0" (ToSelectableFields of each kind's strategy)."""
        if path == "source":  # an Event's: who reports it, under the old name or the new
            return str(dig(obj, "source.component", "") or dig(obj, "reportingComponent", ""))
        value = dig(obj, path, fields.ZERO.get(path, ""))
        return str(value).lower() if isinstance(value, bool) else str(value)

    # ---- writing

    def create(self, resource: Resource, request: Request, cause: Cause, owners: Entries | None = None) -> Map:
        """`owners`: of an object that is created by applying it."""
        if not resource.namespaced:
            request.namespace = ""
        ctx = Context(self.cluster, request.user, bool(request.options.get("dryRun")))
        validating = request.options.get("fieldValidation", "Strict")
        now, owned = self.cluster.clock.now, owners

        def seen(obj: dict[str, Any], spec: Map | None) -> None:
            nonlocal owned
            if owned is None and spec is not None:
                owned = records.note(None, request, now, spec)
            elif owned is None and resource.plural != "events":
                owned = records.born(schema.type_of(resource), obj, resource.api_version, request, now)
        obj = create.admit(resource, request.body, request.namespace, ctx, validating == "Strict", seen)
        metadata = obj["metadata"]
        held = self.cluster.etcd.get(resource.plural, key_of(metadata.get("namespace"), metadata["name"]))
        if held is not None:
            raise already_exists(resource.group, resource.plural, metadata["name"], going=bool(held["metadata"].get("deletionTimestamp")))
        if resource.plural in made_up.KINDS and made_up.find(self.cluster, resource.plural, metadata["name"]) is not None:
            raise already_exists(resource.group, resource.plural, metadata["name"])
        self.check_room(resource, metadata["name"])
        if not self.trusted(request.user):
            warnings.warn(resource, obj, ctx)
        if request.options.get("dryRun"):
            return self.dry(obj, owned)
        return self.store_new(resource.plural, obj, cause, request, owned)

    def check_room(self, resource: Resource, name: str) -> None:
        """The cluster's own limits, spec["limits"]: {"objects": of all kinds together, Events not counted, plural: of that kind}.

        They are worded as a quota (plugin/pkg/admission/resourcequota/controller.go), whose meaning they have.
        """
        limits = self.cluster.spec.get("limits")
        if not limits or resource.plural == "events":
            return
        etcd = self.cluster.etcd
        used = {"objects": etcd.total() - etcd.count("events"), resource.plural: etcd.count(resource.plural)}
        over = [what for what in ("objects", resource.plural) if what in limits and used[what] >= limits[what]]
        if over:
            raise forbidden(resource.group, resource.plural, name, f"exceeded quota: podlab, requested: {over[0]}=1, "
                            f"used: {over[0]}={used[over[0]]}, limited: {over[0]}={limits[over[0]]}")

    def update(self, resource: Resource, request: Request, cause: Cause) -> Map:
        if resource.plural in create.MADE_BY_UPDATE and not request.subresource and not self.trusted(request.user) \
                and self.cluster.etcd.get(resource.plural, key_of(request.namespace if resource.namespaced else None, request.name)) is None:
            return self.create(resource, replace(request, verb="create", name=""), cause)
        try:
            old = self.existing(resource, request)
        except ApiError:
            self.check_gone(resource, request)
            raise
        if request.subresource == "status" and self.trusted(request.user):
            return self.put_status(resource, request.body, old, cause, request)
        body = request.body
        if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
            raise bad_request("the object provided is unrecognized (must be of type " + resource.kind + ")")
        self.check_same(resource, body, old)
        if resource.plural in ("endpoints", "endpointslices") and self.trusted(request.user):
            return self.put_endpoints(resource, body, old, cause, request)
        return self.replace(resource, self.decoded(resource, body, request), old, request, cause)

    def patch(self, resource: Resource, request: Request, cause: Cause) -> Map:
        kind = request.options.get("patchType", "application/merge-patch+json")
        if kind == applying.MEDIA_TYPE:
            return applying.apply(self, resource, request, cause)
        old = self.held(resource, request)
        changed = patch.apply_patch(resource, records.shown(old) if applying.names_managers(request.body) else old, request.body, kind)
        self.check_same(resource, changed, old)
        return self.replace(resource, self.decoded_patch(resource, changed, request, kind), old, request, cause)

    def decoded_patch(self, resource: Resource, changed: dict[str, Any], request: Request, kind: str) -> dict[str, Any]:
        """What a patch made of an object. A strategic patch cannot name another kind: it is done to an object of this one."""
        if patch.TYPES.get(kind) == "strategic":
            changed |= {"kind": resource.kind, "apiVersion": resource.api_version}
        try:
            if resource.plural in BY_PLURAL:
                decode.check_type(resource, changed)
            return self.decoded(resource, changed, request)
        except ApiError as error:
            if error.code != 400 or resource.plural not in BY_PLURAL:
                raise
            raise patch.not_decoded(kind, request.body, changed, error) from None

    def decoded(self, resource: Resource, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """A whole object of an update, mutable. An empty list of managers stays one: it means something."""
        new = decode.decode(resource, body, strict=request.options.get("fieldValidation", "Strict") == "Strict")
        stated = (body.get("metadata") or {}).get("managedFields")
        if stated is not None:
            new["metadata"]["managedFields"] = stated
        return new

    def replace(self, resource: Resource, new: dict[str, Any], old: Map, request: Request, cause: Cause,
                owners: Entries | None = None) -> Map:
        """The common end of update, patch and apply: `new` is decoded and mutable. `owners` after an apply: of its fields."""
        from .defaults import apply_defaults
        ctx = Context(self.cluster, request.user, bool(request.options.get("dryRun")))
        metadata = new["metadata"]
        stated = metadata.get("managedFields") if not request.subresource else None
        for member in ("uid", "creationTimestamp", "name", "namespace", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
                       "selfLink", "resourceVersion"):
            if member in old["metadata"]:
                metadata[member] = old["metadata"][member]
            else:
                metadata.pop(member, None)
        apply_defaults(resource, new)
        admission.mutate_update(resource, new, old, request.subresource, ctx)
        strategy.prepare_for_update(resource, new, old, request.subresource, ctx)
        errors = validation.validate_update(resource, new, old, request.subresource)
        if errors := [*errors, *managers.faults_of(stated)]:
            raise invalid(resource.group, resource.kind, metadata["name"], errors)
        admission.admit_update(resource, new, old, request.subresource, ctx)
        if request.subresource in ("", "ephemeralcontainers") and not self.trusted(request.user):
            warnings.warn_of_change(resource, new, old, ctx)
        new.setdefault("apiVersion", resource.api_version)
        new.setdefault("kind", resource.kind)
        if stated is not None and owners is None:
            owners = applying.stated_owners(resource, stated, old, new, request, self.cluster.clock.now)
        if request.options.get("dryRun"):
            return self.dry(new, records.note(old, request, self.cluster.clock.now) if owners is None else owners)
        if new == old and (owners is None or applying.same_but_for_times(owners, records.of(old))):
            return old  # GuaranteedUpdate: an update that changes no byte is not written
        return deletion.write(self, resource, new, old, cause, request, owners)

    def check_same(self, resource: Resource, body: dict[str, Any], old: Map) -> None:
        metadata = body.get("metadata") or {}
        if metadata.get("uid") and metadata["uid"] != old["metadata"]["uid"]:
            raise other_uid(resource.group, resource.plural, resource.custom is not None, key_of_object(old), old["metadata"]["name"],
                            metadata["uid"], old["metadata"]["uid"])
        if metadata.get("resourceVersion") and metadata["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise conflict(resource.group, resource.plural, old["metadata"]["name"], MODIFIED)

    def check_gone(self, resource: Resource, request: Request) -> None:
        """GuaranteedUpdate looks at the precondition first: who names the uid of an object that is no more hears that it is not this one."""
        if isinstance(request.body, dict) and (wanted := dig(request.body, "metadata.uid")) and not self.trusted(request.user):
            key = key_of(request.namespace if resource.namespaced else None, request.name)
            raise other_uid(resource.group, resource.plural, resource.custom is not None, key, request.name, str(wanted), "")

    def put_status(self, resource: Resource, body: dict[str, Any], old: Map, cause: Cause, request: Request) -> Map:
        """The fast way for the cluster's own components, whose statuses are well formed by construction."""
        self.check_same(resource, body, old)
        new = {**old, "status": freeze(body.get("status") or {})}
        annotations = body["metadata"].get("annotations")
        if resource.plural == "deployments" and annotations != old["metadata"].get("annotations"):
            # the Deployment controller writes its revision this way (deploymentStatusStrategy keeps only spec and labels)
            new["metadata"] = {**old["metadata"], "annotations": annotations}
        if new == old:
            return old
        return self.store(resource.plural, new, cause, request)

    def put_endpoints(self, resource: Resource, body: dict[str, Any], old: Map, cause: Cause, request: Request) -> Map:
        """The fast way for the endpoint controllers, whose objects are large, often written and well formed by construction."""
        if body == old:
            return old
        metadata = body["metadata"]
        if metadata.get("generation"):
            metadata = {**metadata, "generation": metadata["generation"] + 1}
        return self.store(resource.plural, {**body, "metadata": metadata}, cause, request)

    def connect(self, node: str, order: dict[str, Any]) -> None:
        """Admission of an exec or attach: `order` as kubelet sessions have it. Raises ApiError where somebody's rule refuses it."""
        pod = next((one for one in self.cluster.etcd.pods_on(node) if one["metadata"]["uid"] == order["pod"]), None)
        if pod is None:
            return
        attach, tty = bool(order.get("attach")), bool(order.get("tty"))
        options = {"kind": "PodAttachOptions" if attach else "PodExecOptions", "apiVersion": "v1", "stdin": bool(order.get("stdin")), "stdout": True,
                   "stderr": not tty, "tty": tty, "container": order["container"], **({} if attach else {"command": list(order["command"])})}
        self.warnings.clear()
        admission.admit_part(BY_PLURAL["pods"], "CONNECT", {name: value for name, value in options.items() if value},
                             "attach" if attach else "exec", pod["metadata"], Context(self.cluster, ADMIN))

    # ---- the store, with causes

    def store_new(self, plural: str, obj: dict[str, Any], cause: Cause, request: Request | None = None, owned: Any = None) -> Map:
        """Write a new, complete object: gives it a uid and a creation time. Components use it for Events only."""
        metadata, cluster = obj["metadata"], self.cluster
        uid = metadata.get("uid") or cluster.random.uid("uid", plural, metadata.get("namespace") or "", metadata["name"], cluster.etcd.revision)
        metadata = {**metadata, "uid": uid, "creationTimestamp": rfc3339(cluster.clock.now)}
        return self.store(plural, {**obj, "metadata": metadata}, cause, request, owned)

    def store(self, plural: str, obj: dict[str, Any], cause: Cause, request: Request | None = None, owned: Any = None) -> Map:
        """Write an object. `owned`: who owns its fields from now on, where that is no matter of what changed."""
        cluster, key = self.cluster, key_of_object(obj)
        etcd, now = cluster.etcd, cluster.clock.now
        if plural == "events":  # an Event tells of a cause, it is none
            return etcd.put(plural, key, obj, now, cluster.because or 0, owned)
        cause_id = self.remember(plural, key, cause, request)
        if owned is None:
            owned = records.note(etcd.get(plural, key), request, now)
        return etcd.put(plural, key, obj, now, cause_id, owned)

    def drop(self, plural: str, obj: Map, cause: Cause, request: Request | None = None) -> Map:
        """Take an object out of the store for good. One that was never stored stays what it was: made up."""
        if plural in made_up.KINDS and self.cluster.etcd.get(plural, key_of_object(obj)) is None:
            return obj
        key = key_of_object(obj)
        cause_id = self.cluster.because or 0 if plural == "events" else self.remember(plural, key, cause, request)
        return self.cluster.etcd.remove(plural, key, self.cluster.clock.now, cause_id)

    def remember(self, plural: str, key: str, cause: Cause, request: Request | None) -> int:
        """The record of why an object is written: its id."""
        cluster = self.cluster
        return cluster.causes.add(cluster.clock.now, request.user if request else "apiserver", cause, cluster.because, f"{plural}/{key}",
                                  cluster.etcd.revision + 1)

    def resource_of(self, api_version: str, kind: str) -> Resource | None:
        """The stored form of a kind as references and objects name it, whatever version they say; None for one that is not served."""
        group = api_version.rpartition("/")[0]
        found = BY_KIND.get(kind)
        return found if found is not None and found.group == group else self.customs.of_kind(group, kind)

    def trusted(self, user: str) -> bool:
        """Whether this is a component of the cluster itself."""
        return user in self.cluster.components

    def dry(self, obj: dict[str, Any], owned: Any) -> Map:
        """What a dry run answers: the object as it would be stored."""
        shown = thaw(obj)
        metadata = shown["metadata"]
        metadata.setdefault("uid", self.cluster.random.uid("dry", metadata.get("name", ""), self.cluster.etcd.revision))
        metadata.setdefault("creationTimestamp", rfc3339(self.cluster.clock.now))
        return stored(shown, owned)
