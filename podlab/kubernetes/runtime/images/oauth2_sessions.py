"""oauth2-proxy's sessions: sealed into cookies or shown as bearer tokens, and who of their holders may come in.

As in the real program nothing is kept but the cookie: whoever holds the cookie secret can read every session. It is sealed with SHA-256
in counter mode and an HMAC instead of AES.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from ...times import http_date
from .. import http, jwt
from ..process import Data, Process
from ..system import Sys
from . import oauth2_options

COOKIE_MAX = 16_000  # characters


def json_object(text: str) -> Data:
    """The object that a text holds; {} for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# ---- sealed cookies


def _stream(secret: bytes, name: str, length: int) -> bytes:
    out = b""
    while len(out) < length:
        out += hashlib.sha256(secret + name.encode() + len(out).to_bytes(4, "big")).digest()
    return out[:length]


def seal(options: Data, name: str, value: Data, now: int) -> str:
    """`sealed|unix time|signature`, as pkg/encryption has it."""
    secret = oauth2_options.secret_bytes(options["cookie-secret"])
    raw = json.dumps(value, separators=(",", ":")).encode()
    text = f"{jwt.encode(bytes(a ^ b for a, b in zip(raw, _stream(secret, f'{name}{now}', len(raw)), strict=True)))}|{now // 1000}.{now % 1000}"
    return f"{text}|{jwt.encode(hmac.digest(secret, f'{name}|{text}'.encode(), 'sha256'))}"


def unseal(options: Data, name: str, cookie: str, now: int, lasts: int) -> Data | None:
    """What was sealed under this name less than `lasts` ms ago; None for anything else."""
    secret = oauth2_options.secret_bytes(options["cookie-secret"])
    text, _, signature = cookie[:COOKIE_MAX].rpartition("|")
    wanted = jwt.encode(hmac.digest(secret, f"{name}|{text}".encode("utf-8", "surrogateescape"), "sha256"))
    if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "surrogateescape")):
        return None
    sealed, _, at = text.partition("|")
    whole, _, part = at.partition(".")
    made = int(whole) * 1000 + int(part)
    if now > made + lasts:
        return None
    raw = jwt.decode(sealed)
    return json_object(bytes(a ^ b for a, b in zip(raw, _stream(secret, f"{name}{made}", len(raw)), strict=True)).decode())


def cookies(request: http.Message) -> dict[str, str]:
    """{name: value} of a request."""
    pairs = (one.strip().partition("=") for one in request.get("Cookie").split(";"))
    return {name: value for name, _, value in pairs if name}


def set_cookie(options: Data, name: str, value: str, host: str, now: int, lasts: int) -> tuple[str, str]:
    """The header; `lasts` 0 takes the cookie away."""
    domains = [one for one in options["cookie-domain"] if host.partition(":")[0].endswith(one.lstrip("."))]
    expires = http_date(now + lasts) if lasts else "Thu, 01 Jan 1970 00:00:00 GMT"
    same = options["cookie-samesite"]
    return "Set-Cookie", "; ".join(
        [
            f"{name}={value}",
            f"Path={options['cookie-path']}",
            *([f"Domain={domains[0].lstrip('.')}"] if domains else []),
            f"Expires={expires}",
            *(["HttpOnly"] if options["cookie-httponly"] else []),
            *(["Secure"] if options["cookie-secure"] else []),
            *([f"SameSite={same.capitalize()}"] if same else []),
        ]
    )


# ---- who is it


def token_of(request: http.Message) -> str:
    """The JWT of an Authorization header."""
    scheme, _, value = request.get("Authorization").partition(" ")
    return value if scheme.lower() == "bearer" and value.count(".") == 2 else ""


def session_of(proc: Process, sys: Sys, request: http.Message) -> tuple[Data | None, str]:
    """(the session that a request shows, what stands in the log about it)."""
    options = proc["data"]["options"]
    token = token_of(request) if options["skip-jwt-bearer-tokens"] else ""
    if token:
        try:
            return from_claims(options, verified(proc, sys, token), token, "", sys.now), ""
        except jwt.BadToken as error:
            return None, f"Error retrieving session from token in Authorization header: {error}"
    cookie = cookies(request).get(options["cookie-name"], "")
    if not cookie:
        return None, ""
    found = unseal(options, options["cookie-name"], cookie, sys.now, options["cookie-expire"])
    if found is None:
        return None, "Error loading cookied session: cookie signature not valid, removing session"
    if found["until"] <= sys.now:
        return None, f"Removing session: token expired Session{{email:{found['email']} user:{found['user']}}}"
    return found, ""


def verified(proc: Process, sys: Sys, token: str) -> jwt.Claims:
    """The claims of an ID token of our provider for us. Raises BadToken."""
    options = proc["data"]["options"]
    audiences = [options["client-id"], *options["oidc-extra-audience"]]
    claims = jwt.verify(token, proc["data"]["keys"], issuer=proc["data"]["provider"]["issuer"], audiences=audiences, now=sys.now)
    if claims.get("email_verified") is False and not options["insecure-oidc-allow-unverified-email"]:
        raise jwt.BadToken(f"email in id_token ({claims.get('email')}) isn't verified")
    return claims


def from_claims(options: Data, claims: jwt.Claims, token: str, access: str, now: int) -> Data:
    """A session: {"email", "user", "groups", "name", "id", "access", "created", "until"}, times in virtual ms."""
    groups = claims.get(options["oidc-groups-claim"]) or []
    return {
        "email": str(claims.get(options["oidc-email-claim"]) or ""),
        "user": str(claims.get("sub") or ""),
        "groups": [str(group) for group in groups] if isinstance(groups, list) else [str(groups)],
        "name": str(claims.get("preferred_username") or ""),
        "id": token,
        "access": access or token,
        "created": now,
        "until": int(claims["exp"]) * 1000,
    }


def permitted(options: Data, session: Data) -> bool:
    """Its e-mail domain (or listed address) and its groups."""
    email = session["email"].lower()
    domains = [one.lower() for one in options["email-domain"]]
    _, at, domain = email.partition("@")
    listed = "*" in domains or email in options.get("emails", ()) or (bool(at) and any(
        domain == one.lstrip("@") or (one.startswith(".") and domain.endswith(one)) for one in domains))
    return listed and (not options["allowed-group"] or any(group in options["allowed-group"] for group in session["groups"]))


