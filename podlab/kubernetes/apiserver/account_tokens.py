"""Tokens of ServiceAccounts: made by TokenRequest, told from forged ones by TokenReview and by whoever lets their bearer in.

The claims are the real ones (pkg/serviceaccount/claims.go, Claims), and so is the signature, but its key is no secret (issuer.py). A token
holds because its `jti` is a keyed hash of the other claims by the cluster's seed: nothing has to be kept to tell one, and no other cluster
takes it. A Secret's token, which has no `jti`, is no RS256: its signature is such a hash itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..etcd import key_of
from . import issuer
from .errors import ApiError, FieldError, invalid, not_found
from .issuer import ISSUER

if TYPE_CHECKING:
    from ..ground import Ground

LEGACY_ISSUER, LEGACY = "kubernetes/serviceaccount", "kubernetes.io/serviceaccount"
LEAST_SECONDS, MOST_SECONDS = 600, 1 << 32  # ValidateTokenRequest
DEFAULT_SECONDS = 3600
WARN_AFTER, EXTENDED_SECONDS = 3607, 365 * 24 * 3600  # WarnOnlyBoundTokenExpirationPeriod, ExpirationExtensionSeconds
SIGNATURE = 512  # hex digits: as long as RS256 with 2048 bits
NONCE = 8  # hex digits: a UUID's first part
TOKEN_MAX = 8_192  # characters
BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}

Claims = dict[str, Any]


class BadToken(Exception):
    """Why a token is not taken, in the words of a TokenReview's error."""


def issue(cluster: Ground, namespace: str, name: str, spec: Mapping[str, Any]) -> tuple[str, Claims]:
    """(token, claims) for a TokenRequestSpec. Raises ApiError 400, 404, 409 or 422."""
    return written(cluster, granted(cluster, namespace, name, spec))


def granted(cluster: Ground, namespace: str, name: str, spec: Mapping[str, Any], at: int | None = None) -> list[Any]:
    """What a token will say, as plain data, as of virtual ms `at`: nearly no Pod reads its token, and to write one is dear. Raises as `issue`."""
    account = cluster.etcd.get("serviceaccounts", key_of(namespace, name))
    if account is None:
        raise not_found("", "serviceaccounts", name)
    seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        detail = f"may not specify a duration {'less than 10 minutes' if seconds < LEAST_SECONDS else 'larger than 2^32 seconds'}"
        raise invalid("authentication.k8s.io", "TokenRequest", "", [FieldError.invalid("spec.expirationSeconds", seconds, detail)])
    reference = spec.get("boundObjectRef")
    return [namespace, name, account["metadata"]["uid"], seconds, spec.get("audiences") or None, (cluster.now if at is None else at) // 1000,
            cluster.etcd.revision if at is None else None, *(_bound(cluster, namespace, name, reference) if reference else ())]


def written(cluster: Ground, grant: list[Any]) -> tuple[str, Claims]:
    """(token, claims) of what was granted: the same whenever they are asked for."""
    namespace, name, uid, seconds, audiences, now, revision, *bound = grant
    told: dict[str, Any] = {"namespace": namespace}
    for kind, bound_name, bound_uid in zip(bound[::3], bound[1::3], bound[2::3], strict=True):
        told[kind] = {"name": bound_name, "uid": bound_uid}
    told["serviceaccount"] = {"name": name, "uid": uid}
    claims: Claims = {"aud": list(audiences or [ISSUER]), "exp": now + seconds, "iat": now, "iss": ISSUER,
                              "kubernetes.io": told, "nbf": now, "sub": f"system:serviceaccount:{namespace}:{name}"}
    if "pod" in told and seconds == WARN_AFTER:
        told["warnafter"], claims["exp"] = claims["exp"], now + EXTENDED_SECONDS
    claims["jti"] = _mark(cluster, claims, cluster.random.hexadecimal(NONCE, "token", uid, now, json.dumps(told) if revision is None else revision))
    text = _part({"alg": "RS256", "kid": issuer.KID}) + "." + _part(claims)
    return f"{text}.{issuer.signature(text)}", claims


def _mark(cluster: Ground, claims: Claims, nonce: str) -> str:
    """The `jti` of a token that this cluster gave: a UUID that begins with the nonce and goes on with 90 bits of a keyed hash of it all."""
    rest = {name: value for name, value in claims.items() if name != "jti"}
    return nonce + cluster.random.uid("token-mark", nonce, json.dumps(rest, sort_keys=True, separators=(",", ":")))[NONCE:]


def of_secret(cluster: Ground, secret: Mapping[str, Any], account: Mapping[str, Any]) -> str:
    """The token that a Secret keeps: it names the Secret and never ends (pkg/serviceaccount/legacy.go, LegacyClaims)."""
    namespace, name = account["metadata"]["namespace"], account["metadata"]["name"]
    claims = {"iss": LEGACY_ISSUER, f"{LEGACY}/namespace": namespace, f"{LEGACY}/secret.name": secret["metadata"]["name"],
              f"{LEGACY}/service-account.name": name, f"{LEGACY}/service-account.uid": account["metadata"]["uid"],
              "sub": f"system:serviceaccount:{namespace}:{name}"}  # fmt: skip
    text = _part({"alg": "RS256", "kid": issuer.KID}) + "." + _part(claims)
    return f"{text}.{_signature(cluster, text)}"


def _check_legacy(cluster: Ground, token: str, legacy: Mapping[str, Any]) -> Claims:
    """A Secret's token holds as long as the Secret keeps it and the account is there (legacyValidator.Validate)."""
    namespace, name = legacy[f"{LEGACY}/namespace"], legacy[f"{LEGACY}/service-account.name"]
    secret = cluster.etcd.get("secrets", key_of(namespace, legacy[f"{LEGACY}/secret.name"]))
    account = cluster.etcd.get("serviceaccounts", key_of(namespace, name))
    kept = base64.b64decode((secret.get("data") or {}).get("token") or "").decode("ascii", "replace") if secret is not None else ""
    uid = legacy[f"{LEGACY}/service-account.uid"]
    if kept != token or account is None or account["metadata"]["uid"] != uid:
        raise BadToken("invalid bearer token, service account token has been invalidated")
    return {**legacy, "aud": [ISSUER], "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}}


def _bound(cluster: Ground, namespace: str, account: str, reference: Mapping[str, Any]) -> list[str]:
    """(kind, name, uid) of the bound object, and after them those of its node."""
    kind, name = reference.get("kind", ""), reference.get("name", "")
    plural = BOUND.get(kind)
    if plural is None:
        raise ApiError(400, "BadRequest", f"cannot bind token for serviceaccount {json.dumps(account)} to object of type {json.dumps(kind)}")
    obj = cluster.etcd.get(plural, name if kind == "Node" else key_of(namespace, name))
    if obj is None:
        raise not_found("", plural, name)
    uid = obj["metadata"]["uid"]
    if reference.get("uid") not in (None, "", uid):
        raise ApiError(409, "Conflict", f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
                       "The object might have been deleted and then recreated")
    if kind == "Pod" and obj["spec"].get("serviceAccountName") != account:
        raise ApiError(400, "BadRequest",
                       f"cannot bind token for serviceaccount {json.dumps(account)} to pod running with different serviceaccount name.")
    found = [kind.lower(), name, uid]
    node = cluster.etcd.get("nodes", obj["spec"].get("nodeName") or "") if kind == "Pod" else None
    if node is not None:
        found += ["node", node["metadata"]["name"], node["metadata"]["uid"]]
    return found


def check(cluster: Ground, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> Claims:
    """The claims of a token that holds now. Raises BadToken (pkg/serviceaccount/jwt.go, claims.go)."""
    if len(token) > TOKEN_MAX or token.count(".") != 2 or not token.isascii():
        raise BadToken("invalid bearer token")
    text, _, signature = token.rpartition(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(text.partition(".")[2] + "=="))
    except ValueError:
        raise BadToken("invalid bearer token") from None
    if not isinstance(claims, dict):
        raise BadToken("invalid bearer token")
    legacy = claims.get("iss") == LEGACY_ISSUER
    marked = legacy or claims.get("jti") == _mark(cluster, claims, str(claims.get("jti"))[:NONCE])  # before the dearer signature
    if not marked or signature != (_signature(cluster, text) if legacy else issuer.signature(text)):
        raise BadToken("invalid bearer token")
    if legacy:
        return _check_legacy(cluster, token, claims)
    if claims["exp"] * 1000 <= cluster.now:
        raise BadToken("invalid bearer token, service account token has expired")
    if not any(one in claims["aud"] for one in audiences):
        raise BadToken(f"invalid bearer token, token audiences {json.dumps(claims['aud'])} is invalid for the target audiences "
                       f"{json.dumps(list(audiences))}")
    told = claims["kubernetes.io"]
    holders = [("serviceaccounts", key_of(told["namespace"], told["serviceaccount"]["name"]), told["serviceaccount"]["uid"])]
    holders += [(plural, told[kind.lower()]["name"] if kind == "Node" else key_of(told["namespace"], told[kind.lower()]["name"]),
                 told[kind.lower()]["uid"]) for kind, plural in BOUND.items() if kind.lower() in told]
    for plural, key, uid in holders:
        obj = cluster.etcd.get(plural, key)
        if obj is None or obj["metadata"]["uid"] != uid:
            raise BadToken("invalid bearer token, service account token has been invalidated")
    return claims


def user_info(claims: Claims) -> dict[str, Any]:
    """The authentication.k8s.io UserInfo of a token's bearer (pkg/serviceaccount/util.go, ServiceAccountInfo.UserInfo)."""
    told = claims["kubernetes.io"]
    extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]} if "jti" in claims else {}
    for kind in ("pod", "node"):
        if kind in told:
            extra[f"authentication.kubernetes.io/{kind}-name"] = [told[kind]["name"]]
            extra[f"authentication.kubernetes.io/{kind}-uid"] = [told[kind]["uid"]]
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{told['namespace']}", "system:authenticated"]
    return {"username": claims["sub"], "uid": told["serviceaccount"]["uid"], "groups": groups, "extra": extra}


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _signature(cluster: Ground, text: str) -> str:
    digest = bytes.fromhex(cluster.random.hexadecimal(SIGNATURE, "token-signature", text))
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
