"""ghcr.io/dexidp/dex: a small OpenID Connect provider with its documented configuration file.

Read: issuer, storage (memory, sqlite3), web.http, staticClients, enablePasswordDB, staticPasswords, connectors (mockCallback,
mockPassword), oauth2 (skipApprovalScreen, alwaysShowLoginScreen, passwordConnector, grantTypes), expiry (idTokens, authRequests).
Served below the issuer's path: discovery, keys, auth with its login and approval forms, token (authorization_code with PKCE, password,
client_credentials, refresh_token), userinfo, healthz. Source: dexidp.io/docs and dex's server/handlers.go.

Tokens are RS256 JWTs that any library verifies (jwt.py). Storage `memory` dies with the process, keys included, as the real one's;
`sqlite3` keeps the same in its file, as JSON.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit

from .. import http, jwt
from ..image import Entry, Image, add
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import ends_at_once, listen_on, query, serve_http, stamp, text_answer
from ..system import Sys
from . import dex_config
from .base import PATH, base_tree
from .dex_config import ConfigError
from .dex_pages import approval_page, error_page, login_page, password_page

KEPT = 60  # auth requests, codes and refresh tokens that are remembered, each kind; the oldest go first
CODE_MS = 30 * 60_000  # server/handlers.go: sendCodeResponse
SCOPES = ("openid", "email", "groups", "profile", "offline_access")
HASH_US = 60_000  # CPU time of one bcrypt comparison at cost 10, order of magnitude


def _log(sys: Sys, level: str, message: str, **facts: str) -> None:
    """A line of log/slog's text handler."""

    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False) if not value or any(char in value for char in ' "=') else value

    told = "".join(f" {name}={quoted(value)}" for name, value in facts.items())
    sys.err(f"time={stamp(sys.now, '%Y-%m-%dT%H:%M:%S.')}{sys.now % 1000:03d}Z level={level} msg={quoted(message)}{told}\n")


# ---- the process


def run(proc: Process, sys: Sys, event: Event) -> int:
    if "config" not in proc["data"]:
        code = _start(proc, sys)
        if code is not None:
            return code
    return serve_http(proc, sys, _answer)


def _start(proc: Process, sys: Sys) -> int | None:
    words = [word for word in proc["argv"][1:] if not word.startswith("-")]
    if words[:1] == ["version"]:
        sys.out("Dex Version: v2.44.0\nGo Version: go1.25.0\nGo OS/ARCH: linux amd64\n")
        return 0
    if words[:1] != ["serve"] or len(words) < 2:
        sys.err("no arguments provided\n" if words[:1] == ["serve"] else "Usage:\n  dex [command]\n\nAvailable Commands:\n  serve\n  version\n")
        return 2
    try:
        config = dex_config.load(sys, proc["env"], words[1])
    except ConfigError as error:
        sys.err(f"{error}\n")
        return 2
    _log(sys, "INFO", "Version info", dex_version="v2.44.0", **{"go.version": "go1.25.0"})
    _log(sys, "INFO", "config issuer", issuer=config["issuer"])
    _log(sys, "INFO", "config storage", storage_type=config["storage"]["type"])
    for client in config["clients"]:
        _log(sys, "INFO", "config static client", client_name=client["name"])
    for connector in config["connectors"]:
        if connector["type"] == "local":
            _log(sys, "INFO", "config connector: local passwords enabled")
        else:
            _log(sys, "INFO", "config connector", connector_id=connector["id"])
    if config["skip_approval"]:
        _log(sys, "INFO", "config skipping approval screen")
    proc["data"].update(config=config, store={"requests": {}, "codes": {}, "refresh": {}})
    _load(proc, sys)
    if "key" not in proc["data"]["store"]:
        proc["data"]["store"]["key"] = jwt.new_key(f"{proc['pod']}/{sys.random(1 << 60)}")
        _log(sys, "INFO", "keys rotated", next_rotation=stamp(sys.now + 6 * 3_600_000, "%Y-%m-%d %H:%M:%S +0000 UTC"))
        _save(proc, sys)
    host, _, port = config["address"].rpartition(":")
    try:
        listen_on(proc, sys, [int(port) if port.isdigit() else 5556], host if host and host != "localhost" else "127.0.0.1" if host else "0.0.0.0")
    except Errno as error:
        sys.err(f"listening (http) on {config['address']}: listen tcp {config['address']}: bind: {error.text.lower()}\n")
        return 2
    _log(sys, "INFO", "listening on", server="http", address=config["address"])
    return None


def _load(proc: Process, sys: Sys) -> None:
    path = proc["data"]["config"]["storage"]["file"]
    if path and sys.find(path) is not None:
        try:
            found = json.loads(sys.read_file(path))
        except (ValueError, RecursionError, Errno):
            return
        if isinstance(found, dict) and isinstance(found.get("key"), dict):
            proc["data"]["store"].update(found)


def _save(proc: Process, sys: Sys) -> None:
    path = proc["data"]["config"]["storage"]["file"]
    if path:
        try:
            sys.write_file(path, json.dumps(proc["data"]["store"]))
        except Errno as error:
            _log(sys, "ERROR", "failed to write to storage", err=error.text.lower())


def _remember(proc: Process, sys: Sys, kind: str, entry: Data) -> str:
    """Stores an entry under a new unguessable name."""
    held: Data = proc["data"]["store"][kind]
    name = "".join("abcdefghijklmnopqrstuvwxyz234567"[sys.random(32)] for _ in range(25))
    held[name] = entry
    for old in list(held)[:-KEPT]:
        del held[old]
    _save(proc, sys)
    return name


# ---- requests


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    config = proc["data"]["config"]
    base = urlsplit(config["issuer"]).path
    if not request.path.startswith(base):
        return text_answer("404 page not found\n", 404)
    path = request.path[len(base) :]
    parts = path.strip("/").split("/")
    if path == "/.well-known/openid-configuration":
        return _json(_discovery(config))
    if path == "/keys":
        return _json({"keys": [jwt.public(proc["data"]["store"]["key"])]}, headers=[("Cache-Control", "max-age=21600, must-revalidate")])
    if path == "/healthz":
        return text_answer("Health check passed")
    if path == "/token":
        return _token(proc, sys, request)
    if path == "/userinfo":
        return _userinfo(proc, sys, request)
    if path == "/auth":
        return _choose(proc, request, base)
    if parts[0] == "auth" and len(parts) == 2:
        return _begin(proc, sys, request, base, parts[1])
    if parts[0] == "auth" and len(parts) == 3 and parts[2] == "login":
        return _login(proc, sys, request, base)
    if path == "/approval":
        return _approve(proc, sys, request)
    return text_answer("404 page not found\n", 404)


def _json(value: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> http.Message:
    return text_answer(json.dumps(value, indent=2, ensure_ascii=False), status, "application/json", headers)


def _discovery(config: Data) -> Data:
    issuer = config["issuer"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/auth",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "grant_types_supported": _grants(config),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "email", "email_verified", "locale", "name", "preferred_username", "at_hash"],
    }


def _grants(config: Data) -> list[str]:
    """server.go: the password grant needs oauth2.passwordConnector; grantTypes, when given, restricts the rest."""
    all_of = ["authorization_code", "client_credentials", "refresh_token"]
    found = [one for one in all_of if one in config["grants"] or (not config["grants"] and one != "client_credentials")]
    return sorted([*found, "password"]) if config["password_connector"] and (not config["grants"] or "password" in config["grants"]) else found


def _redirect(where: str, status: int = 302) -> http.Message:
    return text_answer("", status, "text/html; charset=utf-8", [("Location", where)])


def _choose(proc: Process, request: http.Message, base: str) -> http.Message:
    """/auth: to the only connector, or a page with all of them."""
    config = proc["data"]["config"]
    asked = {**query(request), **_form(request)}
    wanted = asked.pop("connector_id", "")
    ways = [(one, f"{base}/auth/{quote(one['id'])}?{urlencode(sorted(asked.items()))}") for one in config["connectors"]]
    if wanted:
        found = next((url for one, url in ways if one["id"] == wanted), "")
        return _redirect(found) if found else error_page(400, "Connector ID does not match a valid Connector")
    if len(ways) == 1 and not config["always_show_login"]:
        return _redirect(ways[0][1])
    return login_page([(one["name"], url) for one, url in ways])


def _begin(proc: Process, sys: Sys, request: http.Message, base: str, connector_id: str) -> http.Message:
    """/auth/CONNECTOR: the request of a client is looked at and remembered."""
    config, asked = proc["data"]["config"], {**query(request), **_form(request)}
    client = next((one for one in config["clients"] if one["id"] == asked.get("client_id")), None)
    if client is None:
        _log(sys, "ERROR", "failed to parse authorization request", err=f'Invalid client_id ("{asked.get("client_id", "")}").')
        return error_page(404, f'Invalid client_id ("{asked.get("client_id", "")}").')
    back = asked.get("redirect_uri", "")
    if back not in client["redirects"]:
        _log(sys, "ERROR", "failed to parse authorization request", err=f'Unregistered redirect_uri ("{back}").')
        return error_page(400, f'Unregistered redirect_uri ("{back}").')
    scopes = asked.get("scope", "").split()
    unknown = [scope for scope in scopes if scope not in SCOPES and not scope.startswith("audience:")]
    refused = (
        ("invalid_scope", 'Missing required scope(s) ["openid"].') if "openid" not in scopes
        else ("invalid_scope", f"Unrecognized scope(s) {json.dumps(unknown)}") if unknown
        else ("unsupported_response_type", f'Unsupported response type "{asked.get("response_type", "")}"') if asked.get("response_type") != "code"
        else None
    )
    if refused:
        told = {"error": refused[0], "error_description": refused[1], "state": asked.get("state", "")}
        return _redirect(f"{back}{'&' if '?' in back else '?'}{urlencode(told)}", 303)
    connector = next((one for one in config["connectors"] if one["id"] == connector_id), None)
    if connector is None:
        return error_page(400, "Requested resource does not exist")
    name = _remember(
        proc,
        sys,
        "requests",
        {
            "client": client["id"],
            "redirect": back,
            "state": asked.get("state", ""),
            "nonce": asked.get("nonce", ""),
            "scopes": scopes,
            "connector": connector_id,
            "challenge": [asked.get("code_challenge", ""), asked.get("code_challenge_method") or "plain"],
            "until": sys.now + config["auth_requests"],
            "who": None,
        },
    )
    if connector["type"] == "mockCallback":
        kilgore = {"id": "0-385-28089-0", "username": "Kilgore Trout", "email": "kilgore@kilgore.trout", "groups": ["authors"]}
        return _logged_in(proc, sys, name, {**kilgore, "connector": connector_id})
    return _redirect(f"{base}/auth/{quote(connector_id)}/login?back=&state={name}")


def _login(proc: Process, sys: Sys, request: http.Message, base: str) -> http.Message:
    """/auth/CONNECTOR/login: the form, and what comes from it."""
    name = query(request).get("state", "")
    held = proc["data"]["store"]["requests"].get(name)
    if not name:
        return error_page(400, "User session error.")
    if held is None:
        _log(sys, "ERROR", "invalid 'state' parameter provided", err="not found")
        return error_page(400, "Requested resource does not exist.")
    prompt = "Username" if held["connector"] != "local" else "Email Address"
    if request.method != "POST":
        return password_page(request.target, "", prompt, wrong=False)
    asked = _form(request)
    who = _identity(proc, sys, held["connector"], asked.get("login", ""), asked.get("password", ""))
    if who is None:
        _log(sys, "ERROR", "failed login attempt", user=asked.get("login", "")[:100])
        return password_page(request.target, asked.get("login", ""), prompt, wrong=True)
    return _logged_in(proc, sys, name, who)


def _identity(proc: Process, sys: Sys, connector_id: str, login: str, password: str) -> Data | None:
    """Who has this name and password, by a connector."""
    config = proc["data"]["config"]
    connector = next((one for one in config["connectors"] if one["id"] == connector_id), None)
    if connector is not None and connector["type"] == "mockPassword":
        if (login, password) != (connector["username"], connector["password"]):
            return None
        return {"id": "0-385-28089-0", "username": "Kilgore Trout", "email": "kilgore@kilgore.trout", "groups": [], "connector": connector_id}
    if connector is None or connector["type"] != "local":
        return None
    user = next((one for one in config["passwords"] if one["email"].lower() == login.lower()), None)
    if user is None:
        return None
    sys.charge(HASH_US)
    found = dex_config.matches(user["hash"], password)
    if found is None:
        _log(sys, "ERROR", "podlab cannot work out this bcrypt hash: use one that it knows", email=user["email"])
    return {"connector": connector_id, **{key: user[key] for key in ("id", "username", "email", "groups")}} if found else None


def _logged_in(proc: Process, sys: Sys, name: str, who: Data) -> http.Message:
    config = proc["data"]["config"]
    proc["data"]["store"]["requests"][name]["who"] = who
    _save(proc, sys)
    _log(
        sys,
        "INFO",
        "login successful",
        connector_id=who["connector"],
        username=who["username"],
        preferred_username="",
        email=who["email"],
        groups="[" + " ".join(who["groups"]) + "]",
    )
    if config["skip_approval"]:
        return _send_code(proc, sys, name)
    return _redirect(f"{urlsplit(config['issuer']).path}/approval?req={name}", 303)


def _approve(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    """/approval: may the client have the claims?"""
    asked = {**query(request), **_form(request)}
    held = proc["data"]["store"]["requests"].get(asked.get("req", ""))
    if held is None:
        return error_page(400, "User session error.")
    if held["who"] is None:
        _log(sys, "ERROR", "auth request does not have an identity for approval")
        return error_page(500, "Login process not yet finalized.")
    if request.method != "POST":
        client = next((one for one in proc["data"]["config"]["clients"] if one["id"] == held["client"]), None)
        return approval_page(request.target, asked["req"], client["name"] if client else held["client"], held["scopes"])
    if asked.get("approval") != "approve":
        return error_page(500, "Approval rejected.")
    return _send_code(proc, sys, asked["req"])


def _send_code(proc: Process, sys: Sys, name: str) -> http.Message:
    held = proc["data"]["store"]["requests"].pop(name)
    if sys.now > held["until"]:
        return error_page(400, "User session has expired.")
    code = _remember(proc, sys, "codes", {**held, "until": sys.now + CODE_MS})
    back = held["redirect"]
    return _redirect(f"{back}{'&' if '?' in back else '?'}{urlencode({'code': code, 'state': held['state']})}", 303)


# ---- tokens


def _form(request: http.Message) -> dict[str, str]:
    wanted = request.method == "POST" and "urlencoded" in request.get("Content-Type").lower()
    return dict(parse_qsl(request.body, keep_blank_values=True)) if wanted else {}


def _refuse(error: str, description: str = "", status: int = 400) -> http.Message:
    return _json({"error": error, **({"error_description": description} if description else {})}, status)


def _client_of(proc: Process, sys: Sys, request: http.Message, asked: dict[str, str]) -> Data | None:
    """The client that a token request shows the secret of."""
    name, secret = asked.get("client_id", ""), asked.get("client_secret", "")
    scheme, _, basic = request.get("Authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = (unquote_plus(part) for part in base64.b64decode(basic).decode().partition(":"))
        except (binascii.Error, UnicodeDecodeError):
            return None
    client: Data | None = next((one for one in proc["data"]["config"]["clients"] if one["id"] == name), None)
    if client is not None and client["secret"] != secret:
        _log(sys, "INFO", "invalid client_secret on token request" if secret else "missing client_secret on token request", client_id=name)
        return None
    return client


def _token(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    if request.method != "POST":
        return _refuse("invalid_request", "method not allowed")
    asked, config = _form(request), proc["data"]["config"]
    grant = asked.get("grant_type", "")
    if grant not in _grants(config):
        _log(sys, "ERROR", "unsupported grant type", grant_type=grant)
        return _refuse("unsupported_grant_type")
    client = _client_of(proc, sys, request, asked)
    if client is None:
        return _refuse("invalid_client", "Invalid client credentials.", 401)
    scopes = asked.get("scope", "").split()
    if grant == "authorization_code":
        return _exchange(proc, sys, client, asked)
    if grant == "refresh_token":
        held = proc["data"]["store"]["refresh"].pop(asked.get("refresh_token", ""), None)
        if held is None or held["client"] != client["id"]:
            return _refuse("invalid_request", "Refresh token is invalid or has already been claimed by another client.")
        return _issue(proc, sys, client, held["who"], held["scopes"], "")
    if grant == "client_credentials":
        itself = {"id": client["id"], "connector": "", "username": client["name"], "email": "", "groups": []}
        return _issue(proc, sys, client, itself, scopes, "")
    if "openid" not in scopes:
        return _refuse("invalid_request", 'Missing required scope(s) ["openid"].')
    who = _identity(proc, sys, config["password_connector"], asked.get("username", ""), asked.get("password", ""))
    if who is None:
        return _refuse("access_denied", "Invalid username or password", 401)
    _log(sys, "INFO", "login successful", connector_id=who["connector"], username=who["username"], email=who["email"])
    return _issue(proc, sys, client, who, scopes, asked.get("nonce", ""))


def _exchange(proc: Process, sys: Sys, client: Data, asked: dict[str, str]) -> http.Message:
    """A code for tokens. It is good once."""
    held = proc["data"]["store"]["codes"].get(asked.get("code", ""))
    if not asked.get("code"):
        return _refuse("invalid_request", "Required param: code.")
    if held is None or sys.now > held["until"] or held["client"] != client["id"]:
        return _refuse("invalid_grant", "Invalid or expired code parameter.")
    challenge, method = held["challenge"]
    verifier = asked.get("code_verifier", "")
    if verifier and not challenge:
        return _refuse("invalid_request", "No PKCE flow started. Cannot check code_verifier.")
    if challenge and not verifier:
        return _refuse("invalid_grant", "Expecting parameter code_verifier in PKCE flow.")
    if challenge and challenge != (jwt.encode(hashlib.sha256(verifier.encode()).digest()) if method == "S256" else verifier):
        return _refuse("invalid_grant", "Invalid code_verifier.")
    if asked.get("redirect_uri", "") != held["redirect"]:
        return _refuse("invalid_request", "redirect_uri did not match URI from initial request.")
    del proc["data"]["store"]["codes"][asked["code"]]
    _save(proc, sys)
    return _issue(proc, sys, client, held["who"], held["scopes"], held["nonce"])


def _issue(proc: Process, sys: Sys, client: Data, who: Data, scopes: list[str], nonce: str) -> http.Message:
    config, key = proc["data"]["config"], proc["data"]["store"]["key"]
    claims: jwt.Claims = {
        "iss": config["issuer"],
        "sub": _subject(who),
        "aud": client["id"],
        "exp": (sys.now + config["id_tokens"]) // 1000,
        "iat": sys.now // 1000,
    }
    if nonce:
        claims["nonce"] = nonce
    if "email" in scopes and who["email"]:
        claims.update(email=who["email"], email_verified=True)
    if "groups" in scopes and who["groups"]:
        claims["groups"] = who["groups"]
    if "profile" in scopes:
        claims["name"] = who["username"]
    access = jwt.sign(key, claims)
    told: Data = {"access_token": access, "token_type": "bearer", "expires_in": config["id_tokens"] // 1000 - 1}
    if "offline_access" in scopes and "refresh_token" in _grants(config):
        told["refresh_token"] = _remember(proc, sys, "refresh", {"client": client["id"], "who": who, "scopes": scopes})
    if "openid" in scopes:
        told["id_token"] = jwt.sign(key, {**claims, "at_hash": jwt.encode(hashlib.sha256(access.encode()).digest()[:16])})
    return _json(told, headers=[("Cache-Control", "no-store"), ("Pragma", "no-cache")])


def _subject(who: Data) -> str:
    """The user's and the connector's id as a protocol buffer (server/internal/types.proto: IDTokenSubject)."""
    out = b""
    for number, text in ((1, who["id"]), (2, who["connector"])):
        raw = text.encode()[:127]
        out += bytes([number << 3 | 2, len(raw)]) + raw
    return jwt.encode(out)


def _userinfo(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    scheme, _, token = request.get("Authorization").partition(" ")
    config = proc["data"]["config"]
    try:
        if scheme.lower() != "bearer":
            raise jwt.BadToken("Invalid bearer token.")
        audiences = [client["id"] for client in config["clients"]]
        claims = jwt.verify(token, [jwt.public(proc["data"]["store"]["key"])], issuer=config["issuer"], audiences=audiences, now=sys.now)
    except jwt.BadToken as error:
        return _json({"error": "access_denied", "error_description": str(error)}, 403, [("WWW-Authenticate", "Bearer")])
    return _json(claims)


register(Program("dex", lambda proc, sys: run(proc, sys, None), run, ends_at_once, 14 * MEBIBYTE))
TAGS = ("latest", "v2.41.1", "v2.42.0", "v2.42.1", "v2.43.0", "v2.43.1", "v2.44.0", "v2.41.1-alpine", "v2.43.1-alpine", "v2.44.0-alpine")
DOCKER_CONFIG = "issuer: http://127.0.0.1:5556/dex\nstorage:\n  type: sqlite3\n  config:\n    file: /var/dex/dex.db\nweb:\n  http: 0.0.0.0:5556\n" \
    "enablePasswordDB: true\n"
for _name in ("ghcr.io/dexidp/dex", "docker.io/dexidp/dex"):
    add(
        Image(
            _name,
            TAGS,
            base_tree(
                "alpine",
                {
                    "usr": {"local": {"bin": {"dex": Entry(program="dex", size=98_000_000)}}},
                    "etc": {"dex": {"config.docker.yaml": DOCKER_CONFIG}},
                    "var": {"dex": Entry(children={}, uid=1001, gid=1001)},
                },
                users={"dex": 1001},
            ),
            43_100_000,
            cmd=("dex", "serve", "/etc/dex/config.docker.yaml"),
            env={"PATH": PATH},
            user="1001:1001",
            ports=(5556,),
        )
    )
