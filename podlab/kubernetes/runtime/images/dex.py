"""ghcr.io/dexidp/dex: a small OpenID Connect provider with its documented configuration file.

Read: issuer, storage (memory, sqlite3), web.http, staticClients, enablePasswordDB, staticPasswords, connectors (mockCallback,
mockPassword), oauth2 (skipApprovalScreen, alwaysShowLoginScreen, passwordConnector, grantTypes), expiry (idTokens, authRequests).
Served below the issuer's path: discovery, keys, auth with its login and approval forms, token (authorization_code with PKCE, password,
client_credentials, refresh_token), userinfo, healthz. Source: dexidp.io/docs and dex's server/handlers.go.

Tokens are RS256 JWTs that any library verifies (jwt.py). Storage `memory` dies with the process, keys included, as the real one's;
`sqlite3` keeps the same in its file, as JSON.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode, urlsplit

from ...times import stamp
from .. import http, jwt
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import ends_at_once, listen_on, query, serve_http
from ..system import Sys
from . import dex_config
from .base import PATH, base_tree
from .dex_config import ConfigError
from .dex_pages import approval_page, error_page, login_page, password_page
from .dex_state import form_of, grants, identity, json_answer, load, log, remember, save
from .dex_tokens import token, userinfo

CODE_MS = 30 * 60_000  # server/handlers.go: sendCodeResponse
SCOPES = ("openid", "email", "groups", "profile", "offline_access")


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
    log(sys, "INFO", "Version info", dex_version="v2.44.0", **{"go.version": "go1.25.0"})
    log(sys, "INFO", "config issuer", issuer=config["issuer"])
    log(sys, "INFO", "config storage", storage_type=config["storage"]["type"])
    for client in config["clients"]:
        log(sys, "INFO", "config static client", client_name=client["name"])
    for connector in config["connectors"]:
        if connector["type"] == "local":
            log(sys, "INFO", "config connector: local passwords enabled")
        else:
            log(sys, "INFO", "config connector", connector_id=connector["id"])
    if config["skip_approval"]:
        log(sys, "INFO", "config skipping approval screen")
    proc["data"].update(config=config, store={"requests": {}, "codes": {}, "refresh": {}})
    load(proc, sys)
    if "key" not in proc["data"]["store"]:
        proc["data"]["store"]["key"] = jwt.new_key(f"{proc['pod']}/{sys.random(1 << 60)}")
        log(sys, "INFO", "keys rotated", next_rotation=stamp(sys.now + 6 * 3_600_000, "%Y-%m-%d %H:%M:%S +0000 UTC"))
        save(proc, sys)
    host, _, port = config["address"].rpartition(":")
    try:
        listen_on(proc, sys, [int(port) if port.isdigit() else 5556], host if host and host != "localhost" else "127.0.0.1" if host else "0.0.0.0")
    except Errno as error:
        sys.err(f"listening (http) on {config['address']}: listen tcp {config['address']}: bind: {error.text.lower()}\n")
        return 2
    log(sys, "INFO", "listening on", server="http", address=config["address"])
    return None


# ---- requests


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> http.Message:
    config = proc["data"]["config"]
    base = urlsplit(config["issuer"]).path
    if not request.path.startswith(base):
        return text_answer("404 page not found\n", 404)
    path = request.path[len(base) :]
    parts = path.strip("/").split("/")
    if path == "/.well-known/openid-configuration":
        return json_answer(_discovery(config))
    if path == "/keys":
        return json_answer({"keys": [jwt.public(proc["data"]["store"]["key"])]}, headers=[("Cache-Control", "max-age=21600, must-revalidate")])
    if path == "/healthz":
        return text_answer("Health check passed")
    if path == "/token":
        return token(proc, sys, request)
    if path == "/userinfo":
        return userinfo(proc, sys, request)
    if path == "/auth":
        return _choose(proc, request, base)
    if parts[0] == "auth" and len(parts) == 2:
        return _begin(proc, sys, request, base, parts[1])
    if parts[0] == "auth" and len(parts) == 3 and parts[2] == "login":
        return _login(proc, sys, request)
    if path == "/approval":
        return _approve(proc, sys, request)
    return text_answer("404 page not found\n", 404)


def _discovery(config: Data) -> Data:
    issuer = config["issuer"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/auth",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "grant_types_supported": grants(config),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "email", "email_verified", "locale", "name", "preferred_username", "at_hash"],
    }


def _redirect(where: str, status: int = 302) -> http.Message:
    return text_answer("", status, "text/html; charset=utf-8", [("Location", where)])


def _choose(proc: Process, request: http.Message, base: str) -> http.Message:
    """/auth: to the only connector, or a page with all of them."""
    config = proc["data"]["config"]
    asked = {**query(request), **form_of(request)}
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
    config, asked = proc["data"]["config"], {**query(request), **form_of(request)}
    client = next((one for one in config["clients"] if one["id"] == asked.get("client_id")), None)
    if client is None:
        log(sys, "ERROR", "failed to parse authorization request", err=f'Invalid client_id ("{asked.get("client_id", "")}").')
        return error_page(404, f'Invalid client_id ("{asked.get("client_id", "")}").')
    back = asked.get("redirect_uri", "")
    if back not in client["redirects"]:
        log(sys, "ERROR", "failed to parse authorization request", err=f'Unregistered redirect_uri ("{back}").')
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
    name = remember(
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


def _login(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    """/auth/CONNECTOR/login: the form, and what comes from it."""
    name = query(request).get("state", "")
    held = proc["data"]["store"]["requests"].get(name)
    if not name:
        return error_page(400, "User session error.")
    if held is None:
        log(sys, "ERROR", "invalid 'state' parameter provided", err="not found")
        return error_page(400, "Requested resource does not exist.")
    prompt = "Username" if held["connector"] != "local" else "Email Address"
    if request.method != "POST":
        return password_page(request.target, "", prompt, wrong=False)
    asked = form_of(request)
    who = identity(proc, sys, held["connector"], asked.get("login", ""), asked.get("password", ""))
    if who is None:
        log(sys, "ERROR", "failed login attempt", user=asked.get("login", "")[:100])
        return password_page(request.target, asked.get("login", ""), prompt, wrong=True)
    return _logged_in(proc, sys, name, who)


def _logged_in(proc: Process, sys: Sys, name: str, who: Data) -> http.Message:
    config = proc["data"]["config"]
    proc["data"]["store"]["requests"][name]["who"] = who
    save(proc, sys)
    log(
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
    asked = {**query(request), **form_of(request)}
    held = proc["data"]["store"]["requests"].get(asked.get("req", ""))
    if held is None:
        return error_page(400, "User session error.")
    if held["who"] is None:
        log(sys, "ERROR", "auth request does not have an identity for approval")
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
    code = remember(proc, sys, "codes", {**held, "until": sys.now + CODE_MS})
    back = held["redirect"]
    return _redirect(f"{back}{'&' if '?' in back else '?'}{urlencode({'code': code, 'state': held['state']})}", 303)


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
