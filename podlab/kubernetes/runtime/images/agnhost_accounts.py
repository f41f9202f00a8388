"""agnhost's clients of the API server: inclusterclient, which polls /healthz, and test-service-account-issuer-discovery.

Source: test/images/agnhost/{inclusterclient,openidmetadata} in the Kubernetes tree.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ...times import stamp
from .. import api_client, http, jwt
from ..process import Errno, Process
from ..system import Sys
from ..tools.net_client import Failed

AGENT = "agnhost/v0.0.0 (linux/amd64) kubernetes/$Format"
NO_CONFIG = "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined"


def _logged(proc: Process, sys: Sys, level: str, line: int, text: str) -> None:
    """klog's header."""
    sys.err(f"{level}{stamp(sys.now, '%m%d %H:%M:%S')}.{sys.now % 1000:03d}000 {proc['pid']:>7} main.go:{line}] {text}\n")


def _said(sys: Sys, text: str) -> None:
    """Go's log.Print."""
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {text}\n")


def in_cluster_client(proc: Process, sys: Sys, flags: dict[str, str]) -> int:
    """Polls /healthz for ever; each time it tells a hash of the header that it authenticates with, which changes with the token."""
    data, every = proc["data"], flags.get("poll-interval") or "30"
    if "next" not in data:
        _logged(proc, sys, "I", 59, "started")
        if api_client.configured(sys) is None:
            _said(sys, f"err: {NO_CONFIG}")
            return 1
        data["next"] = sys.now + int(every) * 1000
    while True:
        if sys.now < data["next"]:
            sys.sleep(data["next"] - sys.now)
        host, port = api_client.configured(sys) or ("", 0)
        if not data.get("calling"):
            data["calling"] = True
            header = f"Bearer {api_client.kept(sys, 'token')}"
            _logged(proc, sys, "I", 77, "calling /healthz")
            _logged(proc, sys, "I", 94, f"authz_header={jwt.encode(hashlib.sha256(f'salt|{header}'.encode()).digest())}")
        problem = body = ""
        try:
            message = api_client.ask(proc, sys, host, port, "/healthz", AGENT)
            if message.status != 200:
                problem, body = str(json.loads(message.body).get("message", "unknown")), message.body
        except Failed as failed:
            problem = f'Get "https://{host}:{port}/healthz": {api_client.words(failed, host, port)}'
        api_client.done(proc, sys)
        if problem:
            _logged(proc, sys, "E", 80, "status=failed")
            _logged(proc, sys, "E", 81, f"error checking /healthz: {problem}\n{body}\n")
        data["calling"], data["next"] = False, data["next"] + int(every) * 1000


def issuer_discovery(proc: Process, sys: Sys, flags: dict[str, str]) -> int:
    """Verifies a mounted token by what its issuer publishes, as an OpenID Connect client does."""
    data = proc["data"]
    try:
        token = sys.read_file(flags.get("token-path", "")).strip()
    except Errno as error:
        _said(sys, f"open {flags.get('token-path', '')}: {error.text.lower()}")
        return 1
    try:
        claims = jwt.parse(token)[1]
    except jwt.BadToken as error:
        _said(sys, str(error))
        return 1
    issuer = str(claims.get("iss"))
    if "documents" not in data:
        _said(sys, "OK: Got token")
        _said(sys, "validating with in-cluster discovery")
        if api_client.configured(sys) is None:
            _said(sys, NO_CONFIG)
            return 1
        _said(sys, f"OK: got issuer {issuer}")
        _said(sys, f"Full, not-validated claims: \n{json.dumps(claims, separators=(',', ':'))}")
        data["documents"] = []
    try:
        if not data["documents"]:
            data["documents"].append(_document(proc, sys, f"{issuer}/.well-known/openid-configuration"))
            _said(sys, f"OK: Constructed OIDC provider for issuer {issuer}")
        found = data["documents"][0]
        if found.get("issuer") != issuer:
            raise jwt.BadToken(f'oidc: issuer did not match the issuer returned by provider, expected "{issuer}" got "{found.get("issuer")}"')
        keys = _document(proc, sys, str(found.get("jwks_uri"))).get("keys") or []
        jwt.verify(token, keys, issuer=issuer, audiences=[flags.get("audience", "")], now=sys.now)
    except jwt.BadToken as error:
        _said(sys, f"failed to validate with in-cluster discovery: {error}")
        _said(sys, "falling back to validating with external discovery")
        _said(sys, f'Get "{issuer}/.well-known/openid-configuration": {api_client.UNTRUSTED}')
        return 1
    _said(sys, "OK: Validated signature on JWT")
    _said(sys, "OK: Got valid claims from token!")
    _said(sys, f"Full, validated claims: \n{json.dumps(claims, separators=(',', ':'))}")
    return 0


def _document(proc: Process, sys: Sys, url: str) -> dict[str, Any]:
    """Raises Blocked meanwhile; BadToken for a document that cannot be had."""
    _, host, port, target = http.split_url(url)
    try:
        message = api_client.ask(proc, sys, host, port, target, AGENT)
        found = json.loads(message.body)
    except Failed as failed:
        api_client.done(proc, sys)
        raise jwt.BadToken(f'Get "{url}": {api_client.words(failed, host, port)}') from None
    except ValueError:
        api_client.done(proc, sys)
        raise jwt.BadToken(f"{message.status} {message.start.partition(' ')[2].partition(' ')[2]}: {message.body}") from None
    api_client.done(proc, sys)
    if message.status != 200 or not isinstance(found, dict):
        raise jwt.BadToken(f"{message.start.partition(' ')[2]}: {message.body}")
    return found
