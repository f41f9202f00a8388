"""Envoy's route table: which virtual host and route a request takes, and what is done to its headers on the way.

Source: the pages on HTTP routing and header manipulation of Envoy's documentation, and the route API (config.route.v3).
"""

from __future__ import annotations

from .. import http
from ..process import Data
from ..system import Sys
from .envoy_config import regex_matches, string_matches

HOP_BY_HOP = ("connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "te")
REDIRECTS = {"MOVED_PERMANENTLY": 301, "FOUND": 302, "SEE_OTHER": 303, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308}


def virtual_host(config: Data, authority: str) -> Data | None:
    """By the Host header: an exact domain, then the longest `*.suffix`, then the longest `prefix.*`, then `*`."""
    authority = authority.lower()
    if config.get("ignore_port_in_host_matching"):
        authority = authority.partition(":")[0]
    best: tuple[int, int, Data] | None = None
    for host in config.get("virtual_hosts", []):
        for domain in (one.lower() for one in host.get("domains", [])):
            if domain == authority:
                rank = (3, 0)
            elif domain == "*":
                rank = (0, 0)
            elif domain.startswith("*") and authority.endswith(domain[1:]):
                rank = (2, len(domain))
            elif domain.endswith("*") and authority.startswith(domain[:-1]):
                rank = (1, len(domain))
            else:
                continue
            if best is None or rank > best[:2]:
                best = (*rank, host)
    return best[2] if best else None


def route(host: Data, request: http.Message) -> Data | None:
    """The first route of a virtual host that matches."""
    return next((one for one in host.get("routes", []) if _matches(one["match"], request)), None)


def _matches(match: Data, request: http.Message) -> bool:
    path = request.path
    folded = (lambda text: text) if match.get("case_sensitive", True) else str.lower
    if "path" in match:
        fits = folded(path) == folded(match["path"])
    elif "safe_regex" in match:
        fits = regex_matches(match["safe_regex"], path)
    elif "path_separated_prefix" in match:
        fits = path == match["path_separated_prefix"] or path.startswith(match["path_separated_prefix"] + "/")
    else:
        fits = folded(request.target).startswith(folded(match.get("prefix", "/")))
    if not fits or not all(header_matches(one, request) for one in match.get("headers", [])):
        return False
    if "query_parameters" not in match:
        return True
    query = dict(pair.partition("=")[::2] for pair in request.target.partition("?")[2].split("&") if pair)
    return all(_query_matches(one, query) for one in match["query_parameters"])


def _query_matches(one: Data, query: dict[str, str]) -> bool:
    if one["name"] not in query:
        return not one.get("present_match", True)
    return string_matches(one["string_match"], query[one["name"]]) if "string_match" in one else bool(one.get("present_match", True))


def header_matches(one: Data, request: http.Message) -> bool:
    """A HeaderMatcher's verdict."""
    name = one.get("name", "").lower()
    pseudo = {":method": request.method, ":path": request.target, ":authority": request.get("host")}
    value = pseudo.get(name) if name in pseudo else next((text for key, text in request.headers if key.lower() == name), None)
    if value is None and one.get("treat_missing_header_as_empty"):
        value = ""
    how = next((key for key in ("exact", "prefix", "suffix", "contains") if f"{key}_match" in one), "")
    if value is None:
        found = one.get("present_match") is False
    elif how:
        found = string_matches({how: one[f"{how}_match"]}, value)
    elif "safe_regex_match" in one:
        found = string_matches({"safe_regex": one["safe_regex_match"]}, value)
    elif "string_match" in one:
        found = string_matches(one["string_match"], value)
    else:
        found = bool(one.get("present_match", True))
    return found != bool(one.get("invert_match"))


def target_cluster(action: Data, sys: Sys) -> str:
    """The cluster of a route action; a weighted one by lot."""
    if "weighted_clusters" not in action:
        return str(action.get("cluster", ""))
    choices = action["weighted_clusters"].get("clusters", [])
    total = sum(one.get("weight", 0) for one in choices)
    lot = sys.random(total) if total else 0
    for one in choices:
        lot -= one.get("weight", 0)
        if lot < 0:
            return str(one["name"])
    return str(choices[-1]["name"]) if choices else ""


def rewritten(target: str, match: Data, action: Data) -> str:
    """The path and query that go on."""
    path, mark, query = target.partition("?")
    if "prefix_rewrite" in action:
        prefix = match.get("prefix") or match.get("path") or match.get("path_separated_prefix") or ""
        path = action["prefix_rewrite"] + path[len(prefix) :]
    return path + mark + query


def redirect(request: http.Message, authority: str, found: Data, scheme: str) -> tuple[int, str]:
    """(status, location) of a redirect action."""
    scheme = "https" if found.get("https_redirect") else found.get("scheme_redirect", scheme)
    host, colon, port = authority.partition(":")
    host = found.get("host_redirect", host)
    if "port_redirect" in found:
        colon, port = ":", str(found["port_redirect"])
    path, mark, query = request.target.partition("?")
    if "path_redirect" in found:
        path, more, other = found["path_redirect"].partition("?")
        mark, query = (more, other) if more else (mark, query)
    elif "prefix_rewrite" in found:
        path = found["prefix_rewrite"] + path[len(found.get("prefix", "")) :]
    if found.get("strip_query"):
        mark, query = "", ""
    return REDIRECTS[found.get("response_code", "MOVED_PERMANENTLY")], f"{scheme}://{host}{colon}{port}{path}{mark}{query}"


def change_headers(headers: list[tuple[str, str]], scopes: list[Data], kind: str) -> list[tuple[str, str]]:
    """`kind`_headers_to_remove and _to_add of a route, its virtual host and the table, in that order."""
    for scope in scopes:
        removed = [name.lower() for name in scope.get(f"{kind}_headers_to_remove", [])]
        headers = [(name, value) for name, value in headers if name not in removed]
        for one in scope.get(f"{kind}_headers_to_add", []):
            name, value = one["header"].get("key", "").lower(), one["header"].get("value", "")
            how = one.get("append_action") or ("OVERWRITE_IF_EXISTS_OR_ADD" if one.get("append") is False else "APPEND_IF_EXISTS_OR_ADD")
            has = any(key == name for key, _ in headers)
            if (how == "ADD_IF_ABSENT" and has) or (how == "OVERWRITE_IF_EXISTS" and not has):
                continue
            if how.startswith("OVERWRITE"):
                headers = [(key, text) for key, text in headers if key != name]
            headers.append((name, value))
    return headers


def retry_fits(policy: Data, kind: str, status: int) -> bool:
    """Whether a retry policy's conditions name this end of a try. `kind` as in forwarding.Gateway.ended."""
    silent, unmade = kind != "response", kind in ("connect", "connect-timeout", "tls")
    for condition in policy.get("retry_on", "").replace(" ", "").split(","):
        if (
            (condition == "5xx" and (silent or status >= 500))
            or (condition == "gateway-error" and (silent or status in (502, 503, 504)))
            or (condition in ("reset", "reset-before-request") and silent)
            or (condition == "connect-failure" and unmade)
            or (condition == "retriable-4xx" and status == 409)
            or (condition == "retriable-status-codes" and status in policy.get("retriable_status_codes", ()))
        ):
            return True
    return False
