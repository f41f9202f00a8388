"""StatefulSet: Pods with names that stay, one after the other (pkg/controller/statefulset/stateful_set_control.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError, FieldError, invalid
from ..cause import Cause
from ..component import Controller, own_key, owner_key
from ..controllers_common import conditions, retention, revisions
from ..controllers_common.owners import Orphans, claim, controlled, selecting, several
from ..controllers_common.pods import available_in, counting, facts, is_available, is_deleting
from ..controllers_common.templates import new_pod, slow_start
from ..objects import EMPTY, Map
from ..selectors import selects

BURST = 100  # Pods made at one go: no constant of Kubernetes', whose controller does not hold up all others meanwhile
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"

_of_pod = several(owner_key("StatefulSet"), selecting(
    "statefulsets", lambda owner, pod: _is_member(owner, pod)
    and selects(owner["spec"]["selector"], pod["metadata"].get("labels"))))


def ordinal(pod: Map) -> int:
    """The number at the end of a Pod's name; -1 when it has none."""
    _, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if number.isdigit() else -1


def _is_member(owner: Map, pod: Map) -> bool:
    return ordinal(pod) >= 0 and pod["metadata"]["name"] == f"{owner['metadata']['name']}-{ordinal(pod)}"


def first_ordinal(owner: Map) -> int:
    return (owner["spec"].get("ordinals") or EMPTY).get("start") or 0


def _healthy(pod: Map) -> bool:
    known = facts(pod)
    return known.phase == "Running" and known.ready and not is_deleting(pod)


def _revision(pod: Map) -> str:
    return str((pod["metadata"].get("labels") or EMPTY).get(revisions.HASH, ""))


def counts(pods: Iterable[Map], min_ready: int, current: str, update: str, now: int) -> dict[str, int]:
    """updateStatus: a terminating Pod still counts as a replica, not as one of a revision."""
    found = {"replicas": 0, "readyReplicas": 0, "availableReplicas": 0, "currentReplicas": 0, "updatedReplicas": 0}
    for pod in pods:
        known = facts(pod)
        found["replicas"] += 1
        if known.phase == "Running" and known.ready:
            found["readyReplicas"] += 1
            found["availableReplicas"] += is_available(pod, min_ready, now)
        if not is_deleting(pod):
            found["currentReplicas"] += _revision(pod) == current
            found["updatedReplicas"] += _revision(pod) == update
    return found


class Step:
    """One thing to do: `rule` is create, restart (an ended Pod), mend (a Pending Pod's claims), adjust (identity and claims' owners),
    condemn (the claims of a Pod that goes), scale-down, update or wait."""

    __slots__ = ("ordinal", "pod", "rule")

    def __init__(self, rule: str, number: int, pod: Map | None = None) -> None:
        self.rule, self.ordinal, self.pod = rule, number, pod

    def __repr__(self) -> str:
        return f"{self.rule} {self.ordinal}"


def plan(owner: Map, pods: list[Map], update: str, now: int) -> list[Step]:
    """updateStatefulSet: OrderedReady does one thing a turn; Parallel does all it can. `update` is the newest revision's name."""
    spec = owner["spec"]
    ordered, min_ready = spec.get("podManagementPolicy") != "Parallel", spec.get("minReadySeconds") or 0
    start, replicas = first_ordinal(owner), spec.get("replicas", 1)
    by_ordinal = {ordinal(pod): pod for pod in pods}
    wanted = range(start, start + replicas)
    condemned = sorted((pod for pod in pods if ordinal(pod) not in wanted), key=ordinal, reverse=True)

    def available(pod: Map) -> bool:
        return _healthy(pod) and is_available(pod, min_ready, now)

    steps: list[Step] = []
    missing = 0
    for number in wanted:
        steps += (step := _replica_step(owner, number, by_ordinal.get(number), available, ordered))
        if ordered and step and step[-1].rule in ("create", "restart", "wait"):
            return steps
        missing += number not in by_ordinal
        if missing == BURST:  # the new Pods bring the controller back for the others: two thousand million may be wanted
            break
    unhealthy = [pod for pod in sorted(pods, key=ordinal) if ordinal(pod) in wanted and not available(pod)]
    unhealthy += [pod for pod in reversed(condemned) if not available(pod)]
    if spec.get("volumeClaimTemplates"):
        steps += [Step("condemn", ordinal(pod), pod) for pod in condemned]
    for pod in condemned:
        number = ordinal(pod)
        if is_deleting(pod) or (ordered and not available(pod) and pod is not unhealthy[0]):
            if ordered:
                return [*steps, Step("wait", number, pod)]
            continue
        steps.append(Step("scale-down", number, pod))
        if ordered:
            return steps
    return [*steps, *_update_step(spec, wanted, by_ordinal, update, available)]


def _replica_step(owner: Map, number: int, pod: Map | None, available: Any, ordered: bool) -> list[Step]:
    """processReplica."""
    if pod is None:
        return [Step("create", number)]
    if facts(pod).phase in ("Failed", "Succeeded"):
        return [Step("wait" if is_deleting(pod) else "restart", number, pod)]
    mend = [Step("mend", number, pod)] if facts(pod).phase == "Pending" else []
    if ordered and not available(pod):
        return [*mend, Step("wait", number, pod)]
    if owner["spec"].get("volumeClaimTemplates") or not _identified(pod):
        mend.append(Step("adjust", number, pod))
    return mend


def _identified(pod: Map) -> bool:
    """identityMatches, of a Pod whose name fits."""
    return bool((pod["metadata"].get("labels") or EMPTY).get(POD_NAME) == pod["metadata"]["name"])


def _update_step(spec: Any, wanted: range, by_ordinal: dict[int, Map], update: str, available: Any) -> list[Step]:
    strategy = spec.get("updateStrategy") or EMPTY
    if strategy.get("type") == "OnDelete":
        return []
    partition = (strategy.get("rollingUpdate") or EMPTY).get("partition") or 0
    for number in reversed(wanted):
        pod = by_ordinal.get(number)
        if number - wanted.start < partition or pod is None:
            break
        if _revision(pod) != update and not is_deleting(pod):
            return [Step("update", number, pod)]
        if not available(pod):
            return [Step("wait", number, pod)]
    return []


class StatefulSetController(Controller):
    name = "statefulset-controller"
    watches = {"statefulsets": own_key, "pods": _of_pod}
    heeds = {"pods": counting("StatefulSet")}

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "pods")
        self.orphan_revisions = Orphans(self.cluster.etcd, "controllerrevisions")
        super().restore()

    def reconcile(self, key: str) -> int | None:
        owner = self.cluster.etcd.get("statefulsets", key)
        if owner is None:
            return None
        pods = self._claim(owner)
        selector = owner["spec"]["selector"]
        held = revisions.of_owner(self.client, owner, self.orphan_revisions,
                                  lambda one: selects(selector, one["metadata"].get("labels")))
        update, current = self._revisions(owner, held)
        min_ready = owner["spec"].get("minReadySeconds") or 0
        status = counts(pods, min_ready, current["metadata"]["name"], update["metadata"]["name"], self.now)
        error = None
        if not is_deleting(owner):
            error = self._apply(owner, plan(owner, pods, update["metadata"]["name"], self.now), current, update, status)
        self._write_status(owner, status, current["metadata"]["name"], update["metadata"]["name"])
        live = [*map(_revision, pods), current["metadata"]["name"], update["metadata"]["name"]]
        revisions.truncate(self.client, held, live, owner["spec"].get("revisionHistoryLimit", 10))
        if error is not None:
            raise error
        # FindMinNextPodAvailabilityCheck
        return min((wait for pod in pods if (wait := available_in(pod, min_ready, self.now))), default=None)

    def _claim(self, owner: Map) -> list[Map]:
        selector, uid = owner["spec"]["selector"], owner["metadata"]["uid"]
        owned = controlled(uid, self.cluster.etcd.owned(uid, "pods"))
        pods = claim(self.client, owner, "pods", owned, self.orphans.of(owner["metadata"]["namespace"]),
                     lambda pod: _is_member(owner, pod) and selects(selector, pod["metadata"].get("labels")))
        return sorted(pods, key=ordinal)

    def _revisions(self, owner: Map, held: list[Map]) -> tuple[Map, Map]:
        """(update revision, current revision)."""
        status = owner.get("status") or EMPTY
        labels = dict((owner["spec"]["template"].get("metadata") or EMPTY).get("labels") or EMPTY)
        update = revisions.ensure(self.client, owner, held, labels, status.get("collisionCount") or None)
        current = next((one for one in held if one["metadata"]["name"] == status.get("currentRevision")), update)
        return update, current

    # ---- acting

    def _apply(self, owner: Map, steps: list[Step], current: Map, update: Map, status: dict[str, int]) -> ApiError | None:
        """Replicas are made in batches that grow as long as none fails (runForAll)."""
        missing = [step for step in steps if step.rule == "create"]
        _, first_error = slow_start(len(missing), lambda index: self._do(owner, missing[index], current, update, status))
        for step in steps:
            if step.rule != "create":
                try:
                    self._do(owner, step, current, update, status)
                except ApiError as error:
                    first_error = first_error or error
        return first_error

    def _do(self, owner: Map, step: Step, current: Map, update: Map, status: dict[str, int]) -> None:
        facts_ = {"ordinal": step.ordinal, "want": owner["spec"].get("replicas", 1)}
        if step.rule == "create":
            self._create(owner, step.ordinal, current, update, facts_)
        elif step.rule == "wait" and step.pod is not None:
            if status["replicas"] != owner["spec"].get("replicas", 1):  # it holds up something
                of = f"statefulsets/{owner['metadata']['namespace']}/{owner['metadata']['name']}"
                self.note("statefulset-waits", {"pod": step.pod["metadata"]["name"], "ordinal": step.ordinal}, of)
        elif step.pod is None:
            return
        elif step.rule == "mend":
            self._create_claims(owner, step.ordinal, step.pod["metadata"]["name"])
            self._own_claims(owner, step.pod, fresh=True)
        elif step.rule == "adjust":
            self._adjust(owner, step.pod)
        elif step.rule == "condemn":
            self._own_claims(owner, step.pod, condemned=True)
        elif step.rule == "restart":
            self._delete(owner, step.pod, Cause("statefulset-restart", facts_))
        elif step.rule == "scale-down":
            self._delete(owner, step.pod, Cause("statefulset-too-many", facts_))
        else:
            try:
                self._delete(owner, step.pod, Cause("statefulset-update", facts_))
            except ApiError as error:
                if error.reason != "NotFound":
                    raise
            status["currentReplicas"] -= 1  # of whatever revision it was; below 0 see _write_status

    def _create(self, owner: Map, number: int, current: Map, update: Map, facts_: dict[str, Any]) -> None:
        strategy = owner["spec"].get("updateStrategy") or EMPTY
        partition = (strategy.get("rollingUpdate") or EMPTY).get("partition") or 0
        old = strategy.get("type") != "OnDelete" and number < first_ordinal(owner) + partition
        revision = current if old else update
        pod = member(owner, number, revision)
        name = pod["metadata"]["name"]
        if self._has_stale_claims(owner, number, name):  # the real controller waits for the next change, whatever it is
            raise ApiError(409, "Conflict", f"the claims of {name} are a former Pod's")
        try:
            self._create_claims(owner, number, name)
        except ApiError as error:
            self._say(owner, "Create", name, error)
            raise
        try:
            created = self.client.create("pods", pod, owner["metadata"]["namespace"], cause=Cause("statefulset-next-pod", facts_))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                self._say(owner, "Create", name, error)
            raise
        self._own_claims(owner, created, fresh=True)
        self._say(owner, "Create", name)

    def _delete(self, owner: Map, pod: Map, cause: Cause) -> None:
        name = pod["metadata"]["name"]
        try:
            self.client.delete("pods", name, pod["metadata"]["namespace"], uid=pod["metadata"]["uid"], cause=cause)
        except ApiError as error:
            self._say(owner, "Delete", name, error)
            raise
        self._say(owner, "Delete", name)

    def _adjust(self, owner: Map, pod: Map) -> None:
        """UpdateStatefulPod: name labels that were taken away, and the claims' owners after a change of policy."""
        name, changed = pod["metadata"]["name"], self._own_claims(owner, pod)
        if not _identified(pod):
            labels = {POD_NAME: name, POD_INDEX: str(ordinal(pod))}
            self.client.patch("pods", name, {"metadata": {"labels": labels}}, pod["metadata"]["namespace"],
                              cause=Cause("statefulset-identity", {"pod": name}))
            changed = True
        if changed:
            self._say(owner, "Update", name)

    def _say(self, owner: Map, verb: str, pod: str, error: ApiError | None = None) -> None:
        """recordPodEvent."""
        subject = f"{verb} Pod {pod} in StatefulSet {owner['metadata']['name']}"
        if error is not None:
            self.client.event(owner, "Warning", f"Failed{verb}", f"{subject} failed error: {error.message}")
        else:
            self.client.event(owner, "Normal", f"Successful{verb}", f"{subject} successful")

    # ---- claims

    def _create_claims(self, owner: Map, number: int, pod: str) -> None:
        """createPersistentVolumeClaims. Raises one ApiError that says all that failed."""
        namespace, of = owner["metadata"]["namespace"], owner["metadata"]["name"]
        failed: list[str] = []
        for template in owner["spec"].get("volumeClaimTemplates") or ():
            name = claim_name(owner, template, number)
            held = self.client.find("persistentvolumeclaims", name, namespace)
            if held is not None:
                if is_deleting(held):
                    failed.append(f"pvc {name} is being deleted")
                continue
            labels = {**(template["metadata"].get("labels") or EMPTY), **(owner["spec"]["selector"].get("matchLabels") or EMPTY)}
            metadata = {**{k: v for k, v in template["metadata"].items() if k != "creationTimestamp"}, "name": name,
                        "namespace": namespace, "labels": labels}
            body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]}
            try:
                self.client.create("persistentvolumeclaims", body, namespace,
                                   cause=Cause("statefulset-claim", {"claim": name, "pod": pod}))
            except ApiError as error:
                text = f"Create Claim {name} for Pod {pod} in StatefulSet {of} failed error: {error.message}"
                self.client.event(owner, "Warning", "FailedCreate", text)
                failed.append(f"failed to create PVC {name}: {error.message}")
                continue
            self.client.event(owner, "Normal", "SuccessfulCreate", f"Create Claim {name} Pod {pod} in StatefulSet {of} success")
        if failed:
            raise ApiError(409, "Conflict", failed[0] if len(failed) == 1 else f"[{', '.join(failed)}]")

    def _claims(self, owner: Map, number: int) -> list[Map]:
        namespace = owner["metadata"]["namespace"]
        names = (claim_name(owner, template, number) for template in owner["spec"].get("volumeClaimTemplates") or ())
        return [held for name in names if (held := self.client.find("persistentvolumeclaims", name, namespace)) is not None]

    def _own_claims(self, owner: Map, pod: Map, *, condemned: bool = False, fresh: bool = False) -> bool:
        """UpdatePodClaimForRetentionPolicy. Whether a claim was changed. `fresh`: the Pod has just been made."""
        changed = False
        for held in self._claims(owner, ordinal(pod)):
            name = held["metadata"]["name"]
            references = retention.owners_of(held, owner, pod, condemned)
            if (fresh or references is not None) and retention.conflicting(held, owner, pod):
                self.client.event(owner, "Warning", "ConflictingController",
                                  f"PersistentVolumeClaim {name} has a conflicting OwnerReference that acts as a managing controller, "
                                  "the retention policy is ignored for this claim")
            if references is None:
                continue
            self.client.patch("persistentvolumeclaims", name, {"metadata": {"ownerReferences": references or None}},
                              owner["metadata"]["namespace"], cause=Cause("statefulset-claim-owner", {"claim": name}))
            changed = True
        return changed

    def _has_stale_claims(self, owner: Map, number: int, name: str) -> bool:
        """PodClaimIsStale: the claim of a Pod of this name that was scaled away goes before the new one comes."""
        pod = Map(apiVersion="v1", kind="Pod", metadata=Map(name=name))
        return retention.policy(owner)[0] and any(retention.is_stale(held, pod) for held in self._claims(owner, number))

    # ---- status

    def _write_status(self, owner: Map, status: dict[str, Any], current: str, update: str) -> None:
        """updateStatefulSetStatus, with completeRollingUpdate. A number below 0 (of a Pod taken for an update that was of neither revision) the
        server refuses (ValidateStatefulSetStatus): the status comes with the next sync."""
        if status["currentReplicas"] < 0:
            raise invalid("apps", "StatefulSet", owner["metadata"]["name"], [FieldError.invalid(
                "status.currentReplicas", status["currentReplicas"], "must be greater than or equal to 0")])
        wanted = owner["spec"].get("replicas", 1)
        rolling = (owner["spec"].get("updateStrategy") or EMPTY).get("type", "RollingUpdate") == "RollingUpdate"
        if rolling and status["updatedReplicas"] == status["readyReplicas"] == status["replicas"] == wanted:
            status, current = {**status, "currentReplicas": status["updatedReplicas"]}, update
        old = owner.get("status") or EMPTY
        new = conditions.drop_zeros(
            {"observedGeneration": owner["metadata"].get("generation", 0), **status, "currentRevision": current,
             "updateRevision": update,
             "collisionCount": old.get("collisionCount") or 0}, "replicas", "availableReplicas", "collisionCount")
        if new != old:
            facts_ = {"replicas": status["replicas"], "ready": status["readyReplicas"]}
            self.client.update("statefulsets", {**owner, "status": new}, subresource="status",
                               cause=Cause("statefulset-status", facts_))


def claim_name(owner: Map, template: Map, number: int) -> str:
    return f"{template['metadata']['name']}-{owner['metadata']['name']}-{number}"


def member(owner: Map, number: int, revision: Map) -> dict[str, Any]:
    """newVersionedStatefulSetPod: identity, storage and revision."""
    template = {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}
    name = f"{owner['metadata']['name']}-{number}"
    claims = [{"name": one["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name(owner, one, number)}}
              for one in owner["spec"].get("volumeClaimTemplates") or ()]
    named = {volume["name"] for volume in claims}
    volumes = [*claims, *(volume for volume in template["spec"].get("volumes") or () if volume["name"] not in named)]
    spec = {**template["spec"], "hostname": name, "subdomain": owner["spec"].get("serviceName") or ""}
    if volumes:
        spec["volumes"] = volumes
    labels = {POD_INDEX: str(number), revisions.HASH: revision["metadata"]["name"], POD_NAME: name}
    pod = new_pod(template, owner, name=name, labels=labels, spec=spec)
    pod["metadata"]["generateName"] = owner["metadata"]["name"] + "-"
    return pod

