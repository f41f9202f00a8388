"""Who may speak to a cluster from outside the page."""

from django.db import models

from podlab.labs.models import Cluster

LEARNER, MEMBER = "learner", "member"  # the owner; one of several who share the cluster


class Token(models.Model):
    """A secret in an address that opens one cluster's API. Only its hash is kept; whoever lost it gets a new one."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="api_tokens")
    holder = models.CharField(max_length=60, default=LEARNER, help_text="whose it is: learner, or teacher and an id")
    read_only = models.BooleanField(default=False)
    hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "holder"], name="one_token_a_cluster_and_holder")]

    def __str__(self) -> str:
        return f"{self.cluster_id}/{self.holder}"
