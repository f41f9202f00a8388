"""How oauth2-proxy starts: options, the provider's discovery document, its first log lines. It ends when the provider does not answer."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from ...times import stamp
from .. import http, sockets
from ..asking import go_error
from ..process import Data, Errno, Process
from ..serving import listen_on
from ..system import Sys
from ..tools import net_client
from . import oauth2_options
from .oauth2_options import Fatal
from .oauth2_sessions import json_object

PROVIDERS = {"oidc": "OpenID Connect", "keycloak-oidc": "Keycloak OIDC", "google": "Google"}


def log(sys: Sys, place: str, text: str) -> None:
    """A line of --standard-logging."""
    sys.err(f"[{stamp(sys.now, '%Y/%m/%d %H:%M:%S')}] [{place}] {text}\n")


def start(proc: Process, sys: Sys) -> None:
    """Reads the options into `proc["data"]["options"]`, asks the provider who it is, listens. Raises Fatal; Blocked while the provider is asked."""
    data = proc["data"]
    if "options" not in data:
        options = oauth2_options.read(sys, proc["argv"][1:], proc["env"])
        oauth2_options.validate(sys, options)
        if options["authenticated-emails-file"]:
            options["emails"] = sys.read_file(options["authenticated-emails-file"]).lower().split()
        data.update(options=options, keys=[])
    options = data["options"]
    if "provider" not in data:
        data["provider"] = _provider(proc, sys)
    for upstream in options["upstream"]:
        where = urlsplit(upstream)
        told = f"static response {where.netloc}" if where.scheme == "static" else f'upstream "{upstream}"'
        log(sys, "proxy.go:89", f'mapping path "{where.path or "/"}" => {told}')
    if options["skip-jwt-bearer-tokens"]:
        log(sys, "oauthproxy.go:144", f'Skipping JWT tokens from configured OIDC issuer: "{options["oidc-issuer-url"]}"')
    log(sys, "oauthproxy.go:172", f"OAuthProxy configured for {provider_name(options)} Client ID: {options['client-id']}")
    refresh = f"after {options['cookie-refresh'] // 1000}s" if options["cookie-refresh"] else "disabled"
    hours, seconds = divmod(options["cookie-expire"] // 1000, 3600)
    log(
        sys,
        "oauthproxy.go:178",
        f"Cookie settings: name:{options['cookie-name']} secure(https):{str(options['cookie-secure']).lower()} "
        f"httponly:{str(options['cookie-httponly']).lower()} expiry:{hours}h{seconds // 60}m{seconds % 60}s "
        f"domains:{','.join(options['cookie-domain'])} path:{options['cookie-path']} samesite:{options['cookie-samesite']} refresh:{refresh}",
    )
    host, _, port = options["http-address"].removeprefix("http://").rpartition(":")
    try:
        listen_on(proc, sys, [int(port) if port.isdigit() else 0], "127.0.0.1" if host == "localhost" else host or "0.0.0.0")
    except Errno as error:
        raise Fatal(f"ERROR: Failed to initialise OAuth2 Proxy: error setting up server: could not build app server: listen "
                    f"({options['http-address']}) failed: listen tcp {options['http-address']}: bind: {error.text.lower()}") from None


def provider_name(options: Data) -> str:
    """As the button and the log call it."""
    return str(options["provider-display-name"] or PROVIDERS.get(options["provider"], options["provider"]))


def _provider(proc: Process, sys: Sys) -> Data:
    """The provider's addresses, from options or from its discovery document. Raises Fatal; Blocked while it is asked."""
    options = proc["data"]["options"]
    failed = "ERROR: Failed to initialise OAuth2 Proxy: error initialising provider: "
    if options["provider"] not in PROVIDERS:
        raise Fatal(f'{failed}unknown provider type "{options["provider"]}"')
    given = {"login": options["login-url"], "redeem": options["redeem-url"], "keys": options["oidc-jwks-url"], "issuer": options["oidc-issuer-url"]}
    if options["provider"] == "google":
        return {**given, "login": given["login"] or "https://accounts.google.com/o/oauth2/auth?access_type=offline",
                "redeem": given["redeem"] or "https://www.googleapis.com/oauth2/v3/token", "issuer": given["issuer"] or "https://accounts.google.com"}
    failed += "could not create provider data: error building OIDC ProviderVerifier: "
    if not given["issuer"]:
        raise Fatal(f"{failed}invalid provider verifier options: missing required setting: issuer-url")
    if options["skip-oidc-discovery"]:
        return given
    failed += "could not get verifier builder: error while discovery OIDC configuration: "
    found = _discover(proc, sys, given["issuer"], failed)
    if found.get("issuer") != given["issuer"]:
        raise Fatal(f'{failed}oidc: issuer did not match the issuer returned by provider, expected "{given["issuer"]}" got "{found.get("issuer")}"')
    methods = found.get("code_challenge_methods_supported")
    if methods and not options["code-challenge-method"]:
        listed = json.dumps(methods).replace(",", "")
        told = f"Warning: Your provider supports PKCE methods {listed}, but you have not enabled one with --code-challenge-method"
        log(sys, "providers.go:151", told)
    names = {"login": "authorization_endpoint", "redeem": "token_endpoint", "keys": "jwks_uri"}
    ends = {name: given[name] or str(found.get(member) or "") for name, member in names.items()}
    if not all(oauth2_options.is_url(url) for url in ends.values()):
        raise Fatal(f"{failed}required setting not found in discovery document")
    return {**given, **ends}


def _discover(proc: Process, sys: Sys, issuer: str, failed: str) -> Data:
    """The discovery document. The program ends when it cannot be had: the kubelet starts it again."""
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    scheme, host, port, target = http.split_url(url)
    data = proc["data"]
    if "asking" not in data:
        data["asking"] = True
        log(sys, "provider.go:55", "Performing OIDC Discovery...")
    failed += "failed to discover OIDC configuration: error performing request: "
    addresses = [] if scheme != "http" else sockets.resolve(sys, host)[1]
    if not addresses:
        why = f"dial tcp: lookup {host} on 10.96.0.10:53: no such host" if scheme == "http" else "podlab: programs here speak no TLS"
        raise Fatal(f'{failed}Get "{url}": {why}')
    try:
        net_client.connect(proc, sys, addresses[0], port, connect_ms=30_000)
        named = host if port == 80 else f"{host}:{port}"
        request = http.request("GET", target, named, [("User-Agent", "Go-http-client/1.1"), ("Connection", "close")])
        found = net_client.exchange(proc, sys, request.text())
    except net_client.Failed as error:
        learned = {"error": error.errno or "EOF", "address": f"{addresses[0]}:{port}"}
        raise Fatal(f'{failed}Get "{url}": {go_error(learned)}') from None
    net_client.hang_up(proc, sys)
    if found.status != 200:
        raise Fatal(f'{failed.removesuffix("error performing request: ")}unexpected status "{found.status}": {found.body[:300]}')
    return json_object(found.body)
