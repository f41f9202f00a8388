"""oauth2-proxy's options: flags, OAUTH2_PROXY_* variables and the configuration file, their defaults and what validation says of them.

Source: oauth2-proxy.github.io/oauth2-proxy/configuration/overview (7.x) and pkg/validation. A flag goes before a variable, a variable
before the file. In variables and in the file some names are plural where the flag is not (--upstream, OAUTH2_PROXY_UPSTREAMS, upstreams).
"""

from __future__ import annotations

import binascii
import re
import tomllib
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...times import parse_go_duration
from ..linear import compiled
from ..process import Data, Errno
from ..system import Sys

FILE_MAX = 60_000  # characters of a configuration file


class Fatal(Exception):
    """oauth2-proxy's last words: `[main.go:59] ` and this text."""


@dataclass(frozen=True)
class Option:
    """`kind`: text, flag, list or duration (virtual ms). `key`: its name in the file and, in capitals, in the environment."""

    kind: str
    default: Any = ""
    key: str = ""


OPTIONS: dict[str, Option] = {
    "allowed-group": Option("list", key="allowed_groups"),
    "api-route": Option("list", key="api_routes"),
    "approval-prompt": Option("text", "force"),
    "auth-logging": Option("flag", True),
    "authenticated-emails-file": Option("text"),
    "banner": Option("text"),
    "basic-auth-password": Option("text"),
    "bearer-token-login-fallback": Option("flag", True),
    "client-id": Option("text"),
    "client-secret": Option("text"),
    "client-secret-file": Option("text"),
    "code-challenge-method": Option("text"),
    "config": Option("text"),
    "cookie-domain": Option("list", key="cookie_domains"),
    "cookie-expire": Option("duration", 168 * 3_600_000),
    "cookie-httponly": Option("flag", True),
    "cookie-name": Option("text", "_oauth2_proxy"),
    "cookie-path": Option("text", "/"),
    "cookie-refresh": Option("duration", 0),
    "cookie-samesite": Option("text"),
    "cookie-secret": Option("text"),
    "cookie-secret-file": Option("text"),
    "cookie-secure": Option("flag", True),
    "email-domain": Option("list", key="email_domains"),
    "footer": Option("text"),
    "force-json-errors": Option("flag"),
    "http-address": Option("text", "127.0.0.1:4180"),
    "insecure-oidc-allow-unverified-email": Option("flag"),
    "login-url": Option("text"),
    "oidc-email-claim": Option("text", "email"),
    "oidc-extra-audience": Option("list", key="oidc_extra_audiences"),
    "oidc-groups-claim": Option("text", "groups"),
    "oidc-issuer-url": Option("text"),
    "oidc-jwks-url": Option("text"),
    "pass-access-token": Option("flag"),
    "pass-authorization-header": Option("flag"),
    "pass-basic-auth": Option("flag", True),
    "pass-host-header": Option("flag", True),
    "pass-user-headers": Option("flag", True),
    "ping-path": Option("text", "/ping"),
    "prompt": Option("text"),
    "provider": Option("text", "google"),
    "provider-display-name": Option("text"),
    "proxy-prefix": Option("text", "/oauth2"),
    "ready-path": Option("text", "/ready"),
    "redeem-url": Option("text"),
    "redirect-url": Option("text"),
    "request-logging": Option("flag", True),
    "reverse-proxy": Option("flag"),
    "scope": Option("text"),
    "session-store-type": Option("text", "cookie"),
    "set-authorization-header": Option("flag"),
    "set-xauthrequest": Option("flag"),
    "silence-ping-logging": Option("flag"),
    "skip-auth-preflight": Option("flag"),
    "skip-auth-regex": Option("list"),
    "skip-auth-route": Option("list", key="skip_auth_routes"),
    "skip-auth-strip-headers": Option("flag", True),
    "skip-jwt-bearer-tokens": Option("flag"),
    "skip-oidc-discovery": Option("flag"),
    "skip-provider-button": Option("flag"),
    "ssl-insecure-skip-verify": Option("flag"),
    "standard-logging": Option("flag", True),
    "upstream": Option("list", key="upstreams"),
    "whitelist-domain": Option("list", key="whitelist_domains"),
}
PREFIX = "OAUTH2_PROXY_"


def key_of(name: str) -> str:
    return OPTIONS[name].key or name.replace("-", "_")


BY_KEY = {key_of(name): name for name in OPTIONS}


def read(sys: Sys, arguments: list[str], env: dict[str, str]) -> Data:
    """All options by flag name. Raises Fatal."""
    flags = _flags(arguments)
    path = flags.get("config") or env.get(PREFIX + "CONFIG", "")
    found = {**_file(sys, str(path)), **_environment(env), **flags} if path else {**_environment(env), **flags}
    options: Data = {}
    for name, option in OPTIONS.items():
        default = list(option.default) if option.kind == "list" else bool(option.default) if option.kind == "flag" else option.default
        options[name] = found.get(name, default)
    return options


def _flags(arguments: list[str]) -> Data:
    found: Data = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            continue  # pflag keeps what is no flag; oauth2-proxy never looks at it
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--"):
            raise Fatal(f"ERROR: failed to parse flags: unknown shorthand flag: '{word[1:2]}' in {word}")
        option = OPTIONS.get(name)
        if option is None:
            raise Fatal(f"ERROR: failed to parse flags: unknown flag: --{name}")
        if option.kind == "flag":
            if equals and value not in ("true", "false", "1", "0", "t", "f", "TRUE", "FALSE", "True", "False"):
                raise Fatal(f'ERROR: failed to parse flags: invalid argument "{value}" for "--{name}" flag: '
                            f'strconv.ParseBool: parsing "{value}": invalid syntax')
            found[name] = not equals or value.lower() in ("true", "1", "t")
            continue
        if not equals:
            if not words:
                raise Fatal(f"ERROR: failed to parse flags: flag needs an argument: --{name}")
            value = words.pop(0)
        if option.kind == "list":
            found.setdefault(name, []).extend(_split(value) if name not in ("skip-auth-route", "skip-auth-regex") else [value])
        else:
            found[name] = _value(name, option, value)
    return found


def _split(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


def _value(name: str, option: Option, value: Any) -> Any:
    if option.kind == "flag":
        return value if isinstance(value, bool) else str(value).lower() in ("true", "1", "t")
    if option.kind == "list":
        return [str(one) for one in value] if isinstance(value, list) else _split(str(value))
    if option.kind == "duration":
        try:
            return parse_go_duration(str(value))
        except ValueError as error:
            raise Fatal(f'ERROR: failed to parse flags: invalid argument "{value}" for "--{name}" flag: {error}') from None
    return str(value)


def _environment(env: dict[str, str]) -> Data:
    """Variables that no option has are ignored, as viper does: a singular name is the usual mistake."""
    found: Data = {}
    for key, name in BY_KEY.items():
        value = env.get(PREFIX + key.upper())
        if value is not None and value != "":
            found[name] = _value(name, OPTIONS[name], value)
    return found


def _file(sys: Sys, path: str) -> Data:
    try:
        text = sys.read_file(path)
    except Errno as error:
        raise Fatal(f"ERROR: failed to load config: unable to load config file: open {path}: {error.text.lower()}") from None
    try:
        told = tomllib.loads(text[:FILE_MAX])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Fatal(f"ERROR: failed to load config: unable to load config file: While parsing config: toml: {error}") from None
    unknown = sorted(key for key in told if key not in BY_KEY)
    if unknown:
        raise Fatal("ERROR: failed to load config: error unmarshalling config: decoding failed due to the following error(s):\n\n"
                    f"'' has invalid keys: {', '.join(unknown)}")
    return {BY_KEY[key]: _value(BY_KEY[key], OPTIONS[BY_KEY[key]], value) for key, value in told.items()}


def secret_bytes(secret: str) -> bytes:
    """pkg/encryption SecretBytes: base64 (URL alphabet) of 16, 24 or 32 bytes is decoded, anything else is taken as it stands."""
    try:
        found = urlsafe_b64decode(secret.rstrip("=") + "=" * (-len(secret.rstrip("=")) % 4)) if re.fullmatch(r"[\w-]+=*", secret) else b""
    except (binascii.Error, ValueError):
        found = b""
    return found if len(found) in (16, 24, 32) else secret.encode("utf-8", "surrogateescape")


def validate(sys: Sys, options: Data) -> None:
    """Raises Fatal with all that is wrong; reads the files that options name."""
    wrong = [*_secrets(sys, options)]
    for name in ("skip-auth-regex", "skip-auth-route", "api-route"):
        for text in options[name]:
            pattern = route(text)[1] if name == "skip-auth-route" else text
            try:
                compiled(pattern)
            except re.error as error:
                wrong.append(f"error compiling regex /{pattern}/: {error}")
    for name in ("oidc-issuer-url", "login-url", "redeem-url", "oidc-jwks-url", "redirect-url"):
        if options[name] and not is_url(options[name]):
            wrong.append(f'error parsing {name.removesuffix("-url")}-url="{options[name]}"')
    for upstream in options["upstream"]:
        if not is_url(upstream):
            wrong.append(f'error parsing upstream: "{upstream}"')
        elif urlsplit(upstream).scheme not in ("http", "https", "static", "file", "unix"):
            wrong.append(f'upstream "{upstream}" has invalid scheme: "{urlsplit(upstream).scheme}"')
    if options["session-store-type"] not in ("cookie", "redis"):
        wrong.append(f"unable to initialise session store: unknown session store type '{options['session-store-type']}'")
    if options["cookie-samesite"] not in ("", "none", "lax", "strict"):
        wrong.append(f"cookie_samesite (\"{options['cookie-samesite']}\") must be one of ['', 'lax', 'strict', 'none']")
    if options["cookie-refresh"] and options["cookie-refresh"] >= options["cookie-expire"]:
        wrong.append("cookie_refresh must be less than cookie_expire")
    if wrong:
        raise Fatal("invalid configuration:\n  " + "\n  ".join(wrong))


def is_url(text: str) -> bool:
    """Whether it can be asked: a scheme, and a port that is a number."""
    try:
        parts = urlsplit(text)
        return bool(parts.scheme) and (parts.port or 1) > 0
    except ValueError:
        return False


def _secrets(sys: Sys, options: Data) -> list[str]:
    wrong = []
    for name in ("cookie-secret", "client-secret"):
        if options[f"{name}-file"] and not options[name]:
            try:
                options[name] = sys.read_file(options[f"{name}-file"])
            except Errno:
                wrong.append(f"could not read {name.replace('-', ' ')} file: {options[f'{name}-file']}")
                options[name] = "?" * 16
    if not options["cookie-secret"]:
        wrong.append("missing setting: cookie-secret or cookie-secret-file")
    elif len(secret_bytes(options["cookie-secret"])) not in (16, 24, 32):
        length = len(secret_bytes(options["cookie-secret"]))
        wrong.append(f"cookie_secret must be 16, 24, or 32 bytes to create an AES cipher, but is {length} bytes")
    if not options["client-id"]:
        wrong.append("provider missing setting: client-id")
    if not options["client-secret"]:
        wrong.append("missing setting: client-secret or client-secret-file")
    if not options["email-domain"] and not options["authenticated-emails-file"]:
        wrong.append("missing setting for email validation: email-domain or authenticated-emails-file required.\n"
                     "      use email-domain=* to authorize all email addresses")
    if options["skip-oidc-discovery"]:
        wrong += [f"missing setting: {name}" for name in ("login-url", "redeem-url", "oidc-jwks-url") if not options[name]]
    return wrong


def route(text: str) -> tuple[str, str]:
    """(method or "", pattern) of `GET=^/health$`, `POST!=^/x` or `^/health$` ("!" stays in front of the method)."""
    found = re.match(r"([A-Z]+)(!?)=", text)
    return (found[2] + found[1], text[found.end() :]) if found else ("", text)
