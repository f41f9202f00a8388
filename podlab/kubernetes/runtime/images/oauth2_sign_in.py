"""Signing in through oauth2-proxy: to the provider, back with a code, and the cookie that ties both to one browser (oauthproxy.go)."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from ...times import stamp
from .. import http, jwt
from ..asking import Learned, go_error
from ..http import text_answer
from ..process import Data, Process
from ..serving import query
from ..system import Sys
from .oauth2_pages import error_page
from .oauth2_sessions import cookies, from_claims, json_object, permitted, seal, set_cookie, unseal, verified
from .oauth2_start import log

VERSION = "v7.12.0"
INVALID_REDIRECT = re.compile(r"[/\\](?:[\s\v]*|\.{1,2})[/\\]")  # oauthproxy.go: invalidRedirectRegex
CSRF_MS = 15 * 60_000  # --cookie-csrf-expire's default


def no_cache() -> list[tuple[str, str]]:
    """Headers of the proxy's own pages."""
    return [("Cache-Control", "no-cache, no-store, must-revalidate, max-age=0"), ("Expires", "Thu, 01 Jan 1970 00:00:00 UTC"),
            ("X-Accel-Expires", "0")]


def wanted_page(options: Data, request: http.Message) -> str:
    """Where to go after signing in or out: `rd`, if it is a path of ours or on a whitelisted domain."""
    found = {**query(request), **dict(parse_qsl(request.body))}.get("rd", "") or request.get("X-Auth-Request-Redirect")
    return found if is_valid_redirect(options, found) else "/"


def is_valid_redirect(options: Data, url: str) -> bool:
    """Whether somebody may be sent there: a path of ours that no browser takes for another host, or a whitelisted domain."""
    if url.startswith("/") and not INVALID_REDIRECT.search(url[:2000]):
        return True
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    for domain in options["whitelist-domain"]:
        name, _, allowed = domain.partition(":")
        same = parts.hostname == name.lstrip(".") or (name.startswith(".") and parts.hostname.endswith(name))
        if same and (allowed in ("*", port)):
            return True
    return False


def callback_url(options: Data, request: http.Message) -> str:
    """--redirect-url, else the host that the client asked for. Without TLS the scheme follows --cookie-secure (GetRedirectURI)."""
    if options["redirect-url"]:
        whole = str(options["redirect-url"])
        return whole if urlsplit(whole).path.strip("/") else whole.rstrip("/") + options["proxy-prefix"] + "/callback"
    return f"{'https' if options['cookie-secure'] else 'http'}://{request.get('Host')}{options['proxy-prefix']}/callback"


def begin(proc: Process, sys: Sys, request: http.Message, back: str) -> http.Message:
    """To the provider, with a cookie that ties its answer to this browser."""
    options, provider = proc["data"]["options"], proc["data"]["provider"]
    draw = [jwt.encode(hashlib.sha256(f"{proc['pod']}{sys.random(1 << 60)}{turn}".encode()).digest()) for turn in range(3)]
    method = options["code-challenge-method"]
    verifier = draw[2] if method else ""
    scope = options["scope"] or ("openid email profile" + (" groups" if options["allowed-group"] else ""))
    asked = {
        "approval_prompt": options["approval-prompt"],
        "client_id": options["client-id"],
        "nonce": draw[1],
        "redirect_uri": callback_url(options, request),
        "response_type": "code",
        "scope": scope,
        "state": f"{draw[0]}:{back}",
        **({"prompt": options["prompt"]} if options["prompt"] else {}),
    }
    if verifier:
        challenge = jwt.encode(hashlib.sha256(verifier.encode()).digest()) if method == "S256" else verifier
        asked.update(code_challenge=challenge, code_challenge_method=method)
    if options["prompt"]:
        del asked["approval_prompt"]
    name = options["cookie-name"] + "_csrf"
    sealed = seal(options, name, {"state": draw[0], "nonce": draw[1], "verifier": verifier}, sys.now)
    cookie = set_cookie(options, name, sealed, request.get("Host"), sys.now, CSRF_MS)
    where = f"{provider['login']}{'&' if '?' in provider['login'] else '?'}{urlencode(sorted(asked.items()))}"
    return text_answer("", 302, "text/html; charset=utf-8", [*no_cache(), ("Location", where), cookie])


def csrf_of(options: Data, request: http.Message, now: int) -> Data | None:
    """What `begin` has put into the browser's cookie; None for none, an old or a foreign one."""
    name = options["cookie-name"] + "_csrf"
    return unseal(options, name, cookies(request).get(name, ""), now, CSRF_MS)


def callback(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> tuple[http.Message, str]:
    """The provider has sent the browser back: (the answer, who it is)."""
    options, asked = proc["data"]["options"], query(request)

    def refuse(status: int, message: str, line: str) -> tuple[http.Message, str]:
        log(sys, "oauthproxy.go:868", line)
        return error_page(options, status, message, VERSION, []), ""

    if asked.get("error"):
        told = f"{asked['error']}" + (f" - {asked['error_description']}" if asked.get("error_description") else "")
        return refuse(403, f"Login Failed: The upstream identity provider returned an error: {asked['error']}",
                      f"Error while parsing OAuth2 callback: {told[:500]}")
    csrf = csrf_of(options, request, sys.now)
    if csrf is None:
        return refuse(403, "Login Failed: Unable to find a valid CSRF token. Please try again.",
                      "Invalid authentication via OAuth2: unable to obtain CSRF cookie")
    if not asked.get("code"):
        return refuse(500, "Internal Error", "Error redeeming code during OAuth2 callback: missing code")
    got = learned.get("token")
    if got is None or got["status"] != 200:
        why = f'Post "{proc["data"]["provider"]["redeem"]}": {go_error(got)}' if got and got["error"] else "oauth2: cannot fetch token: " + (
            f"{got['status']}\\nResponse: {got['body'][:300]}" if got else "not asked")
        return refuse(500, "Internal Error", f"Error redeeming code during OAuth2 callback: token exchange failed: {why}")
    tokens = json_object(got["body"])
    try:
        claims = verified(proc, sys, str(tokens.get("id_token") or ""))
    except jwt.BadToken as error:
        return refuse(500, "Internal Error", f"Error creating session during OAuth2 callback: could not verify id_token: {error}")
    state, _, back = asked.get("state", "").partition(":")
    if not hmac.compare_digest(state.encode("utf-8", "surrogateescape"), str(csrf["state"]).encode()) or claims.get("nonce") != csrf["nonce"]:
        return refuse(403, "Login Failed: Unable to find a valid CSRF token. Please try again.",
                      "Invalid authentication via OAuth2: CSRF token mismatch, potential attack")
    session = from_claims(options, claims, str(tokens["id_token"]), str(tokens.get("access_token") or ""), sys.now)
    if not permitted(options, session):
        _auth_log(sys, request, session, "AuthFailure", "Invalid authentication via OAuth2: unauthorized")
        return error_page(options, 403, "Invalid session: unauthorized", VERSION, []), ""
    _auth_log(sys, request, session, "AuthSuccess", f"Authenticated via OAuth2: {_words(session)}")
    cookie = set_cookie(options, options["cookie-name"], seal(options, options["cookie-name"], session, sys.now), request.get("Host"), sys.now,
                         options["cookie-expire"])
    gone = set_cookie(options, options["cookie-name"] + "_csrf", "", request.get("Host"), sys.now, 0)
    where = back if is_valid_redirect(options, back) else "/"
    return text_answer("", 302, "text/html; charset=utf-8", [*no_cache(), gone, cookie, ("Location", where)]), session["email"] or session["user"]


def _words(session: Data) -> str:
    def at(ms: int) -> str:
        return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")

    groups = " ".join(session["groups"])
    return (f"Session{{email:{session['email']} user:{session['user']} PreferredUsername:{session['name']} token:true id_token:true "
            f"created:{at(session['created'])} expires:{at(session['until'])} groups:[{groups}]}}")


def _auth_log(sys: Sys, request: http.Message, session: Data, status: str, message: str) -> None:
    """--auth-logging-format's default."""
    if sys.proc["data"]["options"]["auth-logging"]:
        when = stamp(sys.now, "%Y/%m/%d %H:%M:%S")
        sys.out(f"{request.get('Host')} - {session['email'] or session['user']} [{when}] [{status}] {message}\n")
