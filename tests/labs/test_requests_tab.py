"""The tab of recent requests, and the picture of one that goes hop by hop."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.labs import panels
from podlab.labs.live import LiveCluster
from podlab.projection.regions import render
from tests.kubernetes.runtime.lab import Lab, own
from tests.kubernetes.runtime.mesh import meshed

CLIENT = {"image": "nicolaka/netshoot", "command": ["sleep", "1000000"]}
NO_WRITER: Any = None


def furnished() -> Lab:
    lab = Lab()
    meshed(lab, "shop", CLIENT)
    meshed(lab, "vault", {"image": "podlab/order-service:1.0"})
    lab.service("vault", "vault", 80, 8080)
    lab.settle(20)
    lab.run("shop", "curl -s 'http://vault/<b>'", "app")
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


def test_the_list_shows_every_hop_and_what_went_over_the_wire(lab: Lab) -> None:
    live = LiveCluster(1, lab.cluster, 0, 0.0, NO_WRITER)
    html = panels.requests(live)
    assert "GET vault/&lt;b&gt;" in html
    assert "<b>404</b>" in html
    assert [html.count(f'class="d{depth}"') for depth in range(4)] == [1, 1, 1, 0]
    assert html.count(">mTLS<") == 1
    assert panels.requests(live) is html  # made once as long as nothing has moved


def test_hops_are_drawn_one_after_another_within_pods_and_between_them(lab: Lab) -> None:
    picture = render(lab.cluster).fragments["diagram"]
    assert [picture.count(f'data-step="{step}"') for step in range(4)] == [1, 1, 1, 0]
    assert "→ 404 · mTLS" in picture


def test_requests_alone_tell_the_page_that_there_is_something_new(lab: Lab) -> None:
    live = LiveCluster(1, lab.cluster, 0, 0.0, NO_WRITER)
    before = live.mark()
    lab.run("shop", "curl -s http://vault/", "app")
    assert live.mark()[3] > before[3]
