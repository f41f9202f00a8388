"""A learner without a browser: starts a session over HTTP and talks to a lesson's websocket, as the page does."""

import http.cookiejar
import json
import re
import time
import urllib.parse
import urllib.request
from html import unescape
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser.harness import HANG, Server

SPAN = re.compile(r'<span class="t-(?:out|err|note)">(.*?)</span>', re.DOTALL)
NOTICE = re.compile(r'<div class="notice [^"]*"[^>]*>(.*?)<button', re.DOTALL)


def start(server: Server, nickname: str = "초록고래") -> str:
    """The Cookie header of a new learner."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(f"{server.url}/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = urllib.parse.urlencode({"nickname": nickname, "csrfmiddlewaretoken": token[1]}).encode()
    opener.open(urllib.request.Request(f"{server.url}/start/", form, {"Origin": server.url}))
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def own_address(server: Server, cookie: str, lesson: str) -> str:
    """Where the API of the learner's cluster of a lesson is served, as the page's "내 터미널에서 쓰기" gives it."""
    place = f"{server.url}/lessons/{lesson}/"
    page = urllib.request.urlopen(urllib.request.Request(place, headers={"Cookie": cookie})).read().decode()
    token = re.search(r'"X-CSRFToken": "([^"]+)"', page)
    assert token
    headers = {"Cookie": cookie, "X-CSRFToken": token[1], "Origin": server.url}
    answer = urllib.request.urlopen(urllib.request.Request(f"{place}own-terminal/connect/", b"", headers)).read().decode()
    address = re.search(r'href="([^"]+)/kubeconfig"', answer)
    assert address
    return unescape(address[1])


class Socket:
    """One open lab page, as far as its websocket goes. `shown` is all the terminal has printed since the last command."""

    def __init__(self, server: Server, cookie: str, lesson: str) -> None:
        address = f"{server.url.replace('http', 'ws')}/ws/lessons/{lesson}/"
        self.connection = connect(address, additional_headers={"Cookie": cookie}, origin=server.url, max_size=None, open_timeout=HANG,
                                  ping_timeout=None)
        self.shown, self.notices, self.html = "", "", ""

    def __enter__(self) -> "Socket":
        self.line: ClientConnection = self.connection.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.connection.__exit__(kind, error, trace)

    def send(self, **message: Any) -> None:
        self.line.send(json.dumps(message))

    def read(self, seconds: float) -> bool:
        """Take in one message; False when none came."""
        try:
            html = self.line.recv(timeout=seconds)
        except TimeoutError:
            return False
        assert isinstance(html, str)
        self.html += html
        self.shown += "".join(unescape(text) for text in SPAN.findall(html))
        self.notices += "".join(unescape(re.sub(r"<[^>]+>", " ", text)) for text in NOTICE.findall(html))
        return True

    def until(self, text: str, seconds: float = HANG) -> str:
        """Everything shown (terminal, notices, fragments) once `text` is in it."""
        deadline = time.monotonic() + seconds
        while text not in self.shown + self.notices + self.html:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} did not come; the terminal shows {self.shown[-800:]!r}, the notices {self.notices[-400:]!r}"
            self.read(left)
        return self.shown + self.notices

    def run(self, line: str, until: str, seconds: float = HANG) -> str:
        """Enter a line; what is shown when `until` has come."""
        self.shown = self.notices = self.html = ""
        self.send(action="terminal", line=line)
        return self.until(until, seconds)


__all__ = ["ConnectionClosed", "Socket", "own_address", "start"]
