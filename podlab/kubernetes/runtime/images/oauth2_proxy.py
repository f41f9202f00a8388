"""quay.io/oauth2-proxy/oauth2-proxy: turns strangers away before an application that knows no login.

Sign-in with an OpenID Connect provider (code flow, PKCE), a session in an encrypted cookie, bearer tokens (--skip-jwt-bearer-tokens),
e-mail domains and groups, routes without login or without redirects, headers for the application. Options: oauth2_options.py.
Source: oauth2-proxy.github.io/oauth2-proxy (7.x) and its oauthproxy.go.

Sessions live in cookies (oauth2_sessions.py). Sessions in Redis, htpasswd files and the alpha configuration are absent.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from ...times import stamp
from .. import http, jwt
from ..asking import Learned, Wish, go_error, serve_asking
from ..http import text_answer
from ..image import Entry, Image, add
from ..linear import compiled
from ..process import Data, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import ends_at_once, query
from ..system import Sys
from . import oauth2_options
from .base import PATH
from .oauth2_options import Fatal
from .oauth2_pages import error_page, sign_in_page
from .oauth2_sessions import json_object, permitted, session_of, set_cookie, token_of
from .oauth2_sign_in import VERSION, begin, callback, callback_url, csrf_of, no_cache, wanted_page
from .oauth2_start import log, provider_name, start

OWN_HEADERS = ("x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username", "x-forwarded-access-token")
"""What only the proxy may say to the application: whatever a client sends of these is dropped (--skip-auth-strip-headers)."""
HOP_HEADERS = ("connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer")


# ---- the process


def run(proc: Process, sys: Sys, event: Event) -> int:
    if "listening" not in proc["data"]:
        if "--version" in proc["argv"]:
            sys.out(f"oauth2-proxy {VERSION} (built with go1.25.0)\n")
            return 0
        try:
            start(proc, sys)
        except Fatal as error:
            log(sys, "main.go:59", str(error))
            return 1
    return serve_asking(proc, sys, _wish, _answer)


# ---- what must be asked before an answer can be given


def _wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    """The provider's keys for a token that another key has signed, the token for a code, and then the application itself."""
    data = proc["data"]
    options, path = data["options"], request.path
    if path == options["proxy-prefix"] + "/callback":
        return _wish_token(proc, sys, request, learned)
    token = token_of(request) if options["skip-jwt-bearer-tokens"] else ""
    if token and (wanted := _wish_keys(proc, token, learned)) is not None:
        return wanted
    if "upstream" in learned or _is_own(options, path):
        return None
    if not _open(options, request):
        session, _ = session_of(proc, sys, request)
        if session is None or not permitted(options, session):
            return None
        return _forward(sys, options, request, session)
    return _forward(sys, options, request, None)


def _is_own(options: Data, path: str) -> bool:
    """A page of the proxy's own."""
    own = (options["ping-path"], options["ready-path"], "/robots.txt")
    return path in own or path.startswith(options["proxy-prefix"] + "/")


def _open(options: Data, request: http.Message) -> bool:
    """Whether a request needs no login (--skip-auth-route, --skip-auth-regex, --skip-auth-preflight)."""
    if options["skip-auth-preflight"] and request.method == "OPTIONS":
        return True
    if any(_matches(text, request.path) for text in options["skip-auth-regex"]):
        return True
    for text in options["skip-auth-route"]:
        method, pattern = oauth2_options.route(text)
        fits = not method or (request.method != method[1:] if method.startswith("!") else request.method == method)
        if fits and _matches(pattern, request.path):
            return True
    return False


def _matches(pattern: str, path: str) -> bool:
    return compiled(pattern).search(path[:2000]) is not None


def _wish_keys(proc: Process, token: str, learned: Learned) -> Wish | None:
    """The key set, when the token's key is not among the known ones. What comes is kept."""
    data = proc["data"]
    if "keys" in learned:
        found = json_object(learned["keys"]["body"]).get("keys") if learned["keys"]["status"] == 200 else None
        if isinstance(found, list):
            data["keys"] = found[:20]
        return None
    try:
        head, _ = jwt.parse(token)
    except jwt.BadToken:
        return None
    if not data["provider"]["keys"] or any(isinstance(key, dict) and key.get("kid") == head.get("kid") for key in data["keys"]):
        return None
    return _get("keys", data["provider"]["keys"])


def _get(name: str, url: str, method: str = "GET", body: str = "") -> Wish:
    _, host, port, target = http.split_url(url)
    headers = [("User-Agent", "oauth2-proxy/" + VERSION), ("Connection", "close")]
    if method == "POST":
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    return Wish(name, host, port, http.request(method, target, host if port == 80 else f"{host}:{port}", headers, body))


def _wish_token(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    options, provider, asked = proc["data"]["options"], proc["data"]["provider"], query(request)
    if asked.get("error") or not asked.get("code") or csrf_of(options, request, sys.now) is None:
        return None
    if "token" not in learned:
        csrf = csrf_of(options, request, sys.now)
        assert csrf is not None
        form = {
            "client_id": options["client-id"],
            "client_secret": options["client-secret"],
            "code": asked["code"],
            "grant_type": "authorization_code",
            "redirect_uri": callback_url(options, request),
            **({"code_verifier": csrf["verifier"]} if csrf["verifier"] else {}),
        }
        return _get("token", provider["redeem"], "POST", urlencode(form))
    token = json_object(learned["token"]["body"]).get("id_token")
    return _wish_keys(proc, token, learned) if isinstance(token, str) else None


def _forward(sys: Sys, options: Data, request: http.Message, session: Data | None) -> Wish | None:
    """The request as the application gets it."""
    upstream = _upstream(options, request.path)
    if upstream is None or urlsplit(upstream).scheme != "http":
        return None
    _, host, port, _ = http.split_url(upstream)
    dropped = {*HOP_HEADERS, "host", "x-forwarded-for", "x-real-ip"}
    if options["skip-auth-strip-headers"] or session is not None:
        dropped |= set(OWN_HEADERS)
    headers = [(name, value) for name, value in request.headers if name.lower() not in dropped]
    past = request.get("X-Forwarded-For")
    headers.append(("X-Forwarded-For", f"{past}, {sys.sandbox['ip']}" if past else str(sys.sandbox["ip"])))
    if session is not None:
        headers = _told(options, headers, session)
    named = request.get("Host") if options["pass-host-header"] else f"{host}:{port}"
    return Wish("upstream", host, port, http.request(request.method, request.target, named, [*headers, ("Connection", "close")], request.body))


def _told(options: Data, headers: list[tuple[str, str]], session: Data) -> list[tuple[str, str]]:
    """What the application is told of who comes."""
    if options["pass-user-headers"]:
        told = {"X-Forwarded-User": session["user"], "X-Forwarded-Groups": ",".join(session["groups"]),
                "X-Forwarded-Email": session["email"], "X-Forwarded-Preferred-Username": session["name"]}
        headers = [*headers, *((name, _line(value)) for name, value in told.items() if value)]
    if options["pass-access-token"]:
        headers = [*headers, ("X-Forwarded-Access-Token", _line(session["access"]))]
    if options["pass-authorization-header"]:
        headers = [*(one for one in headers if one[0].lower() != "authorization"), ("Authorization", _line(f"Bearer {session['id']}"))]
    return headers


def _line(value: str) -> str:
    """A header's value is one line, whatever a token says."""
    return " ".join(value.split())


def _upstream(options: Data, path: str) -> str | None:
    """The upstream whose path is the longest that fits."""
    best, length = None, -1
    for upstream in options["upstream"]:
        prefix = urlsplit(upstream).path or "/"
        fits = path == prefix or (prefix.endswith("/") and path.startswith(prefix))
        if fits and len(prefix) > length:
            best, length = upstream, len(prefix)
    return best


# ---- answers


def _answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> http.Message:
    options = proc["data"]["options"]
    session, complaint = session_of(proc, sys, request)
    if complaint:
        log(sys, "oauthproxy.go:1069", complaint)
    found, upstream, who = _page(proc, sys, request, learned, session)
    if options["request-logging"] and not (options["silence-ping-logging"] and request.path in (options["ping-path"], options["ready-path"])):
        identity = hashlib.sha256(f"{proc['pod']}{sys.random(1 << 60)}".encode()).hexdigest()
        request_id = "-".join((identity[:8], identity[8:12], "4" + identity[13:16], "a" + identity[17:20], identity[20:32]))
        sys.out(
            f'{peer} - {request_id} - {who or "-"} [{stamp(sys.now, "%Y/%m/%d %H:%M:%S")}] {request.get("Host")} {request.method} {upstream} '
            f'"{request.target[:2000]}" {request.version} "{request.get("User-Agent")}" {found.status} {http.size(found.body)} 0.001\n'
        )
    return found


def _page(proc: Process, sys: Sys, request: http.Message, learned: Learned, session: Data | None) -> tuple[http.Message, str, str]:
    """(the answer, the upstream that it is from or "-", whose request it was)."""
    options, path, prefix = proc["data"]["options"], request.path, proc["data"]["options"]["proxy-prefix"]
    allowed = session if session is not None and permitted(options, session) else None
    who = allowed["email"] or allowed["user"] if allowed else ""
    if path in (options["ping-path"], options["ready-path"]):
        return text_answer("OK", headers=no_cache()), "-", ""
    if path == "/robots.txt":
        return text_answer("User-agent: *\nDisallow: /\n"), "-", ""
    if path == prefix + "/callback":
        found, who = callback(proc, sys, request, learned)
        return found, "-", who
    if path == prefix + "/start":
        return begin(proc, sys, request, wanted_page(options, request)), "-", ""
    if path == prefix + "/sign_in":
        return sign_in_page(options, provider_name(options), wanted_page(options, request), 200, VERSION), "-", ""
    if path == prefix + "/sign_out":
        out = set_cookie(options, options["cookie-name"], "", request.get("Host"), sys.now, 0)
        return text_answer("", 302, headers=[*no_cache(), ("Location", wanted_page(options, request)), out]), "-", who
    if path == prefix + "/auth":
        if allowed is None:
            return text_answer("Unauthorized\n", 401, headers=no_cache()), "-", ""
        return text_answer("", 202, headers=[*no_cache(), *_xauth(options, allowed)]), "-", who
    if path == prefix + "/userinfo":
        if allowed is None:
            return text_answer("Unauthorized\n", 401, headers=no_cache()), "-", ""
        told = {"user": allowed["user"], "email": allowed["email"], **({"groups": allowed["groups"]} if allowed["groups"] else {})}
        return text_answer(json.dumps(told) + "\n", kind="application/json", headers=no_cache()), "-", who
    if _open(options, request):
        return *_from_upstream(sys, options, request, learned, None), ""
    if allowed is not None:
        return *_from_upstream(sys, options, request, learned, allowed), who
    return _stranger(proc, sys, request, session), "-", ""


def _stranger(proc: Process, sys: Sys, request: http.Message, session: Data | None) -> http.Message:
    """Somebody without a session, or with one that is not enough."""
    options = proc["data"]["options"]
    if session is not None:
        shown = f"Session{{email:{session['email']} user:{session['user']}}}"
        log(sys, "oauthproxy.go:1125", f"Invalid authentication via session: removing session {shown}")
        out = set_cookie(options, options["cookie-name"], "", request.get("Host"), sys.now, 0)
        if options["force-json-errors"]:
            return text_answer("{}", 403, "application/json", [out])
        return error_page(options, 403, "The session failed authorization checks", VERSION, [out])
    ajax = any(one.partition(";")[0].strip() == "application/json" for one in request.get("Accept").split(","))
    if options["force-json-errors"] or ajax or any(_matches(text, request.path) for text in options["api-route"]):
        log(sys, "oauthproxy.go:1029", "No valid authentication in request. Access Denied.")
        return text_answer("{}", 401, "application/json")
    if token_of(request) and options["skip-jwt-bearer-tokens"] and not options["bearer-token-login-fallback"]:
        return error_page(options, 403, "The session failed authorization checks", VERSION, [])
    log(sys, "oauthproxy.go:1034", "No valid authentication in request. Initiating login.")
    if options["skip-provider-button"]:
        return begin(proc, sys, request, request.target)
    return sign_in_page(options, provider_name(options), request.target, 403, VERSION)


def _xauth(options: Data, session: Data) -> list[tuple[str, str]]:
    if not options["set-xauthrequest"]:
        return []
    told = {"X-Auth-Request-User": session["user"], "X-Auth-Request-Email": session["email"], "X-Auth-Request-Groups": ",".join(session["groups"]),
            "X-Auth-Request-Access-Token": session["access"] if options["pass-access-token"] else ""}
    return [(name, _line(value)) for name, value in told.items() if value]


def _from_upstream(sys: Sys, options: Data, request: http.Message, learned: Learned, session: Data | None) -> tuple[http.Message, str]:
    upstream = _upstream(options, request.path)
    if upstream is None:
        return error_page(options, 404, "", VERSION, []), "-"
    where = urlsplit(upstream)
    extra = _xauth(options, session) if session else []
    if where.scheme == "static":
        return text_answer("Authenticated", int(where.netloc) if where.netloc.isdigit() else 200, headers=extra), upstream
    got = learned.get("upstream")
    if got is None or got["error"]:
        why = go_error(got) if got else "podlab: only http and static upstreams"
        log(sys, "error_page.go:94", f"Error proxying to upstream server: {why}")
        return error_page(options, 502, "There was a problem connecting to the upstream server.", VERSION, []), upstream
    headers = [(name, value) for name, value in got["headers"] if name.lower() not in HOP_HEADERS]
    return http.response(got["status"], got["body"], [*headers, *extra]), upstream


register(Program("oauth2-proxy", lambda proc, sys: run(proc, sys, None), run, ends_at_once, 12 * MEBIBYTE))
TREE: dict[str, Any] = {
    "bin": {"oauth2-proxy": Entry(program="oauth2-proxy", size=37_600_000)},
    "etc": {"passwd": "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
            "ssl": {"private": {}}},
    "home": {"nonroot": {}},
    "tmp": {},
}
add(
    Image(
        "quay.io/oauth2-proxy/oauth2-proxy",
        ("latest", "v7.5.1", "v7.6.0", "v7.7.1", "v7.8.1", "v7.8.2", "v7.9.0", "v7.10.0", "v7.11.0", VERSION),
        TREE,
        14_900_000,
        entrypoint=("/bin/oauth2-proxy",),
        env={"PATH": PATH},
        user="65532:65532",
        ports=(4180, 44180),
    )
)
