"""oauth2-proxy: who is let through, who is sent where, and what the application hears of it."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.runtime import jwt
from tests.kubernetes.runtime.identity import FLAGS, ISSUER, dex, header, node_port, office, status, token
from tests.kubernetes.runtime.lab import Lab

HOME = "http://node-1:30080"
MAIN = {"skip-jwt-bearer-tokens": "true", "api-route": "^/api/", "skip-auth-route": "GET=^/healthz$", "set-xauthrequest": "true",
        "code-challenge-method": "S256"}


@pytest.fixture(scope="module")
def lab() -> Lab:
    """dex, and the office application behind the proxy. Pods `open` and `strict` are variants of it."""
    lab = Lab()
    dex(lab)
    node_port(lab, "dex", 5556, 30556)
    node_port(lab, "office", 4180, 30080)
    office(lab, MAIN)
    office(lab, {}, "open", listen="0.0.0.0")  # noqa: S104 (a simulated Pod's)
    office(lab, {"allowed-group": "boss", "skip-jwt-bearer-tokens": "true", "skip-provider-button": ""}, "strict")
    lab.client(image="curlimages/curl")
    lab.settle(40)
    return lab


def curl(lab: Lab, words: str) -> str:
    return lab.out("client", f"curl -si {words}")


def sign_in(lab: Lab, credentials: str = "-d login=haneul@podlab.test -d password=mango-42", path: str = "/notes") -> str:
    """What a browser does, up to the answer of the proxy's callback."""
    asked = curl(lab, HOME + path)
    csrf = header(asked, "Set-Cookie").partition(";")[0]
    form = "http://node-1:30556" + header(curl(lab, f"'{header(asked, 'Location').replace('/auth?', '/auth/local?')}'"), "Location")
    back = header(curl(lab, f"'{form}' {credentials}"), "Location")
    return curl(lab, f"'{back}' -H 'Cookie: {csrf}'")


def session_of(answer: str) -> str:
    return next(line.partition(": ")[2].partition(";")[0] for line in answer.split("\r\n") if line.startswith("Set-Cookie: _oauth2_proxy="))


@pytest.mark.parametrize(
    ("words", "code", "where"),
    [
        (HOME + "/", 302, ISSUER + "/auth?"),
        (HOME + "/notes", 302, ISSUER + "/auth?"),
        (HOME + "/api/notes", 401, ""),
        (f"{HOME}/ -H 'Accept: application/json'", 401, ""),
        (f"{HOME}/ -H 'X-Forwarded-Email: boss@podlab.test'", 302, ISSUER + "/auth?"),
        (f"{HOME}/api/notes -H 'Authorization: Bearer a.b.c'", 401, ""),
        (f"{HOME}/ -H 'Cookie: _oauth2_proxy=made|1.0|up'", 302, ISSUER + "/auth?"),
        (HOME + "/healthz", 200, ""),
        (f"{HOME}/healthz -X POST", 302, ISSUER + "/auth?"),
        (HOME + "/ping", 200, ""),
        (HOME + "/ready", 200, ""),
        (HOME + "/oauth2/auth", 401, ""),
        (HOME + "/oauth2/userinfo", 401, ""),
        (HOME + "/oauth2/sign_in", 200, ""),
        (HOME + "/oauth2/start?rd=/notes", 302, ISSUER + "/auth?"),
        (f"'{HOME}/oauth2/callback?code=made-up&state=x:/'", 403, ""),
        (HOME + "/oauth2/callback?error=access_denied", 403, ""),
    ],
)
def test_a_stranger_is_turned_away(lab: Lab, words: str, code: int, where: str) -> None:
    found = curl(lab, words)
    assert status(found) == code
    assert header(found, "Location").startswith(where)
    assert "사내" not in found


def test_a_browser_signs_in_and_lands_where_it_wanted(lab: Lab) -> None:
    answer = sign_in(lab)
    assert (status(answer), header(answer, "Location")) == (302, "/notes")
    found = curl(lab, f"{HOME}/ -H 'Cookie: {session_of(answer)}'")
    assert status(found) == 200
    assert "<b>haneul@podlab.test</b> 님" in found
    assert "haneul@podlab.test GET / 200" in lab.logs("office", "app")
    assert "[AuthSuccess] Authenticated via OAuth2: Session{email:haneul@podlab.test" in lab.logs("office", "proxy")


def test_a_code_without_the_browsers_own_cookie_is_refused(lab: Lab) -> None:
    asked = curl(lab, HOME)
    form = "http://node-1:30556" + header(curl(lab, f"'{header(asked, 'Location').replace('/auth?', '/auth/local?')}'"), "Location")
    back = header(curl(lab, f"'{form}' -d login=haneul@podlab.test -d password=mango-42"), "Location")
    other = header(curl(lab, HOME), "Set-Cookie").partition(";")[0]
    assert "Unable to find a valid CSRF token" in curl(lab, f"'{back}'")
    assert status(curl(lab, f"'{back}' -H 'Cookie: {other}'")) in (403, 500)  # PKCE stops it before the state does


def test_a_code_of_another_sign_in_is_refused_by_its_nonce(lab: Lab) -> None:
    """Without PKCE a stolen code could be slipped into a browser that has begun to sign in itself."""
    door = f"http://{lab.ip('open')}:4180"
    begun = [curl(lab, f"{door}/ -H 'Host: node-1:30080'") for _ in range(2)]
    form = "http://node-1:30556" + header(curl(lab, f"'{header(begun[0], 'Location').replace('/auth?', '/auth/local?')}'"), "Location")
    code = header(curl(lab, f"'{form}' -d login=haneul@podlab.test -d password=mango-42"), "Location").partition("code=")[2].partition("&")[0]
    state = header(begun[1], "Location").partition("&state=")[2]
    csrf = header(begun[1], "Set-Cookie").partition(";")[0]
    found = curl(lab, f"'{door}/oauth2/callback?code={code}&state={state}' -H 'Host: node-1:30080' -H 'Cookie: {csrf}'")
    assert (status(found), "_oauth2_proxy=" in found) == (403, False)
    assert "CSRF token mismatch, potential attack" in lab.logs("open", "proxy")


def test_somebody_of_another_domain_is_not_let_in(lab: Lab) -> None:
    answer = sign_in(lab, "-d login=bada@elsewhere.test -d password=peach-77")
    assert status(answer) == 403
    assert "_oauth2_proxy=" not in answer
    assert "[AuthFailure] Invalid authentication via OAuth2: unauthorized" in lab.logs("office", "proxy")


def test_a_token_opens_the_door_to_programs(lab: Lab) -> None:
    bearer = f"-H 'Authorization: Bearer {token(lab)}'"
    assert status(curl(lab, f"{HOME}/api/notes {bearer}")) == 200
    told = lab.out("client", f"curl -s {HOME}/whoami {bearer} -H 'X-Forwarded-Email: boss@podlab.test' -H 'x-forwarded-groups: boss'")
    assert told == "email: haneul@podlab.test\ngroups: staff\npod: office\n"
    assert header(curl(lab, f"{HOME}/oauth2/auth {bearer}"), "X-Auth-Request-Email") == "haneul@podlab.test"
    assert json.loads(lab.out("client", f"curl -s {HOME}/oauth2/userinfo {bearer}"))["groups"] == ["staff"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"email": "boss@podlab.test"}, "failed to verify signature"),
        ({"iss": "http://evil/dex"}, "id token issued by a different provider"),
        ({"exp": 1}, "oidc: token is expired"),
    ],
)
def test_a_forged_token_is_refused_with_its_reason_in_the_log(lab: Lab, change: dict[str, object], told: str) -> None:
    head, claims, signature = token(lab).split(".")
    forged = jwt.encode(json.dumps(json.loads(jwt.decode(claims)) | change).encode())
    assert status(curl(lab, f"{HOME}/api/notes -H 'Authorization: Bearer {head}.{forged}.{signature}'")) == 401
    assert told in lab.logs("office", "proxy")


def test_a_group_that_is_not_allowed_is_forbidden(lab: Lab) -> None:
    found = curl(lab, f"{lab.ip('strict')}:4180/ -H 'Authorization: Bearer {token(lab)}'")
    assert status(found) == 403
    assert "The session failed authorization checks" in found


def test_without_skip_provider_button_a_page_with_a_button_comes_first(lab: Lab) -> None:
    found = curl(lab, f"{lab.ip('strict')}:4180/notes")
    assert status(found) == 403
    assert "Sign in with OpenID Connect" in found
    assert '<input type="hidden" name="rd" value="/notes">' in found


def test_the_application_on_all_addresses_can_be_reached_past_the_proxy(lab: Lab) -> None:
    forged = "-H 'X-Forwarded-Email: boss@podlab.test'"
    assert "boss@podlab.test" in curl(lab, f"{lab.ip('open')}:8080/ {forged}")
    assert lab.run("client", f"curl -s {lab.ip('office')}:8080/ {forged}")[2] == 7


def test_a_session_ends_with_another_cookie_secret_and_at_sign_out(lab: Lab) -> None:
    answer = sign_in(lab)
    cookie = f"-H 'Cookie: {session_of(answer)}'"
    assert status(curl(lab, f"{lab.ip('office')}:4180/ {cookie}")) == 200
    assert "_oauth2_proxy=;" in curl(lab, f"{HOME}/oauth2/sign_out {cookie}")
    tampered = cookie.replace("=", "=A", 1)
    assert status(curl(lab, f"{HOME}/ {tampered}")) == 302


@pytest.mark.parametrize(
    ("rd", "where"),
    [("/notes", "/notes"), ("//evil.test/", "/"), ("http://evil.test/", "/"), ("/\\evil.test", "/"), ("/./\\evil.test", "/"), ("/\t/evil.test", "/")],
)
def test_a_sign_out_leads_to_no_foreign_place(lab: Lab, rd: str, where: str) -> None:
    assert header(curl(lab, f"'{HOME}/oauth2/sign_out?rd={rd}'"), "Location") == where


@pytest.mark.slow
def test_the_future_of_a_checkpoint_is_the_same(lab: Lab) -> None:
    twin = lab.restored()
    assert sign_in(twin) == sign_in(lab)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"cookie-secret": "too-short"},
         "invalid configuration:\n  cookie_secret must be 16, 24, or 32 bytes to create an AES cipher, but is 9 bytes\n"),
        ({"cookie-secret": "", "client-secret": "", "email-domain": ""},
         "invalid configuration:\n  missing setting: cookie-secret or cookie-secret-file\n  missing setting: client-secret or client-secret-file\n"
         "  missing setting for email validation: email-domain or authenticated-emails-file required.\n"
         "      use email-domain=* to authorize all email addresses\n"),
        ({"no-such-flag": "1"}, "ERROR: failed to parse flags: unknown flag: --no-such-flag\n"),
        ({"skip-auth-route": "^/(a"}, "invalid configuration:\n  error compiling regex /^/(a/: "),
        ({"oidc-issuer-url": "http://nowhere/dex"}, 'Get "http://nowhere/dex/.well-known/openid-configuration": dial tcp: lookup nowhere on'),
        ({"oidc-issuer-url": "http://node-1:30999/dex"}, "connect: connection refused\n"),
    ],
)
def test_the_proxy_says_why_it_does_not_start(flags: dict[str, str], told: str) -> None:
    lab = Lab(1)
    office(lab, flags)
    lab.settle(8)
    assert told in lab.logs("office", "proxy")
    ended = lab.status("office")["containerStatuses"][1]
    assert (ended["state"].get("terminated") or ended["lastState"]["terminated"])["exitCode"] == 1


@pytest.mark.slow
def test_the_proxy_waits_in_crash_loops_for_a_provider_that_comes_later() -> None:
    lab = Lab(1)
    office(lab)
    node_port(lab, "dex", 5556, 30556)
    lab.settle(10)
    assert lab.status("office")["containerStatuses"][1]["restartCount"] >= 1
    dex(lab)
    lab.settle(60)
    assert "running" in lab.status("office")["containerStatuses"][1]["state"]


def test_variables_and_a_file_say_the_same_as_flags() -> None:
    lab = Lab(1)
    text = f'provider = "oidc"\noidc_issuer_url = "{ISSUER}"\nemail_domains = ["*"]\nskip_provider_button = true\nupstreams = ["http://127.0.0.1:8080/"]\n'
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "proxy"}, "data": {"proxy.cfg": text}})
    names = ("client-id", "client-secret", "cookie-secret", "http-address")
    env = [{"name": "OAUTH2_PROXY_" + name.upper().replace("-", "_"), "value": FLAGS[name]} for name in names]
    container = {"name": "proxy", "image": "quay.io/oauth2-proxy/oauth2-proxy:v7.12.0", "args": ["--config=/etc/proxy/proxy.cfg"], "env": env,
                 "volumeMounts": [{"name": "config", "mountPath": "/etc/proxy"}]}
    dex(lab)
    node_port(lab, "dex", 5556, 30556)
    lab.pod("office", containers=[container], spec={"volumes": [{"name": "config", "configMap": {"name": "proxy"}}]})
    lab.client(image="curlimages/curl", node="node-1")
    lab.settle(40)
    found = curl(lab, f"{lab.ip('office')}:4180/")
    assert status(found) == 302
    assert "redirect_uri=https%3A" in header(found, "Location")  # cookie-secure is on unless it is turned off
    assert "; Secure" in header(found, "Set-Cookie")
