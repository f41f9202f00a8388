"""dex: discovery, logging in, tokens, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.runtime import jwt
from tests.kubernetes.runtime.identity import DEX, ISSUER, dex, header, node_port, status
from tests.kubernetes.runtime.lab import Lab

BEGIN = "client_id=office&redirect_uri=http%3A%2F%2Fnode-1%3A30080%2Foauth2%2Fcallback&response_type=code&state=xyz"
FORM = "-d login=haneul@podlab.test -d password=mango-42"


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    dex(lab)
    node_port(lab, "dex", 5556, 30556)
    lab.client(image="curlimages/curl")
    lab.settle(12)
    return lab


def curl(lab: Lab, words: str) -> str:
    return lab.out("client", f"curl -si {words}")


def grant(lab: Lab, words: str, credentials: str = "office:s3cret") -> tuple[int, Any]:
    found = curl(lab, f"{ISSUER}/token -u {credentials} {words}")
    return status(found), json.loads(found.partition("\r\n\r\n")[2])


def password(user: str = "haneul@podlab.test", word: str = "mango-42", scope: str = "openid email profile groups") -> str:
    return f"-d grant_type=password -d username={user} -d password={word} -d scope='{scope}'"


def test_discovery_names_every_endpoint_below_the_issuer(lab: Lab) -> None:
    found = json.loads(lab.out("client", f"curl -s {ISSUER}/.well-known/openid-configuration"))
    assert found["issuer"] == ISSUER
    ends = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
    assert [found[name].removeprefix(ISSUER) for name in ends] == ["/auth", "/token", "/keys", "/userinfo"]
    assert found["grant_types_supported"] == ["authorization_code", "password", "refresh_token"]


def test_a_token_is_verified_by_the_published_keys_and_by_no_other(lab: Lab) -> None:
    _, told = grant(lab, password())
    keys = json.loads(lab.out("client", f"curl -s {ISSUER}/keys"))["keys"]
    claims = jwt.verify(told["id_token"], keys, issuer=ISSUER, audiences=["office"], now=lab.cluster.now)
    assert (claims["email"], claims["name"], claims["groups"], claims["aud"]) == ("haneul@podlab.test", "haneul", ["staff"], "office")
    other = jwt.public({**jwt.new_key("another"), "kid": keys[0]["kid"]})
    with pytest.raises(jwt.BadToken, match="failed to verify signature"):
        jwt.verify(told["id_token"], [other], issuer=ISSUER, audiences=["office"], now=lab.cluster.now)
    with pytest.raises(jwt.BadToken, match="expired"):
        jwt.verify(told["id_token"], keys, issuer=ISSUER, audiences=["office"], now=lab.cluster.now + 24 * 3_600_000 + 2_000)
    with pytest.raises(jwt.BadToken, match="audience"):
        jwt.verify(told["id_token"], keys, issuer=ISSUER, audiences=["shop"], now=lab.cluster.now)


def test_a_changed_claim_breaks_the_signature(lab: Lab) -> None:
    _, told = grant(lab, password())
    head, claims, signature = told["id_token"].split(".")
    forged = json.loads(jwt.decode(claims)) | {"email": "boss@podlab.test"}
    keys = json.loads(lab.out("client", f"curl -s {ISSUER}/keys"))["keys"]
    with pytest.raises(jwt.BadToken, match="signature"):
        jwt.verify(f"{head}.{jwt.encode(json.dumps(forged).encode())}.{signature}", keys, issuer=ISSUER, audiences=["office"], now=lab.cluster.now)


@pytest.mark.parametrize(
    ("words", "credentials", "code", "error"),
    [
        (password(word="wrong"), "office:s3cret", 401, "access_denied"),
        (password(user="nobody@podlab.test"), "office:s3cret", 401, "access_denied"),
        (password(), "office:guess", 401, "invalid_client"),
        (password(), "nobody:s3cret", 401, "invalid_client"),
        (password(scope="email"), "office:s3cret", 400, "invalid_request"),
        ("-d grant_type=client_credentials", "office:s3cret", 400, "unsupported_grant_type"),
        ("-d grant_type=authorization_code -d code=made-up", "office:s3cret", 400, "invalid_grant"),
    ],
)
def test_a_token_is_refused(lab: Lab, words: str, credentials: str, code: int, error: str) -> None:
    found, told = grant(lab, words, credentials)
    assert (found, told["error"]) == (code, error)


def start(lab: Lab, query: str = BEGIN + "&scope=openid+email") -> str:
    """To the login form: its address."""
    found = curl(lab, f"'{ISSUER}/auth/local?{query}'")
    return "http://node-1:30556" + header(found, "Location")


def test_a_browser_is_led_through_the_form_to_a_code_that_is_good_once(lab: Lab) -> None:
    chosen = curl(lab, f"'{ISSUER}/auth?{BEGIN}&scope=openid+email'")
    assert status(chosen) == 302
    assert header(chosen, "Location").startswith("/dex/auth/local?client_id=office&")
    form = start(lab)
    assert '<input id="password"' in curl(lab, f"'{form}'")
    sent = curl(lab, f"'{form}' {FORM}")
    assert status(sent) == 303
    back = header(sent, "Location")
    assert back.startswith("http://node-1:30080/oauth2/callback?code=")
    assert back.endswith("&state=xyz")
    code = back.partition("code=")[2].partition("&")[0]
    words = f"-d grant_type=authorization_code -d code={code} -d redirect_uri=http://node-1:30080/oauth2/callback"
    assert grant(lab, words)[0] == 200
    assert grant(lab, words) == (400, {"error": "invalid_grant", "error_description": "Invalid or expired code parameter."})


def test_a_wrong_password_shows_the_form_again(lab: Lab) -> None:
    found = curl(lab, f"'{start(lab)}' -d login=haneul@podlab.test -d password=wrong")
    assert status(found) == 401
    assert "Invalid Email Address and password." in found


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (BEGIN.replace("office", "shop", 1) + "&scope=openid", "Invalid client_id (&quot;shop&quot;)."),
        (BEGIN.replace("30080", "30099") + "&scope=openid", "Unregistered redirect_uri (&quot;http://node-1:30099/oauth2/callback&quot;)."),
    ],
)
def test_an_unknown_client_or_address_is_never_redirected_to(lab: Lab, query: str, told: str) -> None:
    found = curl(lab, f"'{ISSUER}/auth/local?{query}'")
    assert header(found, "Location") == ""
    assert told in found


def test_a_request_without_openid_goes_back_with_an_error(lab: Lab) -> None:
    found = curl(lab, f"'{ISSUER}/auth/local?{BEGIN}&scope=email'")
    assert "error=invalid_scope" in header(found, "Location")


def test_pkce_binds_the_code_to_whoever_began(lab: Lab) -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    codes = []
    for _ in range(2):
        form = start(lab, f"{BEGIN}&scope=openid&code_challenge={challenge}&code_challenge_method=S256")
        codes.append(header(curl(lab, f"'{form}' {FORM}"), "Location").partition("code=")[2].partition("&")[0])
    words = "-d grant_type=authorization_code -d redirect_uri=http://node-1:30080/oauth2/callback"
    assert grant(lab, f"{words} -d code={codes[0]} -d code_verifier=guess")[1]["error_description"] == "Invalid code_verifier."
    assert grant(lab, f"{words} -d code={codes[1]} -d code_verifier={verifier}")[0] == 200


def test_userinfo_needs_a_token(lab: Lab) -> None:
    _, told = grant(lab, password())
    found = json.loads(lab.out("client", f"curl -s {ISSUER}/userinfo -H 'Authorization: Bearer {told['access_token']}'"))
    assert found["email"] == "haneul@podlab.test"
    assert status(curl(lab, f"{ISSUER}/userinfo")) == 403


def test_the_future_of_a_checkpoint_is_the_same(lab: Lab) -> None:
    twin = lab.restored()
    assert grant(twin, password()) == grant(lab, password())


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("issuer: http://a/dex\n", "invalid Config:\n\t-\tno storage supplied in config file\n\t-\tmust supply a HTTP/HTTPS  address to listen on\n"),
        (DEX.replace("enablePasswordDB: true", ""), "invalid Config:\n\t-\tcannot specify static passwords without enabling password db\n"),
        (DEX.replace("$2b$10$QzZ1", "$2b$04$QzZ1"),
         "error parse config file: given hash cost = 4 does not meet minimum cost requirement = 10\n"),
        (DEX.replace("secret: s3cret, ", ""), 'invalid config: Secret or SecretEnv field is required for client "office"\n'),
        ("a: &x [1]\nb: *x\n", "error parse config file /etc/dex/config.yaml: error converting YAML to JSON: yaml: line 2: aliases"),
    ],
)
def test_a_wrong_configuration_is_refused_in_dexs_words(config: str, told: str) -> None:
    lab = Lab(1)
    dex(lab, config)
    lab.settle(6)
    assert lab.logs("dex").startswith(told)
    ended = lab.status("dex")["containerStatuses"][0]
    assert (ended["state"].get("terminated") or ended["lastState"]["terminated"])["exitCode"] == 2
