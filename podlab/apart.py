"""Which addresses of the site are the Kubernetes API's: whoever serves or routes asks here."""

from typing import Any

ROOTS = ("api", "apis", "openapi", "version", "healthz", "livez", "readyz", "openid")  # what the API serves at the site's root too
HELD = ("exec", "attach", "portforward")  # last words of addresses
CONFIGURATION = "/.well-known/openid-configuration"


def of_api(path: str) -> bool:
    """/k8s/<token>/..., or a path of a server that is told the token in a header."""
    return path.startswith("/k8s/") or path[1:].partition("/")[0] in ROOTS or path == CONFIGURATION


def wants_line(scope: dict[str, Any]) -> bool:
    """Whether a request of the API asks to go on in SPDY (IsUpgradeRequest, apimachinery/pkg/util/httpstream), as what is held open may."""
    headers = {name: value.lower() for name, value in scope["headers"]}
    return scope["path"].rpartition("/")[2] in HELD and b"upgrade" in headers.get(b"connection", b"") and b"spdy/3.1" in headers.get(b"upgrade", b"")
