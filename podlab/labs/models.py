"""What is stored: learners, their clusters, the journal and checkpoints that a cluster is made of, and its projection.

The journal is the truth. Checkpoints save replaying it; Node, Pod and Container rows exist so that screens and teachers can
query across learners, and can be rebuilt from the journal at any time. All `*_ms` fields are virtual time: integer
milliseconds since the Unix epoch, as `cluster.now` in the engine.
"""

import uuid

from django.db import models

RATE = 1.0  # of a new cluster


class Learner(models.Model):
    """A person who pressed start: a nickname, and a resume code of which only the hash is kept (labs/sessions.py)."""

    # Random, so that a cookie signed before a database was thrown away never names somebody else in the new one.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    nickname = models.CharField(max_length=20)
    resume_code_hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(auto_now_add=True)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+",
                                    help_text="whose browser cookie of this learner now means: one person who came twice")

    def __str__(self) -> str:
        return self.nickname


class Cluster(models.Model):
    """One learner's cluster for one lesson. With its journal, (seed, epoch_ms, engine_version) determine everything in it."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="clusters")
    lesson = models.SlugField(max_length=80)
    seed = models.BigIntegerField()
    epoch_ms = models.BigIntegerField(help_text="virtual time at which the cluster was born")
    now_ms = models.BigIntegerField(help_text="virtual time up to which it has run, as of the last save")
    rate = models.FloatField(default=RATE, help_text="virtual seconds a real second; 0 is paused")
    engine_version = models.CharField(max_length=40)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "lesson"], name="one_cluster_a_learner_and_lesson")]

    def __str__(self) -> str:
        return f"{self.learner_id}/{self.lesson}"


class JournalEntry(models.Model):
    """One request from outside (a person, a fault, a change of rate), written before it is answered.

    The unique (cluster, sequence) fences two processes that both think they own a cluster: the second writer gets an
    IntegrityError and must reload.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="journal")
    sequence = models.PositiveIntegerField(help_text="1, 2, 3 ... without a gap")
    at_ms = models.BigIntegerField()
    # JSON as text, not a JSON column: PostgreSQL's jsonb forgets the order of keys, and a replay must be equal to the byte.
    request = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["cluster", "sequence"]
        constraints = [models.UniqueConstraint(fields=["cluster", "sequence"], name="one_entry_a_sequence")]

    def __str__(self) -> str:
        return f"{self.cluster_id}#{self.sequence}"


class Checkpoint(models.Model):
    """A cluster's whole state at `at_ms`, after journal entry `sequence` (0: before the first), readable by `engine_version`."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="checkpoints")
    sequence = models.PositiveIntegerField()
    at_ms = models.BigIntegerField()
    engine_version = models.CharField(max_length=40)
    state = models.BinaryField(help_text="the engine's checkpoint: JSON in UTF-8, compressed with zlib")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["cluster", "at_ms", "sequence"]
        constraints = [models.UniqueConstraint(fields=["cluster", "at_ms", "sequence"], name="one_checkpoint_a_moment")]

    def __str__(self) -> str:
        return f"{self.cluster_id}@{self.at_ms}"


class Node(models.Model):
    """Projection of a Node object."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="nodes")
    name = models.CharField(max_length=253)
    ready = models.BooleanField(default=False)
    schedulable = models.BooleanField(default=True)
    cpu_milli = models.PositiveIntegerField(default=0, help_text="allocatable, in thousandths of a core")
    memory_bytes = models.BigIntegerField(default=0, help_text="allocatable")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "name"], name="one_node_a_name")]

    def __str__(self) -> str:
        return self.name


class Pod(models.Model):
    """Projection of a Pod object, with the columns that `kubectl get pods -o wide` shows."""

    class Phase(models.TextChoices):
        PENDING = "Pending"
        RUNNING = "Running"
        SUCCEEDED = "Succeeded"
        FAILED = "Failed"
        UNKNOWN = "Unknown"

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="pods")
    uid = models.CharField(max_length=36)
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    node_name = models.CharField(max_length=253, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    phase = models.CharField(max_length=9, choices=Phase.choices, default=Phase.PENDING)
    reason = models.CharField(max_length=120, help_text="kubectl's STATUS column: Running, CrashLoopBackOff, Terminating ...")
    ready = models.BooleanField(default=False, help_text="the condition Ready")
    ready_containers = models.PositiveSmallIntegerField(default=0)
    total_containers = models.PositiveSmallIntegerField(default=0)
    restarts = models.PositiveIntegerField(default=0)
    owner_kind = models.CharField(max_length=63, blank=True)
    owner_name = models.CharField(max_length=253, blank=True)
    created_ms = models.BigIntegerField()
    deleting = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "uid"], name="one_pod_a_uid")]
        indexes = [models.Index(fields=["cluster", "namespace", "name"], name="pod_by_name")]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Container(models.Model):
    """Projection of one container's status within its Pod."""

    class Kind(models.TextChoices):
        APP = "app", "애플리케이션"
        INIT = "init", "초기화"
        SIDECAR = "sidecar", "사이드카"
        EPHEMERAL = "ephemeral", "임시"

    class State(models.TextChoices):
        WAITING = "waiting", "대기"
        RUNNING = "running", "실행 중"
        TERMINATED = "terminated", "종료"

    pod = models.ForeignKey(Pod, on_delete=models.CASCADE, related_name="containers")
    name = models.CharField(max_length=63)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    image = models.CharField(max_length=512)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=120, blank=True, help_text="ContainerCreating, CrashLoopBackOff, OOMKilled ...")
    ready = models.BooleanField(default=False)
    started = models.BooleanField(default=False)
    restarts = models.PositiveIntegerField(default=0)
    exit_code = models.IntegerField(null=True, help_text="of the present or the last termination; null if it never ended")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pod", "name"], name="one_container_a_name")]

    def __str__(self) -> str:
        return self.name


class File(models.Model):
    """A file on the learner's own machine beside a cluster: what the editor and the terminal share."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=100)
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "name"], name="one_file_a_name")]

    def __str__(self) -> str:
        return self.name
