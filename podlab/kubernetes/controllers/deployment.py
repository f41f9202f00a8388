"""Deployment: one ReplicaSet for each template, and the way from the old ones to the new (pkg/controller/deployment).

The names below are those of sync.go, rolling.go, recreate.go, progress.go and util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key, owner_key
from ..controllers_common import conditions, rollout
from ..controllers_common.owners import Orphans, claim, controlled, controller_of, reference, selecting, several
from ..controllers_common.rollout import DESIRED, MAX, REVISION
from ..controllers_common.templates import TEMPLATE_HASH, namespace_terminating, template_hash
from ..etcd import GONE, Change
from ..objects import EMPTY, Map
from ..selectors import selects
from ..times import parse_rfc3339, rfc3339

_of_replicaset = several(owner_key("Deployment"), selecting(
    "deployments", lambda deployment, rs: selects(deployment["spec"]["selector"], rs["metadata"].get("labels"))))


def _of_gone_pod(controller: Controller, change: Change) -> Iterable[str]:
    """deletePod: a Recreate Deployment waits for its last old Pod."""
    owner = controller_of(change.object)
    if owner is None or owner["kind"] != "ReplicaSet":
        return ()
    namespace = change.object["metadata"]["namespace"]
    rs = controller.cluster.etcd.get("replicasets", f"{namespace}/{owner['name']}")
    parent = controller_of(rs) if rs is not None else None
    if parent is None:
        return ()
    deployment = controller.cluster.etcd.get("deployments", f"{namespace}/{parent['name']}")
    recreate = deployment is not None and deployment["spec"]["strategy"].get("type") == "Recreate"
    return (f"{namespace}/{parent['name']}",) if recreate else ()


class DeploymentController(Controller):
    name = "deployment-controller"
    latency_ms = 12  # a little behind the ReplicaSets' controller, whose work it watches
    watches = {"deployments": own_key, "replicasets": _of_replicaset, "pods": _of_gone_pod}
    heeds = {"pods": GONE}

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "replicasets")
        super().restore()

    def reconcile(self, key: str) -> int | None:
        deployment = self.cluster.etcd.get("deployments", key)
        if deployment is None:
            return None
        sets = self._claim(deployment)
        if deployment["metadata"].get("deletionTimestamp"):
            new, old = rollout.split(deployment, sets)
            return self._write_status(deployment, _status(deployment, [*old, *_some(new)], new, self.now))
        deployment = self._note_pause(deployment)
        if deployment["spec"].get("paused") or rollout.is_scaling_event(deployment, sets):
            return self._sync(deployment, sets)
        if deployment["spec"]["strategy"].get("type") == "Recreate":
            return self._recreate(deployment, sets)
        return self._roll(deployment, sets)

    def _claim(self, deployment: Map) -> list[Map]:
        selector, uid = deployment["spec"]["selector"], deployment["metadata"]["uid"]
        owned = controlled(uid, self.cluster.etcd.owned(uid, "replicasets"))
        return claim(self.client, deployment, "replicasets", owned, self.orphans.of(deployment["metadata"]["namespace"]),
                     lambda rs: selects(selector, rs["metadata"].get("labels")))

    # ---- paused, or scaled in the middle of a rollout

    def _note_pause(self, deployment: Map) -> Map:
        """checkPausedConditions: so that a paused rollout does not run into its deadline."""
        progressing = conditions.find(deployment, "Progressing")
        if not _has_deadline(deployment) or (progressing and progressing["reason"] == "ProgressDeadlineExceeded"):
            return deployment
        paused, noted = bool(deployment["spec"].get("paused")), bool(progressing and progressing["reason"] == "DeploymentPaused")
        if paused == noted:
            return deployment
        new = ("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused") if paused else \
              ("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
        status = deployment.get("status") or EMPTY
        changed = {**status, "conditions": set_condition(status.get("conditions") or (), *new, self.now)}
        return self.client.update("deployments", {**deployment, "status": changed}, subresource="status",
                                  cause=Cause("deployment-paused" if paused else "deployment-resumed"))

    def _sync(self, deployment: Map, sets: list[Map]) -> int | None:
        deployment, new, old = self._new_replicaset(deployment, sets, create=False)
        sets = self._resize(deployment, [*old, *_some(new)], rollout.scale_plan(deployment, new, old), "deployment-scaled")
        new, old = rollout.split(deployment, sets)
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, old)
        return self._write_status(deployment, _status(deployment, [*old, *_some(new)], new, self.now))

    # ---- the two strategies

    def _roll(self, deployment: Map, sets: list[Map]) -> int | None:
        """rolloutRolling: one action in a sync; first grow the new set, else shrink the old ones."""
        deployment, new, old = self._new_replicaset(deployment, sets, create=True)
        if new is None:
            return None
        size = rollout.new_size(deployment, [*old, new], new)
        if size != new["spec"].get("replicas", 1):
            new = self._scale(deployment, new, size, Cause("deployment-rolling-up", _scaling(new, size)))
            return self._write_rollout_status(deployment, [*old, new], new)
        shrunk = rollout.shrink_plan(deployment, old, new)
        if shrunk:
            old = self._resize(deployment, old, shrunk, "deployment-rolling-down")
        elif _complete(deployment, deployment.get("status") or EMPTY):
            self._clean_up(deployment, old)
        return self._write_rollout_status(deployment, [*old, new], new)

    def _recreate(self, deployment: Map, sets: list[Map]) -> int | None:
        """rolloutRecreate: no new Pod before the last old one has gone."""
        deployment, new, old = self._new_replicaset(deployment, sets, create=False)
        active = [(rs["metadata"]["uid"], 0) for rs in old if rollout.size_of(rs)]
        old = self._resize(deployment, old, active, "deployment-rolling-down")
        if active or self._old_pods_running(old):
            return self._write_rollout_status(deployment, [*old, *_some(new)], new)
        if new is None:
            deployment, new, old = self._new_replicaset(deployment, sets, create=True)
            if new is None:
                return None
        wanted = deployment["spec"].get("replicas", 1)
        if wanted != new["spec"].get("replicas", 1):
            new = self._scale(deployment, new, wanted, Cause("deployment-rolling-up", _scaling(new, wanted)))
        if _complete(deployment, deployment.get("status") or EMPTY):
            self._clean_up(deployment, old)
        return self._write_rollout_status(deployment, [*old, new], new)

    def _old_pods_running(self, old: list[Map]) -> bool:
        if any((rs.get("status") or EMPTY).get("replicas") for rs in old):
            return True
        pods = (pod for rs in old for pod in self.cluster.etcd.owned(rs["metadata"]["uid"], "pods"))
        return any((pod.get("status") or EMPTY).get("phase") not in ("Succeeded", "Failed") for pod in pods)

    # ---- ReplicaSets

    def _new_replicaset(self, deployment: Map, sets: list[Map], *, create: bool) -> tuple[Map, Map | None, list[Map]]:
        """getAllReplicaSetsAndSyncRevision: (the Deployment as stored now, its new ReplicaSet or None, the old ones)."""
        new, old = rollout.split(deployment, sets)
        revision = rollout.max_revision(old) + 1
        if new is not None:
            changed = rollout.annotated(deployment, new, revision, exists=True)
            min_ready = deployment["spec"].get("minReadySeconds") or 0
            if changed is not None or (new["spec"].get("minReadySeconds") or 0) != min_ready:
                annotations = changed if changed is not None else new["metadata"].get("annotations")
                spec = {**{k: v for k, v in new["spec"].items() if k != "minReadySeconds"},
                        **({"minReadySeconds": min_ready} if min_ready else {})}
                body = {**new, "metadata": {**new["metadata"], "annotations": annotations}, "spec": spec}
                new = self.client.update("replicasets", body, cause=Cause("deployment-revision", {"revision": revision}))
                return deployment, new, old
            annotations = new["metadata"].get("annotations") or EMPTY
            return self._note_revision(deployment, annotations.get(REVISION, ""), "FoundNewReplicaSet",
                                       f'Found new replica set "{new["metadata"]["name"]}"', if_missing=True), new, old
        if not create:
            return deployment, None, old
        deployment, new = self._create_replicaset(deployment, old, revision)
        return deployment, new, old

    def _create_replicaset(self, deployment: Map, old: list[Map], revision: int) -> tuple[Map, Map | None]:
        metadata, spec = deployment["metadata"], deployment["spec"]
        status = deployment.get("status") or EMPTY
        digest = template_hash(spec["template"], status.get("collisionCount"))
        body = _replicaset(deployment, digest)
        body["spec"]["replicas"] = size = rollout.new_size(deployment, [*old, body], body)
        body["metadata"]["annotations"] = rollout.annotated(deployment, body, revision, exists=False)
        name = body["metadata"]["name"]
        try:
            new = self.client.create("replicasets", body, metadata["namespace"],
                                     cause=Cause("deployment-new-replicaset",
                                                 {"replicaset": name, "size": size, "revision": revision}))
        except ApiError as error:
            return self._not_created(deployment, name, error)
        if size:
            self.client.event(deployment, "Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}")
        return self._note_revision(deployment, str(revision), "NewReplicaSetCreated", f'Created new replica set "{name}"'), new

    def _not_created(self, deployment: Map, name: str, error: ApiError) -> tuple[Map, Map | None]:
        if error.reason == "AlreadyExists":
            held = self.client.get("replicasets", name, deployment["metadata"]["namespace"])
            owner = controller_of(held)
            if owner is not None and owner["uid"] == deployment["metadata"]["uid"] and rollout.same_template(held, deployment):
                return deployment, held
            status = deployment.get("status") or EMPTY  # another template has this hash: next time with one more collision
            count = (status.get("collisionCount") or 0) + 1
            self.client.update("deployments", {**deployment, "status": {**status, "collisionCount": count}}, subresource="status",
                               cause=Cause("deployment-hash-collision", {"replicaset": name}))
            raise error
        if namespace_terminating(error):
            return deployment, None
        message = f'Failed to create new replica set "{name}": {error.message}'
        if _has_deadline(deployment):
            status = deployment.get("status") or EMPTY
            new = set_condition(status.get("conditions") or (), "Progressing", "False", "ReplicaSetCreateError", message,
                                self.now)
            self.client.update("deployments", {**deployment, "status": {**status, "conditions": new}}, subresource="status",
                               cause=Cause("deployment-status", {"reason": "ReplicaSetCreateError"}))
        self.client.event(deployment, "Warning", "ReplicaSetCreateError", message)
        raise error

    def _note_revision(self, deployment: Map, revision: str, reason: str, message: str, *, if_missing: bool = False) -> Map:
        """Write the revision annotation and the first Progressing condition, if they are news."""
        annotations = deployment["metadata"].get("annotations") or EMPTY
        status = deployment.get("status") or EMPTY
        held = status.get("conditions") or ()
        if _has_deadline(deployment) and not (if_missing and conditions.of(held, "Progressing")):
            status = {**status, "conditions": set_condition(held, "Progressing", "True", reason, message, self.now)}
        metadata = {**deployment["metadata"], "annotations": {**annotations, REVISION: revision}}
        changed = {**deployment, "metadata": metadata, "status": status}
        if changed == deployment:
            return deployment
        return self.client.update("deployments", changed, subresource="status",
                                  cause=Cause("deployment-revision", {"revision": revision}))

    def _resize(self, deployment: Map, sets: list[Map], steps: rollout.Steps, rule: str) -> list[Map]:
        """The sets after some were given other sizes, one after the other."""
        by_uid = {rs["metadata"]["uid"]: rs for rs in sets}
        for uid, size in steps:
            by_uid[uid] = self._scale(deployment, by_uid[uid], size, Cause(rule, _scaling(by_uid[uid], size)))
        return list(by_uid.values())

    def _scale(self, deployment: Map, rs: Map, size: int, cause: Cause) -> Map:
        """scaleReplicaSet, with its event."""
        before, wanted = rs["spec"].get("replicas", 1), deployment["spec"].get("replicas", 1)
        annotations = {**(rs["metadata"].get("annotations") or EMPTY), DESIRED: str(wanted),
                       MAX: str(wanted + rollout.max_surge(deployment))}
        if before == size and annotations == rs["metadata"].get("annotations"):
            return rs
        changed = {**rs, "metadata": {**rs["metadata"], "annotations": annotations}, "spec": {**rs["spec"], "replicas": size}}
        stored = self.client.update("replicasets", changed, cause=cause)
        if before != size:
            direction = "up" if size > before else "down"
            self.client.event(deployment, "Normal", "ScalingReplicaSet",
                              f"Scaled {direction} replica set {rs['metadata']['name']} from {before} to {size}")
        return stored

    def _clean_up(self, deployment: Map, old: list[Map]) -> None:
        for rs in rollout.surplus(deployment, old):
            self.client.delete("replicasets", rs["metadata"]["name"], rs["metadata"]["namespace"], uid=rs["metadata"]["uid"],
                               cause=Cause("deployment-history", {"limit": deployment["spec"].get("revisionHistoryLimit")}))

    # ---- status

    def _write_rollout_status(self, deployment: Map, sets: list[Map], new: Map | None) -> int | None:
        """syncRolloutStatus."""
        status = _status(deployment, sets, new, self.now)
        status["conditions"] = _progress(deployment, status, new, self.now)
        status["conditions"] = _failures(status["conditions"], sets, new)
        return self._write_status(deployment, status)

    def _write_status(self, deployment: Map, status: dict[str, Any]) -> int | None:
        status = conditions.drop_zeros(status, "terminatingReplicas")
        if status == (deployment.get("status") or EMPTY):
            return _recheck(deployment, status, self.now)
        facts = {"updated": status.get("updatedReplicas", 0), "available": status.get("availableReplicas", 0)}
        self.client.update("deployments", {**deployment, "status": status}, subresource="status",
                           cause=Cause("deployment-status", facts))
        return None


def _some(rs: Map | None) -> list[Map]:
    return [] if rs is None else [rs]


def _scaling(rs: Map, size: int) -> dict[str, Any]:
    return {"replicaset": rs["metadata"]["name"], "from": rs["spec"].get("replicas", 1), "to": size}


def _has_deadline(deployment: Map) -> bool:
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != 2**31 - 1


def _replicaset(deployment: Map, digest: str) -> dict[str, Any]:
    metadata, spec = deployment["metadata"], deployment["spec"]
    template, selector = spec["template"], spec["selector"]
    labels = {**((template.get("metadata") or EMPTY).get("labels") or EMPTY), TEMPLATE_HASH: digest}
    min_ready = {"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": f"{metadata['name']}-{digest}", "namespace": metadata["namespace"], "labels": labels,
                         "ownerReferences": [reference(deployment)]},
            "spec": {"replicas": 0, **min_ready,
                     "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or EMPTY), TEMPLATE_HASH: digest}},
                     "template": {**template, "metadata": {**(template.get("metadata") or EMPTY), "labels": labels}}}}


def set_condition(held: Iterable[Any], kind: str, status: str, reason: str, message: str, now: int) -> list[Any]:
    """SetDeploymentCondition: same status and reason change nothing; the same status keeps its time; the new one goes last."""
    current = conditions.of(held, kind)
    if current is not None and current["status"] == status and current["reason"] == reason:
        return list(held)
    since = current["lastTransitionTime"] if current is not None and current["status"] == status else rfc3339(now)
    new = {"type": kind, "status": status, "lastUpdateTime": rfc3339(now), "lastTransitionTime": since, "reason": reason,
           "message": message}
    return [*(c for c in held if c["type"] != kind), new]


def _status(deployment: Map, sets: list[Map], new: Map | None, now: int) -> dict[str, Any]:
    """calculateStatus."""
    old = deployment.get("status") or EMPTY

    def total(member: str, among: Iterable[Map] = sets) -> int:
        return sum((rs.get("status") or EMPTY).get(member) or 0 for rs in among)

    wanted, available = deployment["spec"].get("replicas", 1), total("availableReplicas")
    asked = sum(rs["spec"].get("replicas", 1) for rs in sets)
    enough = available >= wanted - rollout.max_unavailable(deployment)
    verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.") if enough else \
              ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    status = {"observedGeneration": deployment["metadata"].get("generation", 0), "replicas": total("replicas"),
              "updatedReplicas": total("replicas", _some(new)), "readyReplicas": total("readyReplicas"),
              "availableReplicas": available,
              "unavailableReplicas": max(0, asked - available), "terminatingReplicas": total("terminatingReplicas"),
              "conditions": set_condition(old.get("conditions") or (), "Available", *verdict, now)}
    if old.get("collisionCount") is not None:
        status["collisionCount"] = old["collisionCount"]
    return status


def _complete(deployment: Map, status: Any) -> bool:
    """DeploymentComplete."""
    wanted = deployment["spec"].get("replicas", 1)
    return (all((status.get(member) or 0) == wanted for member in ("updatedReplicas", "replicas", "availableReplicas"))
            and (status.get("observedGeneration") or 0) >= deployment["metadata"].get("generation", 0))


def _progressing(old: Any, new: Any) -> bool:
    """DeploymentProgressing: more updated, ready or available Pods, or fewer old ones."""
    def number(status: Any, member: str) -> int:
        return status.get(member) or 0
    older = [number(status, "replicas") - number(status, "updatedReplicas") for status in (old, new)]
    return older[1] < older[0] or any(number(new, member) > number(old, member)
                                      for member in ("updatedReplicas", "readyReplicas", "availableReplicas"))


def _progress(deployment: Map, status: Any, new: Map | None, now: int) -> list[Any]:
    """The conditions with Progressing as syncRolloutStatus sets it."""
    held: list[Any] = status["conditions"]
    if not _has_deadline(deployment):
        return [c for c in held if c["type"] != "Progressing"]
    current = conditions.find(deployment, "Progressing")
    done = current is not None and current["reason"] == "NewReplicaSetAvailable"
    if done and status["replicas"] == status["updatedReplicas"]:
        return held
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new is not None else f'Deployment "{deployment["metadata"]["name"]}"'
    if _complete(deployment, status):
        return set_condition(held, "Progressing", "True", "NewReplicaSetAvailable", subject + " has successfully progressed.",
                             now)
    if _progressing(deployment.get("status") or EMPTY, status):
        since = current["lastTransitionTime"] if current is not None and current["status"] == "True" else rfc3339(now)
        held = [c for c in held if c["type"] != "Progressing"]
        return [*held, {"type": "Progressing", "status": "True", "lastUpdateTime": rfc3339(now), "lastTransitionTime": since,
                        "reason": "ReplicaSetUpdated", "message": subject + " is progressing."}]
    if _timed_out(deployment, held, now):
        return set_condition(held, "Progressing", "False", "ProgressDeadlineExceeded", subject + " has timed out progressing.",
                             now)
    return held


def _timed_out(deployment: Map, held: Iterable[Any], now: int) -> bool:
    """DeploymentTimedOut."""
    progressing = conditions.of(held, "Progressing")
    if progressing is None or progressing["reason"] == "NewReplicaSetAvailable":
        return False
    if progressing["reason"] == "ProgressDeadlineExceeded":
        return True
    deadline: int = deployment["spec"]["progressDeadlineSeconds"]
    return parse_rfc3339(progressing["lastUpdateTime"]) + deadline * 1000 < now


def _failures(held: list[Any], sets: list[Map], new: Map | None) -> list[Any]:
    """getReplicaFailures: a ReplicaSet's failure is the Deployment's, the new set's first."""
    rest = [c for c in held if c["type"] != "ReplicaFailure"]
    for rs in [*_some(new), *sets]:
        failure = conditions.find(rs, "ReplicaFailure")
        if failure is not None:
            since = failure["lastTransitionTime"]
            shown = {"type": "ReplicaFailure", "status": failure["status"], "lastUpdateTime": since, "lastTransitionTime": since,
                     "reason": failure["reason"], "message": failure["message"]}
            current = conditions.of(held, "ReplicaFailure")
            same = current is not None and (current["status"], current["reason"]) == (shown["status"], shown["reason"])
            return held if same else [*rest, shown]
    return rest


def _recheck(deployment: Map, status: Any, now: int) -> int | None:
    """requeueStuckDeployment: ms until the deadline has surely passed, or None when there is nothing to wait for."""
    progressing = conditions.of(status.get("conditions") or (), "Progressing")
    if not _has_deadline(deployment) or progressing is None or deployment["spec"].get("paused"):
        return None
    if _complete(deployment, status) or progressing["reason"] in ("ProgressDeadlineExceeded", "NewReplicaSetAvailable"):
        return None
    deadline: int = deployment["spec"]["progressDeadlineSeconds"]
    left = parse_rfc3339(progressing["lastUpdateTime"]) + deadline * 1000 - now
    return max(0, left) + 1000
