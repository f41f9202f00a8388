"""Where a webhook is, of admission or of a conversion (apiserver/pkg/util/webhook/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import FieldError, show
from . import words
from .metadata import Errors, complain

Object = Mapping[str, Any]

URL_FORM = "; desired format: https://host[/path]"
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
PORT, BAD_ESCAPE = re.compile(r"(?::[0-9]*)?"), re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
ODD = re.compile(r"[ \\^`{}|]")  # letters that no host has (shouldEscape)
CONTROL = "net/url: invalid control character in URL"


def validate_client_config(config: Object, path: str, errors: Errors) -> None:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        errors.append(FieldError.required(path, "exactly one of url or service is required"))
    elif url is not None:
        _url(url, f"{path}.url", errors)
    elif service is not None:
        _service(service, f"{path}.service", errors)


def _fault(host: str, path: str) -> str:
    """What net/url's Parse says of a URL that is none; "" for one that is."""
    end = host.rfind("]")
    if host.startswith("[") and end < 0:
        return "missing ']' in host"
    port = host[end + 1:] if host.startswith("[") else host[host.rfind(":"):] if ":" in host else ""
    if not PORT.fullmatch(port):
        return f"invalid port {show(port)} after host"
    if odd := ODD.search(host):
        return f"invalid character {show(odd[0])} in host name"
    escape = BAD_ESCAPE.search(host) or BAD_ESCAPE.search(path)
    return f"invalid URL escape {show(escape[0])}" if escape else ""


def _url(url: str, path: str, errors: Errors) -> None:
    """ValidateWebhookURL."""
    whole, _, fragment = url.partition("#")
    whole, _, query = whole.partition("?")
    scheme, rest = (found[1].lower(), found[2]) if (found := SCHEME.match(whole)) else ("", whole)
    authority, _, target = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    user, _, host = authority.rpartition("@")
    if fault := CONTROL if any(letter < " " or letter == "\x7f" for letter in url) else _fault(host, target):
        errors.append(FieldError.required(path, f"url must be a valid URL: parse {show(url)}: {fault}{URL_FORM}"))
        return
    if scheme != "https":
        errors.append(FieldError.invalid(path, scheme, "'https' is the only allowed URL scheme" + URL_FORM))
    if not host:
        errors.append(FieldError.invalid(path, host, "host must be specified" + URL_FORM))
    for value, what in ((user, "user information is"), (fragment, "fragments are"), (query, "query parameters are")):
        if value:
            errors.append(FieldError.invalid(path, value, f"{what} not permitted in the URL"))


def _service(service: Object, path: str, errors: Errors) -> None:
    """ValidateWebhookService."""
    for member in ("name", "namespace"):
        if not service.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
    if complaints := words.bad_port(service.get("port", 443)):
        errors.append(FieldError.invalid(f"{path}.port", service["port"], "port is not valid: " + ",".join(complaints)))
    target = service.get("path") or "/"
    if target == "/":
        return
    if target == "//":
        errors.append(FieldError.invalid(f"{path}.path", target, "segment[0] may not be empty"))
        return
    if not target.startswith("/"):
        errors.append(FieldError.invalid(f"{path}.path", target, "must start with a '/'"))
    for i, step in enumerate(target[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(FieldError.invalid(f"{path}.path", target, f"segment[{i}] may not be empty"))
        else:
            complain(errors, f"{path}.path", target, [f"segment[{i}]: {complaint}" for complaint in words.bad_subdomain(step)])
