"""dex's config.yaml: what is read, its defaults and its refusals (cmd/dex/config.go of dex 2.4x)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ... import bounded_yaml
from ...times import parse_go_duration
from ..process import Data, Errno
from ..system import Sys

STORAGES = ("memory", "sqlite3")
CONNECTORS = ("mockCallback", "mockPassword")
KNOWN_HASHES = {
    "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W": "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    "$2b$10$QzZ1xkJ0cVQ9u8YtBq2W7ORoBEOJRaG52Z0zuxrU.A5Y71yZlV1bS": "660e56ef25695323bc92536b3499e56aca1eeee6b5d9b24055907be1c94d4688",
    "$2b$10$Hn3mVb5RsD4kLp0XyTgU1eldBqHGgtVbAD4gqvoJPZzNIXMgj4O1G": "d0dcf55ab0498ded531678dbcf55f7d12fffb9dafce2ffd42b118729438f834d",
}
"""bcrypt hash -> SHA-256 of its password. bcrypt is made to be slow (50 ms here, more where somebody asks for it), so the simulation knows
a few real hashes instead of working them out: of `password` (the one in dex's documentation), `mango-42` and `peach-77`."""


class ConfigError(Exception):
    """What dex says before it gives up."""


def _duration(text: Any, default: int) -> int:
    """Milliseconds. Raises ConfigError."""
    if text in (None, ""):
        return default
    try:
        return parse_go_duration(str(text))
    except ValueError as error:
        raise ConfigError(f"invalid config value for expiry: {error}") from None


def load(sys: Sys, env: dict[str, str], path: str) -> Data:
    """The configuration as plain data. Raises ConfigError with dex's last words."""
    try:
        text = sys.read_file(path)
    except Errno as error:
        raise ConfigError(f"failed to read config file {path}: open {path}: {error.text.lower()}") from None
    try:
        found = bounded_yaml.load(text)
    except ValueError as error:
        raise ConfigError(f"error parse config file {path}: error converting YAML to JSON: yaml: {error}") from None
    if not isinstance(found, dict):
        raise ConfigError(f"error parse config file {path}: error unmarshaling JSON: cannot unmarshal into Go value of type main.Config")
    return _checked(found, env)


def _checked(found: dict[str, Any], env: dict[str, str]) -> Data:
    storage, web, oauth2, expiry = (_mapping(found.get(name)) for name in ("storage", "web", "oauth2", "expiry"))
    passwords, clients, connectors = (_mappings(found.get(name)) for name in ("staticPasswords", "staticClients", "connectors"))
    issuer = str(found.get("issuer") or "")
    wrong = [
        words
        for bad, words in (
            (not issuer, "no issuer specified in config file"),
            (not found.get("enablePasswordDB") and passwords, "cannot specify static passwords without enabling password db"),
            (not storage.get("type"), "no storage supplied in config file"),
            (not web.get("http") and not web.get("https"), "must supply a HTTP/HTTPS  address to listen on"),
        )
        if bad
    ]
    if wrong:
        raise ConfigError("invalid Config:\n\t-\t" + "\n\t-\t".join(wrong))
    if storage["type"] not in STORAGES:
        raise ConfigError(f"failed to initialize storage: podlab knows {' and '.join(STORAGES)} only, not {storage['type']}")
    local = [{"id": "local", "name": "Email", "type": "local"}] if found.get("enablePasswordDB") else []
    held = [*local, *(_connector(one) for one in connectors)]
    if not held:
        raise ConfigError("failed to initialize server: server: no connectors specified")
    return {
        "issuer": issuer.rstrip("/"),
        "address": str(web.get("http") or web["https"]),
        "storage": {"type": storage["type"], "file": str(_mapping(storage.get("config")).get("file") or "")},
        "clients": [_client(one, env) for one in clients],
        "passwords": [_password(one, env) for one in passwords],
        "connectors": held,
        "skip_approval": bool(oauth2.get("skipApprovalScreen")),
        "always_show_login": bool(oauth2.get("alwaysShowLoginScreen")),
        "password_connector": str(oauth2.get("passwordConnector") or ""),
        "grants": [str(one) for one in oauth2.get("grantTypes") or ()],
        "id_tokens": _duration(expiry.get("idTokens"), 86_400_000),
        "auth_requests": _duration(expiry.get("authRequests"), 86_400_000),
    }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _connector(one: dict[str, Any]) -> Data:
    kind = str(one.get("type") or "")
    if kind not in CONNECTORS:
        raise ConfigError(f'failed to initialize storage connectors: unknown connector type "{kind}" (podlab knows {", ".join(CONNECTORS)})')
    config = _mapping(one.get("config"))
    return {
        "id": str(one.get("id") or ""),
        "name": str(one.get("name") or ""),
        "type": kind,
        "username": str(config.get("username") or ""),
        "password": str(config.get("password") or ""),
    }


def _client(one: dict[str, Any], env: dict[str, str]) -> Data:
    identity = env.get(str(one.get("idEnv")), "") if one.get("idEnv") else str(one.get("id") or "")
    if not identity:
        raise ConfigError("invalid config: ID or IDEnv field is required for a client")
    public = bool(one.get("public"))
    secret = env.get(str(one["secretEnv"]), "") if one.get("secretEnv") else str(one.get("secret") or "")
    if not secret and not public:
        raise ConfigError(f'invalid config: Secret or SecretEnv field is required for client "{identity}"')
    return {
        "id": identity,
        "secret": secret,
        "public": public,
        "name": str(one.get("name") or ""),
        "redirects": [str(uri) for uri in one.get("redirectURIs") or ()],
    }


def _password(one: dict[str, Any], env: dict[str, str]) -> Data:
    kept = env.get(str(one["hashFromEnv"]), "") if one.get("hashFromEnv") else str(one.get("hash") or "")
    if not kept:
        raise ConfigError("error parse config file: no password hash provided")
    if not re.fullmatch(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}", kept):
        raise ConfigError("error parse config file: malformed bcrypt hash: crypto/bcrypt: hashedSecret too short to be a bcrypted password")
    if not 10 <= int(kept[4:6]) <= 16:
        raise ConfigError(f"error parse config file: given hash cost = {int(kept[4:6])} does not meet minimum cost requirement = 10")
    return {
        "email": str(one.get("email") or ""),
        "hash": kept,
        "username": str(one.get("username") or ""),
        "name": str(one.get("name") or ""),
        "id": str(one.get("userID") or ""),
        "groups": [str(group) for group in one.get("groups") or ()],
    }


def matches(kept: str, password: str) -> bool | None:
    """Whether a password has this bcrypt hash; None for a hash that the simulation does not know."""
    known = KNOWN_HASHES.get(kept)
    return None if known is None else hashlib.sha256(password.encode("utf-8", "surrogateescape")).hexdigest() == known
