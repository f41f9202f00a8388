"""What the proxy of Pods and Services passes on, and what it turns round."""

import pytest

from podlab.api import proxying

PREFIX = "/api/v1/namespaces/default/pods/web:80/proxy"


@pytest.mark.parametrize(("page", "seen"), [
    ('<a href="/next">on</a>', f'<a href="{PREFIX}/next">on</a>'),
    ("<img alt=x src='/a.png'><form method=post action=/send>", f"<img alt=x src='{PREFIX}/a.png'><form method=post action={PREFIX}/send>"),
    ('<a href="next">on</a> <a href="//elsewhere/x">away</a> <a href="https://a.b/c">away</a>',
     '<a href="next">on</a> <a href="//elsewhere/x">away</a> <a href="https://a.b/c">away</a>'),
    (f'<a href="{PREFIX}/next">already</a>', f'<a href="{PREFIX}/next">already</a>'),
    ('href="/not in a tag"', 'href="/not in a tag"'),
])
def test_links_to_the_servers_own_paths_lead_through_the_proxy(page: str, seen: str) -> None:
    assert proxying.relinked(page, PREFIX) == seen


@pytest.mark.parametrize(("location", "seen"), [
    ("/next?a=1&b=%20", f"{PREFIX}/next?a=1&b=%20"), ("next", "next"), ("../up?x", "../up?x"), ("http://10.0.0.7:80/next", f"{PREFIX}/next"),
    ("http://10.0.0.7/", f"{PREFIX}/"), ("https://evil.example/", ""), ("//evil.example/x", ""), ("http://10.0.0.7:81/", ""),
    ("javascript:alert(1)", ""), ("http://[", ""), ("\\\\evil.example", "%5C%5Cevil.example"), ("/\\evil.example", f"{PREFIX}/%5Cevil.example"),
    ("/a\r\nset-cookie: b", f"{PREFIX}/aset-cookie:%20b"),
])
def test_a_redirect_stays_on_the_server_behind_the_proxy(location: str, seen: str) -> None:
    assert proxying.redirected(location, "10.0.0.7:80", PREFIX) == seen


def test_a_page_of_nothing_but_angle_brackets_is_read_in_time() -> None:
    page = "<a " * 50_000
    assert proxying.relinked(page, PREFIX) == page
