"""dex's token and userinfo endpoints (server/handlers.go): codes, passwords and refresh tokens for RS256 JWTs."""

from __future__ import annotations

import base64
import binascii
import hashlib
from urllib.parse import unquote_plus

from .. import http, jwt
from ..process import Data, Process
from ..system import Sys
from .dex_state import form_of, grants, identity, json_answer, log, remember, save


def _refuse(error: str, description: str = "", status: int = 400) -> http.Message:
    return json_answer({"error": error, **({"error_description": description} if description else {})}, status)


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
        log(sys, "INFO", "invalid client_secret on token request" if secret else "missing client_secret on token request", client_id=name)
        return None
    return client


def token(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    if request.method != "POST":
        return _refuse("invalid_request", "method not allowed")
    asked, config = form_of(request), proc["data"]["config"]
    grant = asked.get("grant_type", "")
    if grant not in grants(config):
        log(sys, "ERROR", "unsupported grant type", grant_type=grant)
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
    who = identity(proc, sys, config["password_connector"], asked.get("username", ""), asked.get("password", ""))
    if who is None:
        return _refuse("access_denied", "Invalid username or password", 401)
    log(sys, "INFO", "login successful", connector_id=who["connector"], username=who["username"], email=who["email"])
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
    save(proc, sys)
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
    if "offline_access" in scopes and "refresh_token" in grants(config):
        told["refresh_token"] = remember(proc, sys, "refresh", {"client": client["id"], "who": who, "scopes": scopes})
    if "openid" in scopes:
        told["id_token"] = jwt.sign(key, {**claims, "at_hash": jwt.encode(hashlib.sha256(access.encode()).digest()[:16])})
    return json_answer(told, headers=[("Cache-Control", "no-store"), ("Pragma", "no-cache")])


def _subject(who: Data) -> str:
    """The user's and the connector's id as a protocol buffer (server/internal/types.proto: IDTokenSubject)."""
    out = b""
    for number, text in ((1, who["id"]), (2, who["connector"])):
        raw = text.encode()[:127]
        out += bytes([number << 3 | 2, len(raw)]) + raw
    return jwt.encode(out)


def userinfo(proc: Process, sys: Sys, request: http.Message) -> http.Message:
    scheme, _, token = request.get("Authorization").partition(" ")
    config = proc["data"]["config"]
    try:
        if scheme.lower() != "bearer":
            raise jwt.BadToken("Invalid bearer token.")
        audiences = [client["id"] for client in config["clients"]]
        claims = jwt.verify(token, [jwt.public(proc["data"]["store"]["key"])], issuer=config["issuer"], audiences=audiences, now=sys.now)
    except jwt.BadToken as error:
        return json_answer({"error": "access_denied", "error_description": str(error)}, 403, [("WWW-Authenticate", "Bearer")])
    return json_answer(claims)
