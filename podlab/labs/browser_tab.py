"""The browser tab of one lab page: navigations as tasks of their own, and what the page is sent of them.

A navigation may take long (nobody answers, or the clock stands still), so it never holds up the page's other acts. Each request goes
through the journal like any other act on the cluster; a new navigation, or 멈추기, gives the old one up.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core.cache import caches
from django.template.loader import render_to_string
from django.urls import reverse

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.labs import access, limits, webpage
from podlab.labs.browsing import BODY_MAX, HERE, Browser, Hop, tidy
from podlab.labs.live import LiveCluster
from podlab.labs.storage import Fenced
from podlab.labs.terminal import TerminalSession
from podlab.projection.korean import josa

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.05  # seconds between two looks at whether an answer has come
KEPT_SECONDS = 300  # a page waits so long to be fetched by its frame
FAILED = {"ok": False, "error": "ECONNRESET", "ms": 0}
SHOWN_HEADER = 600  # characters of a header's value


@dataclass(frozen=True)
class Failure:
    """What a browser shows instead of a page."""

    title: str
    text: str
    code: str
    hint: str = ""


class BrowserTab:
    """Made for a page that is open; call from the event loop, outside turns."""

    def __init__(self, lesson: str, learner: Any, channel: str, terminal: Callable[[], TerminalSession], changed: Callable[[], None]) -> None:
        self._lesson, self._learner, self._terminal, self._changed = lesson, learner, terminal, changed
        self.by = ""  # who acts, where several people share the cluster
        self.relay = reverse("browser-relay", args=[lesson, access.browser_token(channel)])
        self.browser = Browser(self._visit, self._connect, lambda: self._live.engine.now)
        self._task: asyncio.Task[None] | None = None
        self._number, self._sent = 0, -1
        self._frame, self._page = "", webpage.Safe()
        self._loading = self._kept = ""
        self._writes: tuple[LiveCluster, limits.Writes] | None = None

    @property
    def _live(self) -> LiveCluster:
        return self._terminal().live

    # ---- acts

    def open(self, text: Any) -> None:
        """What was typed in the address bar, or clicked in the diagram."""
        url = tidy(limits.text(text, webpage.URL_MAX))
        if url:
            self._start(url, lambda: self.browser.go(url))
        else:
            self._start(text[:200], lambda: self._show_bad(text[:200]))

    def follow(self, event: dict[str, Any]) -> None:
        """A link or a form of the page in the frame."""
        url, method, body = str(event.get("u", "")), event.get("m"), str(event.get("body", ""))
        source = self.browser.page.url if self.browser.page else ""
        if not webpage.is_web(url) or len(body) > BODY_MAX:
            return
        if method == "get":  # a form that asks: its fields become the query
            url = urlsplit(url)._replace(query=urlencode(parse_qsl(body, keep_blank_values=True))).geturl()
        if method == "post":
            self._start(url, lambda: self.browser.go(url, "POST", body, source=source))
        else:
            self._start(url, lambda: self.browser.go(url, source=source))

    def step(self, by: int) -> None:
        """Back (-1), forward (1), once more (0)."""
        if 0 <= self.browser.at + by < len(self.browser.history):
            self._start(self.browser.history[self.browser.at + by], lambda: self.browser.step(by))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._loading = ""
        self._touch()

    def forget_cookies(self) -> None:
        self.browser.jar.cookies.clear()
        self._touch()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    # ---- navigating

    def _start(self, url: str, going: Callable[[], Awaitable[None]]) -> None:
        self.close()
        self._loading = url
        self._touch()
        self._task = asyncio.get_running_loop().create_task(self._run(url, going))

    async def _show_bad(self, text: str) -> None:
        self.browser.hops = [Hop("GET", text, error="URL")]

    async def _run(self, url: str, going: Callable[[], Awaitable[None]]) -> None:
        try:
            await going()
            await self._render()
        except Exception:  # a page that we stumble over is one that did not come, and the tab goes on
            logger.exception("A page could not be opened")
            self.browser.hops, self._frame, self._page = [Hop("GET", url, error="ECONNRESET")], "", webpage.Safe()
        self._loading = ""
        self._touch()

    def _touch(self) -> None:
        self._number += 1
        self._changed()

    def _connect(self, port: int) -> dict[str, Any] | None:
        terminal = self._terminal()
        to = terminal.laptop.connect(port)
        terminal.collect()
        return to

    async def _visit(self, visit: dict[str, Any]) -> dict[str, Any]:
        """One journaled request, awaited in virtual time. A cluster that was wound back meanwhile knows nothing of it."""
        live = self._live
        try:
            number = await asyncio.shield(self._submit(live, visit))  # what was applied is written down, even if nobody waits any more
            while True:
                async with live.turn(quiet=True):
                    visits = live.engine.network.state["visits"]
                    if number not in visits:
                        return FAILED
                    if visits[number] is not None:
                        return dict(visits[number])
                await asyncio.sleep(LOOK_EVERY)
        except (ApiError, Fenced):
            return FAILED

    async def _submit(self, live: LiveCluster, visit: dict[str, Any]) -> Any:
        if self._writes is None or self._writes[0] is not live:
            self._writes = live, limits.Writes(live.apply, full=live.full)
        async with live.turn(by=self.by):
            return self._writes[1]({"do": "visit", **visit})

    async def _render(self) -> None:
        """The page of the last answer, made harmless, where its frame can fetch it."""
        hop, pages = self.browser.page, caches["pages"]
        self._frame, self._page = "", webpage.Safe()
        if self._kept:  # one page a tab: a large one is a megabyte
            await pages.adelete(self._kept)
        if hop is None or failure_of(hop, self.browser.looped) is not None:
            return
        kind = hop.header("content-type").partition(";")[0].strip().lower()
        is_html = kind in ("text/html", "application/xhtml+xml") or (not kind and hop.body.lstrip()[:1] == "<")
        self._page = webpage.safe(hop.body, hop.url, self.relay) if is_html else webpage.plain(hop.body)
        key = secrets.token_urlsafe(12)
        self._kept = access.browser_page_key(self._learner, key)
        await pages.aset(self._kept, [self._page.html, self.relay], KEPT_SECONDS)
        self._frame = reverse("browser-page", args=[self._lesson, key])

    # ---- what the page shows

    def forget(self) -> None:
        """Send everything again."""
        self._sent = -1

    def fragments(self) -> list[str]:
        if self._sent == self._number:
            return []
        self._sent = self._number
        browser, hop = self.browser, self.browser.page
        failure = failure_of(hop, browser.looped) if hop else None
        return [render_to_string("labs/_browser.html", {
            "number": self._number, "url": self._loading or (hop.url if hop else ""), "loading": self._loading, "paused": not self._live.rate,
            "frame": self._frame,
            "back": browser.at > 0, "forward": browser.at + 1 < len(browser.history), "failure": failure, "hop": hop, "page": self._page,
            "hops": [_told(one) for one in browser.hops], "told": _summary(hop, failure, self._page, len(browser.hops)),
            "headers": [(name, value[:SHOWN_HEADER]) for name, value in hop.headers] if hop else [],
            "cookies": [{"name": one.name, "value": one.value, "where": one.host + one.path, "marks": _marks(one)} for one in browser.jar.cookies],
        })]


def _told(hop: Hop) -> dict[str, Any]:
    failure = failure_of(hop, False) if hop.error else None
    return {"hop": hop, "failure": failure, "mood": "bad" if hop.error or hop.status >= 500 else "warn" if hop.status >= 400 else
            "on" if hop.location else "good", "location": hop.location}


def _marks(cookie: Any) -> str:
    marks = [name for name, on in (("HttpOnly", cookie.httponly), ("Secure", cookie.secure)) if on]
    return ", ".join([*marks, f"SameSite={cookie.samesite.capitalize()}"])


def _summary(hop: Hop | None, failure: Failure | None, page: webpage.Safe, hops: int) -> str:
    """One line for the status, which is read aloud."""
    if hop is None:
        return ""
    way = f" 리디렉션을 {hops - 1}번 따라왔습니다." if hops > 1 else ""
    if failure is not None:
        return f"{failure.title}. {failure.code}.{way}"
    status = f"{hop.status} {hop.reason}"
    return f"{status}{': ' + page.title if page.title not in ('', status) else ''}.{way}"


def failure_of(hop: Hop, looped: bool) -> Failure | None:
    """The page that a browser shows of its own, in Chrome's Korean words; None where the server's answer can be shown."""
    try:
        host = urlsplit(hop.url).hostname or hop.url
    except ValueError:
        host = hop.url
    cannot = "사이트에 연결할 수 없음"
    if looped:
        return Failure("페이지가 작동하지 않습니다", f"{host}에서 리디렉션한 횟수가 너무 많습니다.", "ERR_TOO_MANY_REDIRECTS",
                       "쿠키가 저장되지 않으면 로그인한 뒤에도 되돌려 보내기를 되풀이합니다. 오간 것에서 쿠키를 보십시오.")
    if not hop.error:
        if hop.body or hop.status < 400:
            return None
        return Failure("페이지가 작동하지 않습니다", f"{host}에서 내용 없이 {hop.status} 상태로 답했습니다.", f"HTTP ERROR {hop.status}")
    forwarded = "이 포트를 이어 주는 것이 없습니다. 터미널에서 kubectl port-forward를 켠 채로 두십시오." if host in HERE else ""
    slow = Failure(cannot, f"{host}에서 응답하는 데 시간이 너무 오래 걸립니다.", "ERR_CONNECTION_TIMED_OUT")
    return {
        "URL": Failure("주소를 알아볼 수 없음", f"{josa(host, '은/는')} 주소가 아닙니다.", "ERR_INVALID_URL", "http://localhost:8080처럼 씁니다."),
        "TLS": Failure(cannot, f"{host}에서 보안 연결(https)로 답하지 않았습니다.", "ERR_SSL_PROTOCOL_ERROR",
                       "http://로 시작하는 주소를 써 보십시오."),
        "no such host": Failure(cannot, f"{host}의 서버 IP 주소를 찾을 수 없습니다.", "DNS_PROBE_FINISHED_NXDOMAIN"),
        "ECONNREFUSED": Failure(cannot, f"{host}에서 연결을 거부했습니다.", "ERR_CONNECTION_REFUSED",
                                forwarded or "그 주소의 그 포트에서 듣고 있는 프로세스가 없습니다."),
        "timeout": slow,
        "ETIMEDOUT": slow,
        "EHOSTUNREACH": Failure(cannot, f"{host}까지 가는 길이 없습니다.", "ERR_ADDRESS_UNREACHABLE"),
        "ENETUNREACH": Failure(cannot, f"{host}까지 가는 길이 없습니다.", "ERR_ADDRESS_UNREACHABLE"),
        "closed": Failure("페이지가 작동하지 않습니다", f"{host}에서 전송한 데이터가 없습니다.", "ERR_EMPTY_RESPONSE"),
    }.get(hop.error, Failure(cannot, "연결이 재설정되었습니다.", "ERR_CONNECTION_RESET"))
