"""Tokens: made, renewed and revoked for the page, looked up for the API. The text is shown once and never stored or logged.

It stands in the address, because kubectl sends no credentials over plain http; a header may carry it as well.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from podlab.api.models import LEARNER, MEMBER, Token
from podlab.labs.access import place_of
from podlab.labs.models import Cluster, Learner

BYTES = 32  # of randomness: 43 characters
SHAPE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
TRUSTED_FOR = 2.0  # seconds that a look-up is believed, so that a hundred requests a second cost no hundred queries
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Access:
    """What a token opens. `key` is the token's hash."""

    key: str
    cluster_id: int
    read_only: bool
    author: str  # who acts by it, where several people share the cluster: a learner's id
    learner_id: UUID  # who acts by it; of a viewer's: whose the cluster is


Judge = Callable[[str, int], bool]
_judges: dict[str, Judge] = {}
_found: dict[str, tuple[float, Access]] = {}


def judge(kind: str, may: Judge) -> None:
    """Somebody says who of the holders `kind:who` may still look at a cluster. `may(who, cluster id)` is asked at every look-up."""
    _judges[kind] = may


def member(learner: Learner) -> str:
    """The holder that one of those is who share a cluster."""
    return f"{MEMBER}:{learner.pk}"


def issue(cluster: Cluster, holder: str = LEARNER, *, read_only: bool = False) -> str:
    """A new token for a cluster, the only time its text is seen. The holder's former one stops working."""
    token = secrets.token_urlsafe(BYTES)
    facts = {"hash": hash_of(token), "read_only": read_only}
    Token.objects.update_or_create(cluster=cluster, holder=holder, defaults=facts)
    forget(cluster.pk)
    return token


def revoke(cluster: Cluster, holder: str = LEARNER) -> None:
    Token.objects.filter(cluster=cluster, holder=holder).delete()
    forget(cluster.pk)


def exists(cluster: Cluster, holder: str = LEARNER) -> bool:
    return Token.objects.filter(cluster=cluster, holder=holder).exists()


def hash_of(token: str, key: str | None = None) -> str:
    """64 hex digits, keyed: a stolen database opens nothing."""
    return salted_hmac("podlab.api-token", token, secret=key, algorithm="sha256").hexdigest()


def find(token: str) -> Access | None:
    """What a token opens; None for a wrong, old or foreign one alike. Asks the database: not on the event loop."""
    if not SHAPE.match(token):
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if access := of_hash(hash_of(token, secret)):
            return access
    return None


def of_hash(key: str) -> Access | None:
    """The same by hash, for streams that ask again whether they may go on."""
    row = Token.objects.filter(hash=key).values_list("cluster_id", "read_only", "holder", "cluster__learner_id").first()
    author = _author_of(row[2], row[0]) if row else None
    return Access(key, row[0], row[1], author, UUID(author) if author else row[3]) if row and author is not None else None


def _author_of(holder: str, cluster_id: int) -> str | None:
    """Who acts by a holder's token ("" for the cluster's owner, or a viewer); None for whom it opens nothing to any longer."""
    kind, _, who = holder.partition(":")
    if kind == LEARNER:
        return ""
    if kind == MEMBER:
        learner, cluster = Learner.objects.filter(pk=who).first(), Cluster.objects.get(pk=cluster_id)
        place = place_of(learner, cluster.lesson) if learner is not None else None
        return who if place is not None and place.people and place.owner.pk == cluster.learner_id else None
    return "" if kind in _judges and _judges[kind](who, cluster_id) else None


def known(token: str) -> Access | None:
    """What `find` said of this token a moment ago."""
    key = hash_of(token)
    held = _found.get(key)
    return held[1] if held is not None and held[0] > time.monotonic() else None


def remember(access: Access) -> None:
    if len(_found) >= REMEMBERED:
        _found.clear()
    _found[access.key] = (time.monotonic() + TRUSTED_FOR, access)


def forget(cluster_id: int) -> None:
    """A token of this cluster changed: what was believed of it is not any more."""
    for key in [key for key, (_, access) in _found.items() if access.cluster_id == cluster_id]:
        _found.pop(key, None)


def server_of(request: HttpRequest, token: str) -> str:
    """The cluster's address as the person who asks can reach it: https where the site has it."""
    return f"{request.scheme}://{request.get_host()}/k8s/{token}"


def kubeconfig(request: HttpRequest, token: str) -> str:
    """The text of a kubeconfig file for the cluster of `token`.

    Over https the token is the user's, and the address has no path, which some tools drop (kubectl proxy, kubectl get --raw). Over
    plain http client-go sends no credentials at all (clientcmd, IsConfigTransportTLS): the token has to stand in the address;
    and the JavaScript client takes no address of plain http unless it is told that nothing is verified.
    """
    plain = "" if request.is_secure() else "\n    insecure-skip-tls-verify: true"
    server, user = (f"https://{request.get_host()}", f'{{token: "{token}"}}') if request.is_secure() else (server_of(request, token), "{}")
    return ("apiVersion: v1\nkind: Config\n"
            f"clusters:\n- name: podlab\n  cluster:\n    server: {server}{plain}\n"
            f"users:\n- name: kubernetes-admin\n  user: {user}\n"
            "contexts:\n- name: podlab\n  context:\n    cluster: podlab\n    user: kubernetes-admin\n    namespace: default\n"
            "current-context: podlab\n")
