"""Deployment: one ReplicaSet for each template, and the way from the old ones to the new (pkg/controller/deployment).

The names below are those of sync.go, rolling.go, recreate.go, progress.go and util/deployment_util.go.

A sync works on what it read at its start. Sets that it scales are counted at their old size in the status it then writes, and once it has
written the Deployment (a revision, a pause) its next write of the same sync is refused as a conflict: the status comes with the next sync.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key, owner_key
from ..controllers_common import conditions, deployment_status, rollout
from ..controllers_common.owners import Orphans, claim, controlled, controller_of, reference, selecting, several
from ..controllers_common.rollout import DESIRED, MAX, REVISION
from ..controllers_common.templates import TEMPLATE_HASH, namespace_terminating, template_hash
from ..etcd import GONE, Change
from ..objects import EMPTY, Map
from ..selectors import selects

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
    latency_ms = 7  # in recordings it sees each status of its ReplicaSets, and their first Pods before it resizes them
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
            return self._write_status(deployment, deployment_status.counted(deployment, [*old, *_some(new)], new, self.now))
        deployment = self._note_pause(deployment)
        deployment, new, old = self._sync_revision(deployment, sets)
        if deployment["spec"].get("paused"):
            return self._sync(deployment, new, old)
        if new is not None and all(new is not rs for rs in sets):
            return None  # isScalingEvent wrote the new set; the strategy would write the one it read: a conflict
        if rollout.is_scaling_event(deployment, sets):
            return self._sync(deployment, new, old)
        if deployment["spec"]["strategy"].get("type") == "Recreate":
            return self._recreate(deployment, new, old)
        return self._roll(deployment, new, old)

    def _claim(self, deployment: Map) -> list[Map]:
        selector, uid = deployment["spec"]["selector"], deployment["metadata"]["uid"]
        owned = controlled(uid, self.cluster.etcd.owned(uid, "replicasets"))
        return claim(self.client, deployment, "replicasets", owned, self.orphans.of(deployment["metadata"]["namespace"]),
                     lambda rs: selects(selector, rs["metadata"].get("labels")))

    # ---- paused, or scaled in the middle of a rollout

    def _note_pause(self, deployment: Map) -> Map:
        """checkPausedConditions: so that a paused rollout does not run into its deadline."""
        progressing = conditions.find(deployment, "Progressing")
        if not deployment_status.has_deadline(deployment) or (progressing and progressing["reason"] == "ProgressDeadlineExceeded"):
            return deployment
        paused, noted = bool(deployment["spec"].get("paused")), bool(progressing and progressing["reason"] == "DeploymentPaused")
        if paused == noted:
            return deployment
        new = ("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused") if paused else \
              ("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
        status = deployment.get("status") or EMPTY
        changed = {**status, "conditions": deployment_status.set_condition(status.get("conditions") or (), *new, self.now)}
        body = Map({**deployment, "status": changed})
        self.client.update("deployments", body, subresource="status",
                           cause=Cause("deployment-paused" if paused else "deployment-resumed"))
        return body

    def _sync(self, deployment: Map, new: Map | None, old: list[Map]) -> int | None:
        sets = [*old, *_some(new)]
        self._resize(deployment, sets, rollout.scale_plan(deployment, new, old), "deployment-scaled")
        if deployment["spec"].get("paused"):
            self._clean_up(deployment, old)
        return self._write_status(deployment, deployment_status.counted(deployment, sets, new, self.now))

    # ---- the two strategies

    def _roll(self, deployment: Map, new: Map | None, old: list[Map]) -> int | None:
        """rolloutRolling: one action in a sync; first grow the new set, else shrink the old ones."""
        if new is None:
            deployment, new = self._create_replicaset(deployment, old)
        if new is None:
            return None
        size = rollout.new_size(deployment, [*old, new], new)
        if size != new["spec"].get("replicas", 1):
            self._scale(deployment, new, size, Cause("deployment-rolling-up", _scaling(new, size)))
            return self._write_rollout_status(deployment, [*old, new], new)
        shrunk = rollout.shrink_plan(deployment, old, new)
        if shrunk:
            self._resize(deployment, old, shrunk, "deployment-rolling-down")
        elif deployment_status.complete(deployment, deployment.get("status") or EMPTY):
            self._clean_up(deployment, old)
        return self._write_rollout_status(deployment, [*old, new], new)

    def _recreate(self, deployment: Map, new: Map | None, old: list[Map]) -> int | None:
        """rolloutRecreate: no new Pod before the last old one has gone."""
        active = [(rs["metadata"]["uid"], 0) for rs in old if rollout.size_of(rs)]
        self._resize(deployment, old, active, "deployment-rolling-down")
        if active or self._old_pods_running(old):
            return self._write_rollout_status(deployment, [*old, *_some(new)], new)
        if new is None:
            deployment, new = self._create_replicaset(deployment, old)
            if new is None:
                return None
        wanted = deployment["spec"].get("replicas", 1)
        if wanted != new["spec"].get("replicas", 1):
            self._scale(deployment, new, wanted, Cause("deployment-rolling-up", _scaling(new, wanted)))
        if deployment_status.complete(deployment, deployment.get("status") or EMPTY):
            self._clean_up(deployment, old)
        return self._write_rollout_status(deployment, [*old, new], new)

    def _old_pods_running(self, old: list[Map]) -> bool:
        if any((rs.get("status") or EMPTY).get("replicas") for rs in old):
            return True
        pods = (pod for rs in old for pod in self.cluster.etcd.owned(rs["metadata"]["uid"], "pods"))
        return any((pod.get("status") or EMPTY).get("phase") not in ("Succeeded", "Failed") for pod in pods)

    # ---- ReplicaSets

    def _sync_revision(self, deployment: Map, sets: list[Map]) -> tuple[Map, Map | None, list[Map]]:
        """getAllReplicaSetsAndSyncRevision: (the Deployment with its revision, its new ReplicaSet or None, the old ones)."""
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
        return deployment, None, old

    def _create_replicaset(self, deployment: Map, old: list[Map]) -> tuple[Map, Map | None]:
        metadata, spec = deployment["metadata"], deployment["spec"]
        revision = rollout.max_revision(old) + 1
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
        if self._is_behind(deployment):
            return deployment, None
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
        if deployment_status.has_deadline(deployment):
            status = deployment.get("status") or EMPTY
            new = deployment_status.set_condition(status.get("conditions") or (), "Progressing", "False", "ReplicaSetCreateError",
                                                  message, self.now)
            self.client.update("deployments", {**deployment, "status": {**status, "conditions": new}}, subresource="status",
                               cause=Cause("deployment-status", {"reason": "ReplicaSetCreateError"}))
        self.client.event(deployment, "Warning", "ReplicaSetCreateError", message)
        raise error

    def _note_revision(self, deployment: Map, revision: str, reason: str, message: str, *, if_missing: bool = False) -> Map:
        """Write the revision annotation and the first Progressing condition, if they are news."""
        annotations = deployment["metadata"].get("annotations") or EMPTY
        status = deployment.get("status") or EMPTY
        held = status.get("conditions") or ()
        if deployment_status.has_deadline(deployment) and not (if_missing and conditions.of(held, "Progressing")):
            status = {**status, "conditions": deployment_status.set_condition(held, "Progressing", "True", reason, message, self.now)}
        metadata = {**deployment["metadata"], "annotations": {**annotations, REVISION: revision}}
        changed = {**deployment, "metadata": metadata, "status": status}
        if changed == deployment:
            return deployment
        self.client.update("deployments", changed, subresource="status", cause=Cause("deployment-revision", {"revision": revision}))
        return Map(changed)

    def _resize(self, deployment: Map, sets: list[Map], steps: rollout.Steps, rule: str) -> None:
        """Give some of the sets other sizes, one after the other."""
        by_uid = {rs["metadata"]["uid"]: rs for rs in sets}
        for uid, size in steps:
            by_uid[uid] = self._scale(deployment, by_uid[uid], size, Cause(rule, _scaling(by_uid[uid], size)))

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
        status = deployment_status.counted(deployment, sets, new, self.now)
        status["conditions"] = deployment_status.progress(deployment, status, new, self.now)
        status["conditions"] = deployment_status.failures(status["conditions"], sets, new)
        return self._write_status(deployment, status)

    def _is_behind(self, deployment: Map) -> bool:
        """Whether this sync has written the Deployment: another write would be a conflict. That change itself brings the next sync."""
        metadata = deployment["metadata"]
        held = self.cluster.etcd.get("deployments", f"{metadata['namespace']}/{metadata['name']}")
        return held is None or bool(held["metadata"]["resourceVersion"] != metadata["resourceVersion"])

    def _write_status(self, deployment: Map, status: dict[str, Any]) -> int | None:
        status = conditions.drop_zeros(status, "terminatingReplicas")
        if status == (deployment.get("status") or EMPTY):
            return deployment_status.recheck(deployment, status, self.now)
        if self._is_behind(deployment):
            return None
        facts = {"updated": status.get("updatedReplicas", 0), "available": status.get("availableReplicas", 0)}
        self.client.update("deployments", {**deployment, "status": status}, subresource="status",
                           cause=Cause("deployment-status", facts))
        return None


def _some(rs: Map | None) -> list[Map]:
    return [] if rs is None else [rs]


def _scaling(rs: Map, size: int) -> dict[str, Any]:
    return {"replicaset": rs["metadata"]["name"], "from": rs["spec"].get("replicas", 1), "to": size}


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
