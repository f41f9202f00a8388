"""The browser tab: hostile pages made harmless, cookies and redirects as browsers treat them, and two addresses that give nothing away."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.test import Client

from lessons import prose
from podlab.labs import access, webpage
from podlab.labs.browser_tab import BrowserTab, failure_of
from podlab.labs.browsing import Browser, Hop, Jar, tidy
from podlab.labs.models import Learner

RELAY = "/relay/"
BASE = "http://localhost:8080/notes/list?page=1"
NOW = 1_795_219_200_000


def body(html: str) -> str:
    """What of a page gets into the body of the document."""
    whole = webpage.safe(html, BASE, RELAY).html
    return whole.partition("<body")[2].partition(">\n")[2].rpartition("\n</body>")[0]


# ---- hostile HTML


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
        "<script>alert(1)",
        "<scr<script>ipt>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<svg/onload=alert(1)>",
        "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
        "<iframe src='//evil.test'></iframe><iframe srcdoc='<script>1</script>'>",
        "<object data='//evil.test'></object><embed src='//evil.test'>",
        "<body onload=alert(1)>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href=' java\nscript:alert(1)'>a</a>",
        "<a href='&#106;avascript:alert(1)'>a</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>a</a>",
        "<a href='vbscript:x' onclick=alert(1) target=_top ping='//evil.test'>a</a>",
        "<form action='javascript:alert(1)'><button formaction='//evil.test' formmethod=get>b</button></form>",
        "<input type=image src='//evil.test' formaction='//evil.test'>",
        "<meta http-equiv=refresh content='0;url=//evil.test'>",
        "<link rel=stylesheet href='//evil.test/x.css'><base href='javascript:x'>",
        "<video src='//evil.test' autoplay></video><audio src='//evil.test'></audio>",
        "<img src='//evil.test/pixel.gif' srcset='//evil.test/2x'>",
        "<img src='data:text/html;base64,PHNjcmlwdD4='>",
        "<style>@import '//evil.test';</style><style></style ><script>alert(1)</script>",
        "<style>a{}</sTyLe><script>alert(1)</script>",
        "<title></title><script>alert(1)</script>",
        "<textarea></textarea><script>alert(1)</script>",
        "<textarea><script>alert(1)</script>",
        "<noscript><img src=x onerror=alert(1)></noscript>",
        "<!--><script>alert(1)</script>-->",
        "<!-- --!><script>alert(1)</script>",
        '<a title="</a><script>alert(1)</script>">a</a>',
        "<a title='\"><script>alert(1)</script>'>a</a>",
        "<x onclick=alert(1)>y</x><plaintext><script>alert(1)</script>",
        "<template><script>alert(1)</script></template>",
        "<a href=http://[::1>x</a><a href='http://a:99999999/'>y</a>",
        "<p style='background:url(//evil.test/x)' onmouseover=alert(1)>p</p>",
    ],
)
def test_nothing_that_acts_is_left_of_a_hostile_page(html: str) -> None:
    found = webpage.safe(html, BASE, RELAY).html
    tags = re.findall(r"<[a-z][^>]*>", found)
    names = {re.match(r"<([a-z0-9]+)", tag)[1] for tag in tags}
    assert names <= webpage.PLAIN | webpage.VOID | {"html", "head", "body", "meta", "title", "style", "textarea"}
    assert found.count("<meta") == 1
    for tag in tags:
        assert not re.search(r"\s(on\w+|formaction|srcdoc|srcset|target|ping|http-equiv|xlink:href)\s*=", tag), tag
        for address in re.findall(r'\s(?:href|action|src)="([^"]*)"', tag):
            assert address.startswith((RELAY + "?", "#", "data:image/")), tag
    assert "<script" not in found.lower()


def test_a_quotation_mark_does_not_end_an_attribute() -> None:
    assert body("<p title='a\"b&quot;c<d>e'>x</p>") == '<p title="a&quot;b&quot;c&lt;d&gt;e">x</p>'


def test_links_and_forms_lead_to_the_relay_with_their_own_address_inside() -> None:
    assert body('<a href="../new?a=1&b=2#part">n</a>') == '<a href="/relay/?u=http%3A%2F%2Flocalhost%3A8080%2Fnew%3Fa%3D1%26b%3D2">n</a>'
    assert body('<a href="#part">n</a>') == '<a href="#part">n</a>'
    form = '<form method="post" enctype="application/x-www-form-urlencoded" autocomplete="off" action="/relay/?'
    assert body("<form method=POST action=/save>x</form>") == form + 'm=post&amp;u=http%3A%2F%2Flocalhost%3A8080%2Fsave">x</form>'
    assert body("<form>x</form>") == form + 'm=get&amp;u=http%3A%2F%2Flocalhost%3A8080%2Fnotes%2Flist%3Fpage%3D1">x</form>'
    assert 'u=http%3A%2F%2Fother%3A81%2Fx"' in body("<base href='http://other:81/'><a href=x>n</a>")


def test_text_and_scripts_are_told_apart_for_those_who_read() -> None:
    found = webpage.safe("<title>가 &amp; 나</title><h1>안녕</h1><script>x</script><p>글 <input placeholder=이름> <img alt=고래></p>", BASE, RELAY)
    assert (found.title, found.scripts, found.text) == ("가 & 나", 1, "안녕\n글 [입력 칸: 이름] [그림: 고래]")
    assert webpage.plain("<b>no</b>").html.count("&lt;b&gt;no&lt;/b&gt;") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["<", "<a ", '<a b="', "<style>", "<!--", "&", "<a x='\" ", "<title>", "</", "<b x=\n\n", "<p><div>", "&#x", "<a" + " " * 50]
)
def test_a_large_page_takes_no_longer_than_its_size(piece: str) -> None:
    html = piece * (webpage.BODY_MAX // len(piece))
    began = time.process_time()
    webpage.safe(html, BASE, RELAY)
    assert time.process_time() - began < 1.5


def test_a_lesson_can_offer_an_address_to_open() -> None:
    assert '<button type="button" data-open="http://node-1:30080/">열기</button>' in prose.render("```open http://node-1:30080/\n열기\n```")


# ---- the browser


class Site:
    """Answers by address; remembers what it was asked."""

    def __init__(self, **pages: tuple[int, list[list[str]], str]) -> None:
        self.pages = pages
        self.asked: list[dict[str, Any]] = []

    async def visit(self, visit: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(visit)
        name = visit["url"].rpartition("/")[2] or "home"
        status, headers, text = self.pages.get(name, (404, [], "no"))
        return {"ok": True, "status": status, "headers": headers, "body": text, "error": "", "ms": 1}


def browser(site: Site, forwards: dict[int, dict[str, Any]] | None = None) -> Browser:
    return Browser(site.visit, (forwards or {}).get, lambda: NOW)


def go(tab: Browser, url: str, *arguments: str, **options: Any) -> None:
    asyncio.run(tab.go(url, *arguments, **options))


def test_redirects_are_followed_one_by_one_and_the_form_becomes_a_get() -> None:
    site = Site(save=(303, [["Location", "/list"], ["Set-Cookie", "seen=1; Path=/"]], ""), list=(200, [], "here"))
    tab = browser(site)
    go(tab, "http://web/save", "POST", "text=a")
    assert [(hop.method, hop.status, hop.stored, hop.sent) for hop in tab.hops] == [("POST", 303, ["seen"], []), ("GET", 200, [], ["seen"])]
    assert (tab.url, site.asked[1]["body"]) == ("http://web/list", "")


def test_a_redirect_that_never_ends_is_given_up() -> None:
    tab = browser(Site(home=(302, [["Location", "/"]], "")))
    go(tab, "http://web/")
    assert tab.looped
    assert len(tab.hops) == 21
    failure = failure_of(tab.hops[-1], tab.looped)
    assert failure is not None
    assert failure.code == "ERR_TOO_MANY_REDIRECTS"


@pytest.mark.parametrize("where", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//[", "http://a:b/"])
def test_a_redirect_out_of_the_web_is_not_followed(where: str) -> None:
    site = Site(home=(302, [["Location", where]], "stay"))
    go(browser(site), "http://web/")
    assert len(site.asked) == 1


def test_localhost_is_the_learners_machine_and_needs_a_port_forward() -> None:
    site = Site(home=(200, [], "hello"))
    tab = browser(site, {8080: {"uid": "u1", "port": 80}})
    go(tab, "http://localhost:9090/")
    assert (tab.hops[0].error, site.asked) == ("ECONNREFUSED", [])
    go(tab, "http://localhost:8080/")
    assert (site.asked[0]["url"], site.asked[0]["pod"], site.asked[0]["headers"][0]) == ("http://127.0.0.1:80/", "u1", ["Host", "localhost:8080"])


def test_back_and_forward_walk_through_what_was_seen() -> None:
    tab = browser(Site(a=(200, [], "a"), b=(200, [], "b"), c=(200, [], "c")))
    for name in "ab":
        go(tab, f"http://web/{name}")
    asyncio.run(tab.step(-1))
    assert tab.url == "http://web/a"
    go(tab, "http://web/c")
    asyncio.run(tab.step(1))
    assert (tab.history, tab.at) == (["http://web/a", "http://web/c"], 1)


@pytest.mark.parametrize(
    ("set_cookie", "url", "kept"),
    [
        ("a=1", "http://web/", True),
        ("a=1; Secure", "http://web/", False),
        ("a=1; Secure", "http://localhost:8080/", True),
        ("a=1; SameSite=None", "http://web/", False),
        ("a=1; Domain=evil.test", "http://web/", False),
        ("a=1; Domain=default.svc", "http://web.default.svc/", True),
        ("a=1; Max-Age=0", "http://web/", False),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://web/", False),
        ("a=1; Expires=nonsense", "http://web/", True),
        ("=1", "http://web/", False),
        ("a=" + "x" * 5000, "http://web/", False),
    ],
)
def test_a_cookie_is_kept_only_where_it_may_be(set_cookie: str, url: str, kept: bool) -> None:
    jar = Jar()
    jar.take(set_cookie, url, NOW)
    assert bool(jar.cookies) is kept
    assert jar.of(url, NOW) == jar.cookies


@pytest.mark.parametrize(
    ("set_cookie", "url", "method", "source", "sent"),
    [
        ("a=1", "http://web/x", "GET", "", True),
        ("a=1", "http://web:81/x", "GET", "", True),
        ("a=1", "http://other/", "GET", "", False),
        ("a=1; Path=/in", "http://web/in/side", "GET", "", True),
        ("a=1; Path=/in", "http://web/inside", "GET", "", False),
        ("a=1", "http://web/", "POST", "evil.test", False),
        ("a=1", "http://web/", "GET", "evil.test", True),
        ("a=1; SameSite=Strict", "http://web/", "GET", "evil.test", False),
        ("a=1; Max-Age=10", "http://web/", "GET", "", True),
    ],
)
def test_a_cookie_goes_only_where_it_belongs(set_cookie: str, url: str, method: str, source: str, sent: bool) -> None:
    jar = Jar()
    jar.take(set_cookie, "http://web/", NOW)
    assert bool(jar.of(url, NOW, method=method, source=source)) is sent
    if "Max-Age" in set_cookie:
        assert jar.of(url, NOW + 10_001) == []


@pytest.mark.parametrize(("typed", "url"), [("localhost:8080", "http://localhost:8080/"), (" http://node-1:30080/a#b ", "http://node-1:30080/a"),
                                            ("javascript:alert(1)", ""), ("", ""), ("file:///etc/passwd", ""), ("http://a:port/", "")])
def test_what_is_typed_becomes_an_address_or_nothing(typed: str, url: str) -> None:
    assert tidy(typed) == url


@pytest.mark.parametrize(("error", "code"), [("ECONNREFUSED", "ERR_CONNECTION_REFUSED"), ("timeout", "ERR_CONNECTION_TIMED_OUT"),
                                             ("no such host", "DNS_PROBE_FINISHED_NXDOMAIN"), ("TLS", "ERR_SSL_PROTOCOL_ERROR"),
                                             ("closed", "ERR_EMPTY_RESPONSE"), ("ECONNRESET", "ERR_CONNECTION_RESET")])
def test_what_went_wrong_is_said_as_a_browser_says_it(error: str, code: str) -> None:
    failure = failure_of(Hop("GET", "http://web/", error=error), looped=False)
    assert failure is not None
    assert failure.code == code


# ---- the two addresses


@pytest.mark.django_db
def test_a_page_is_fetched_by_its_own_learner_only_and_may_do_nothing(client: Client) -> None:
    client.post("/start/", {"nickname": "초록고래"})
    caches["pages"].set(access.browser_page_key(Learner.objects.get(), "key"), ["<!doctype html><p>hi</p>", "/lessons/x/browser/go/token/"], 60)
    found = client.get("/lessons/x/browser/page/key/")
    policy = found["Content-Security-Policy"].split("; ")
    assert policy == ["sandbox allow-forms", "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:",
                      "form-action http://testserver/lessons/x/browser/go/token/", "base-uri 'none'", "frame-ancestors 'self'"]
    assert (found["X-Frame-Options"], found["Referrer-Policy"], found["X-Content-Type-Options"]) == ("SAMEORIGIN", "no-referrer", "nosniff")
    assert client.get("/lessons/x/browser/page/other/").status_code == 404
    stranger = Client()
    assert stranger.get("/lessons/x/browser/page/key/").status_code == 302
    stranger.post("/start/", {"nickname": "파란수달"})
    assert stranger.get("/lessons/x/browser/page/key/").status_code == 404


@pytest.mark.django_db
def test_the_relay_tells_the_tab_and_leaves_the_frame_where_it_is(client: Client) -> None:
    token = access.browser_token("specific.test!abc")
    found = client.post(f"/lessons/x/browser/go/{token}/?m=post&u=http%3A%2F%2Fweb%2F", "text=a", content_type="application/x-www-form-urlencoded")
    assert (found.status_code, found.content) == (204, b"")
    assert client.get(f"/lessons/x/browser/go/{token[:-1]}x/?u=http%3A%2F%2Fweb%2F").status_code == 404
    assert client.get("/lessons/x/browser/go/made-up/").status_code == 404


def test_pages_do_not_drive_out_the_count_of_wrong_passwords() -> None:
    cache.set("attempts:teacher:10.0.0.1", 9, 60)
    for number in range(1_000):
        caches["pages"].set(f"browser-page:{number}", ["html", "relay"], 60)
    assert cache.get("attempts:teacher:10.0.0.1") == 9


@pytest.mark.slow
async def test_a_tab_keeps_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    caches["pages"].clear()
    tab = BrowserTab("one-ip", Learner(nickname="x", resume_code_hash="x"), "channel", lambda: None, lambda: None)
    monkeypatch.setattr(tab.browser, "hops", [Hop("GET", "http://shop/", status=200, body="<p>hi")])
    for _ in range(3):
        await tab._render()
    assert len(caches["pages"]._cache) == 1
