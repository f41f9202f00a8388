"""Which addresses of the site are the Kubernetes API's: whoever serves or routes asks here."""

ROOTS = ("api", "apis", "openapi", "version", "healthz", "livez", "readyz", "openid")  # what the API serves at the site's root too
CONFIGURATION = "/.well-known/openid-configuration"


def of_api(path: str) -> bool:
    """/k8s/<token>/..., or a path of a server that is told the token in a header."""
    return path.startswith("/k8s/") or path[1:].partition("/")[0] in ROOTS or path == CONFIGURATION
