"""What the SVG holds: well formed, escaped, stable identities, within its budget."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # our own text
from dataclasses import replace

import pytest

from podlab.projection.board import build
from podlab.projection.layout import NodeBox, lay_out, pod_box, steps_across
from podlab.projection.measure import fit, width
from podlab.projection.regions import changed, render
from podlab.projection.shapes import measure
from podlab.projection.svg import _notes, draw, miniature

from .given import Given, at, container, node, pod, running, waiting
from .recorded import Recorded
from .scenes import SCENES, crowd, ending, still

RECORDED = [
    ("deploy-rollout", 9),
    ("port-conflict", 15),
    ("sidecar-native", 5),
    ("init-order", 5),
    ("node-failure", 100),
    ("sts-order", 6),
    ("image-missing", 20),
    ("shared-volume", 5),
    ("readiness", 12),
    ("job", 5),
    ("cronjob", 70),
    ("unschedulable", 5),
    ("oom", 12),
]


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name == "crowd1000" else name for name in sorted(SCENES)])
@pytest.mark.parametrize("wide", [640, 960])
def test_every_scene_is_well_formed_with_unique_ids_and_no_style(name: str, wide: int):
    svg = draw(build(SCENES[name]()), wide)
    root = ET.fromstring(svg)  # noqa: S314
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert "style=" not in svg and "<script" not in svg


@pytest.mark.slow
@pytest.mark.parametrize(("name", "t"), RECORDED)
def test_every_recording_can_be_drawn_and_told_at_any_time(name: str, t: float):
    for moment in (0.05, t / 2, t, t * 3):
        rendered = render(Recorded(name, moment))
        ET.fromstring(rendered.fragments["diagram"])  # noqa: S314
        ET.fromstring(rendered.fragments["twin"])  # noqa: S314


def test_hostile_names_stay_text():
    svg = draw(build(ending()))
    assert "<script>" not in svg and "&lt;script&gt;" in svg
    assert "</text><b>" not in svg


def test_no_box_leaves_its_node_and_none_lies_on_another():
    for view in (still(), ending(), crowd(20), crowd(60)):
        for wide in (360, 640, 960, 1400):
            layout = lay_out(build(view), wide)
            assert layout.width == wide
            assert all(card.x + card.w <= layout.width for card in layout.cards)
            for node_box in layout.nodes:
                assert node_box.x + node_box.w <= layout.width
            placed = [b for b in layout.pods if b.level != "tray"]
            for i, a in enumerate(placed):
                assert a.x >= 0 and a.x + a.w <= layout.width and a.y + a.h <= layout.height
                for b in placed[i + 1 :]:
                    assert a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y, (a.pod.name, b.pod.name)


def test_a_narrow_picture_is_all_nodes_or_has_the_wishes_over_them():
    bare, wished = (lay_out(build(Recorded(name, t)), 360) for name, t in (("port-conflict", 15), ("deploy-rollout", 15)))
    assert bare.width == wished.width == 360 and bare.nodes[0].x == wished.nodes[0].x == 12
    assert wished.cards and all(card.y + card.h < wished.nodes[0].y for card in wished.cards)


def test_init_containers_tell_their_names_whole():
    pod = build(Recorded("init-order", 5)).pods[0]
    steps = tuple(one for one in pod.containers if one.kind == "init")
    longest = tuple(replace(one, name="wait-for-the-db") for one in steps)
    assert len(steps) > 1 and steps_across(steps, 600) == steps_across(longest, 600) == len(steps)
    assert steps_across(longest, 200) == 1
    narrow = replace(pod, containers=longest + tuple(one for one in pod.containers if one.kind != "init"))
    assert pod_box(narrow, 0, 0, 200).h > pod_box(pod, 0, 0, 600).h


def test_a_pod_keeps_its_identity_and_tells_what_it_is():
    root = ET.fromstring(draw(build(still())))  # noqa: S314
    web = next(e for e in root.iter() if e.get("id") == "pod-u-web")
    assert web.get("data-ref") == "pods/default/web" and web.get("tabindex") == "0"
    assert web.get("aria-label", "").startswith("파드 web, 컨테이너 2개 중 1개 준비, CrashLoopBackOff")
    assert re.fullmatch(r"translate\(\S+\)", web.get("transform", ""))


def test_a_countdown_says_until_when_so_that_the_page_can_tick():
    svg = draw(build(still()))
    assert f'data-until="{at(114)}"' in svg and re.search(r'class="ring"[^>]*data-begin=', svg)


def test_an_arrow_goes_only_to_ready_pods():
    svg = draw(build(still()))
    ways = re.findall(r'id="way-default-api-svc-u-(\S+?)"', svg)
    assert sorted(ways) == ["api-6f9c-8wq7n", "api-6f9c-x2k4p"]


def test_two_containers_that_want_one_port_meet_at_one_pin():
    svg = draw(build(still()))
    assert svg.count('class="clash"') == 1 and 'class="pin app hot"' in svg


def test_the_size_of_a_pod_does_not_change_with_its_state():
    calm = pod("web-7d84cd4b9c-x2k4p", running("c"))
    crashed = pod("web-7d84cd4b9c-x2k4p", waiting("c", "CrashLoopBackOff", restarts=4, code=1))
    sizes = {(b.w, b.h) for p in (calm, crashed) for b in lay_out(build(Given(nodes=[node("node-1")], pods=[p]))).pods}
    assert len(sizes) == 1


@pytest.mark.slow
def test_a_crowd_is_counted_past_what_can_be_read():
    svg = draw(build(crowd(1000)))
    assert len(svg) < 120_000
    assert re.search(r"파드 \+\d+", svg)


def test_a_miniature_stays_under_four_kilobytes():
    for scene in SCENES.values():
        assert len(miniature(build(scene())).encode()) < 4096


def test_only_what_changed_is_sent():
    def view(seconds: float, **more: object) -> Given:
        return Given(seconds, nodes=[node("node-1")], pods=[pod("web", running("c", **more))])

    old = render(view(10))
    assert changed(old, render(view(11))) == {}
    assert set(changed(old, render(view(11, ready=False)))) == {"diagram", "twin", "counters"}
    assert set(changed(None, old)) == {"diagram", "twin", "counters"}


def test_a_long_name_is_cut_in_the_middle_and_kept_whole_in_its_title():
    name = "web-7d84cd4b9c-" + "very" * 20 + "longname-x2k4p"
    short = fit(name, 100, 13, False, True)
    assert width(short, 13, bold=True) <= 100 and "…" in short and short.endswith("k4p")
    assert f"<title>{name}</title>" in draw(
        build(Given(nodes=[node("node-1")], pods=[pod("p", running(name), containers=[container(name)])])), 640
    )


@pytest.mark.parametrize("doom", ["notready", "evict"])
def test_what_a_node_tells_of_its_trouble_fits_into_the_narrowest_box(doom: str):
    dead = replace(build(still()).nodes[0], power="cut", since=at(0), doom=(doom, at(249)), taints=())
    for wide in (118, 140, 200, 276):
        drawn = _notes(NodeBox(dead, 0, 0, wide, 200, narrow=True, more=0, head=90), at(0))
        for line in drawn:
            words = "".join(ET.fromstring(line).itertext())  # noqa: S314
            assert 16 + measure(words, "s") <= wide - 6, words
