"""What a browser does between its address bar and its page: cookies, redirects, history. No page is rendered here.

    browser = Browser(visit, connect, now)      one tab
    await browser.go("http://localhost:8080/")  follows redirects; `browser.hops` tells each request on the way
    browser.page                                 what there is to show
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from podlab.kubernetes.runtime import dns, http
from podlab.labs.webpage import URL_MAX, is_web, joined

REDIRECTS = 20  # Chrome's net::URLRequest kMaxRedirects
HISTORY_MAX = 50
COOKIES_MAX = 60  # of one tab; the oldest go first
COOKIE_MAX = 4_096  # characters of name and value, RFC 6265bis 5.5
BODY_MAX = 20_000  # characters of a form
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) PodLab"
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HERE = ("localhost", "127.0.0.1", "[::1]", "::1")

Result = dict[str, Any]
Visit = Callable[[dict[str, Any]], Awaitable[Result]]
"""A journaled request into the cluster (Network.visit's arguments), and what came of it."""
Connect = Callable[[int], "dict[str, Any] | None"]
"""Where a port of the learner's machine leads: {"uid", "port"} of a port-forward, or None."""


@dataclass(frozen=True)
class Cookie:
    name: str
    value: str
    host: str
    path: str
    whole: bool = False  # Domain was given: subdomains get it too
    until: int | None = None  # virtual ms; None: while the tab is open
    secure: bool = False
    httponly: bool = False
    samesite: str = "lax"


@dataclass
class Hop:
    """One request and its answer. `error`: why there was none, in the network's words."""

    method: str
    url: str
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    ms: int = 0
    error: str = ""
    sent: list[str] = field(default_factory=list)  # names of the cookies that went along
    stored: list[str] = field(default_factory=list)  # names of the cookies that came and were kept
    refused: list[tuple[str, str]] = field(default_factory=list)  # (name, why) of those that were not

    @property
    def reason(self) -> str:
        return http.REASONS.get(self.status, "")

    @property
    def location(self) -> str:
        """Where it redirects to; "" when it does not."""
        return self.header("location") if self.status in (301, 302, 303, 307, 308) else ""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class Jar:
    """The cookies of a tab, as RFC 6265bis keeps them. A port makes no difference, as in every browser."""

    def __init__(self) -> None:
        self.cookies: list[Cookie] = []

    def take(self, text: str, url: str, now: int) -> tuple[str, str]:
        """Keep the cookie of a Set-Cookie header: (its name, "" or why it was not kept)."""
        pair, *rest = text.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        parts = urlsplit(url)
        host = parts.hostname or ""
        given = {key.strip().lower(): told.strip() for key, _, told in (one.partition("=") for one in rest)}
        if not equals or not name or len(name) + len(value) > COOKIE_MAX:
            return name[:40], "너무 길거나 이름이 없습니다"
        domain = given.get("domain", "").lstrip(".").lower()
        if domain and domain != host and (dns.is_address(host) or not host.endswith("." + domain)):
            return name, f"{host}의 것이 아닌 Domain={domain}입니다"
        safe = parts.scheme == "https" or host in HERE
        if "secure" in given and not safe:
            return name, "Secure 쿠키인데 https가 아닙니다"
        samesite = given.get("samesite", "lax").lower()
        if samesite == "none" and "secure" not in given:
            return name, "SameSite=None에는 Secure가 있어야 합니다"
        path = given.get("path", "")
        folder = parts.path.rpartition("/")[0]
        cookie = Cookie(name, value, domain or host, path if path.startswith("/") else folder or "/", bool(domain), _until(given, now),
                        "secure" in given, "httponly" in given, samesite)
        self.cookies = [one for one in self.cookies if (one.name, one.host, one.path) != (cookie.name, cookie.host, cookie.path)]
        if cookie.until is None or cookie.until > now:
            self.cookies = [*self.cookies, cookie][-COOKIES_MAX:]
        return name, ""

    def of(self, url: str, now: int, *, method: str = "GET", source: str = "") -> list[Cookie]:
        """What goes along with a request; `source`: the host of the page that it comes from, "" for the address bar."""
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path or "/"
        self.cookies = [one for one in self.cookies if one.until is None or one.until > now]
        foreign = bool(source) and source != host
        return sorted(
            (
                one
                for one in self.cookies
                if (host == one.host or (one.whole and host.endswith("." + one.host)))
                and (path == one.path or path.startswith(one.path.rstrip("/") + "/"))
                and not (one.secure and parts.scheme != "https" and host not in HERE)
                and not (foreign and (one.samesite == "strict" or (one.samesite == "lax" and method != "GET")))
            ),
            key=lambda one: -len(one.path),
        )


def _until(given: dict[str, str], now: int) -> int | None:
    """Virtual ms when a cookie ends, by Max-Age or Expires."""
    age = given.get("max-age", "")
    if age.lstrip("-").isdigit():
        return now + min(int(age[:12]), 400 * 86_400) * 1000
    try:
        return int(parsedate_to_datetime(given["expires"]).timestamp() * 1000) if "expires" in given else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def tidy(text: str) -> str:
    """What somebody typed in the address bar, as an address; "" when it is none."""
    text = text.strip()
    url = text if "://" in text else f"http://{text}"
    if not is_web(url):
        return ""
    parts = urlsplit(url)
    return parts._replace(path=parts.path or "/", fragment="").geturl()


class Browser:
    """One tab: where it is, where it was, its cookies, and the requests of the last navigation."""

    def __init__(self, visit: Visit, connect: Connect, now: Callable[[], int]) -> None:
        self._visit, self._connect, self._now = visit, connect, now
        self.jar = Jar()
        self.history: list[str] = []
        self.at = -1
        self.hops: list[Hop] = []
        self.looped = False  # given up after too many redirects

    @property
    def page(self) -> Hop | None:
        """The last answer."""
        return self.hops[-1] if self.hops else None

    @property
    def url(self) -> str:
        return self.history[self.at] if self.history else ""

    async def go(self, url: str, method: str = "GET", body: str = "", *, source: str = "", keep: bool = True) -> None:
        """To an address (`tidy` has seen it), over its redirects. `keep`: a new entry of the history. `source`: the page that leads there."""
        origin = urlsplit(source).hostname or "" if source else ""
        self.hops, self.looped = [], False
        while True:
            hop = await self._ask(url, method, body, origin)
            self.hops = [*self.hops, hop]
            where = joined(url, hop.location) if hop.location else ""
            if not where:
                break
            if len(self.hops) > REDIRECTS:
                self.looped = True
                break
            if hop.status == 303 or (hop.status in (301, 302) and method == "POST"):
                method, body = "GET", ""
            url = where
        if keep and url != self.url:
            self.history = [*self.history[: self.at + 1], url][-HISTORY_MAX:]
            self.at = len(self.history) - 1
        elif self.history:
            self.history[self.at] = url
        else:
            self.history, self.at = [url], 0

    async def step(self, by: int) -> None:
        """Back (-1), forward (1) or once more (0)."""
        if 0 <= self.at + by < len(self.history):
            self.at += by
            await self.go(self.url, keep=False)

    async def _ask(self, url: str, method: str, body: str, source: str) -> Hop:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        hop = Hop(method, url)
        if parts.scheme == "https":
            hop.error = "TLS"
            return hop
        cookies = self.jar.of(url, self._now(), method=method, source=source)
        hop.sent = [one.name for one in cookies]
        headers = [["User-Agent", AGENT], ["Accept", ACCEPT], ["Accept-Language", "ko-KR,ko;q=0.9"]]
        if cookies:
            headers.append(["Cookie", "; ".join(f"{one.name}={one.value}" for one in cookies)])
        if method == "POST":
            headers += [["Content-Type", "application/x-www-form-urlencoded"], ["Origin", f"http://{source}" if source else "null"]]
        visit: dict[str, Any] = {"url": url[:URL_MAX], "method": method, "headers": headers, "body": body[:BODY_MAX]}
        if host in HERE:
            to = self._connect(port)
            if to is None:
                hop.error = "ECONNREFUSED"
                return hop
            visit.update(url=parts._replace(netloc=f"127.0.0.1:{to['port']}").geturl(), pod=to["uid"], headers=[["Host", parts.netloc], *headers])
        result = await self._visit(visit)
        hop.error, hop.ms = result["error"], result.get("ms", 0)
        if not hop.error:
            hop.status, hop.body = result["status"], result["body"]
            hop.headers = [(name, value) for name, value in result["headers"]]
            for name, value in hop.headers:
                if name.lower() == "set-cookie":
                    named, why = self.jar.take(value, url, self._now())
                    if why:
                        hop.refused.append((named, why))
                    else:
                        hop.stored.append(named)
        return hop
