"""The lanes of the picture: from a Service down its trunk, over the nodes, beside the Pods, into the network's floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .board import Board, Request, Service
from .layout import ARROWS, Card, Layout, PodBox
from .shapes import esc, n, rounded, text

Point = tuple[float, float]
REQUEST_CAP = 16


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where arrows may run. `trunk` is the x of the first free lane left of the nodes; `down` as the layout has it."""

    boxes: dict[str, PodBox]
    services: dict[str, tuple[Card, int]]  # ref -> its card and its number
    trunk: float
    down: Point | None


def lanes(layout: Layout) -> Lanes:
    services: dict[str, tuple[Card, int]] = {}
    right = 0.0
    for card in layout.cards:
        right = card.x + card.w
        if isinstance(card.thing, Service):
            services[card.thing.ref] = (card, len(services) % 4)
    first = min((node.x for node in layout.nodes), default=right + 40)
    return Lanes({box.pod.uid: box for box in layout.pods}, services, first - 16, layout.down)


def into(box: PodBox, trunk: float, offset: float) -> list[Point]:
    """From the trunk's x to the Pod's floor."""
    y = box.y + (box.floor + 13 if box.level == "full" else box.h / 2)
    end = box.x + (14 if box.level == "full" else 0)
    points: list[Point] = []
    channel = trunk
    if box.channel > trunk + 1:  # a node further right: over the nodes, then down beside its own
        channel = box.channel + offset
        points += [(trunk, box.lane - offset), (channel, box.lane - offset)]
    if box.inner:
        beside = box.x - 7
        points += [(channel, box.y - 7), (beside, box.y - 7), (beside, y)]
    else:
        points.append((channel, y))
    return [*points, (end, y)]


def draw_arrows(board: Board, ways: Lanes) -> str:
    """One arrow from a Service to each Pod that is ready; the others get none."""
    out = []
    for service in board.services:
        card, number = ways.services[service.ref]
        targets = [ways.boxes[uid] for uid in service.ready if uid in ways.boxes and ways.boxes[uid].level == "full"]
        if not targets or len(service.ready) > ARROWS:
            continue
        for box in targets:
            out.append(
                f'<path id="{route_id(service, box)}" class="arrow" marker-end="url(#tip)" '
                f'd="{rounded(service_path(card, number, box, ways))}"/>'
            )
    return "".join(out)


def route_id(service: Service, box: PodBox) -> str:
    return f"way-{esc(service.namespace)}-{esc(service.name)}-{esc(box.pod.uid)}"


def service_path(card: Card, number: int, box: PodBox, ways: Lanes) -> list[Point]:
    offset = number * 4
    y = card.y + card.h / 2
    trunk = ways.trunk + offset
    if ways.down is None:
        return [(card.x + card.w, y), (trunk, y), *into(box, trunk, offset)]
    x, under = ways.down[0] + offset, ways.down[1] + offset
    start = card.x if card.x > x else card.x + card.w
    return [(start, y), (x, y), (x, under), (trunk, under), *into(box, trunk, offset)]


def draw_traffic(requests: Sequence[Request], ways: Lanes) -> str:
    """Recent requests: a dot with its words, and its way; the page's script moves it along the path `data-way`."""
    out = []
    steps = _steps(requests[-REQUEST_CAP:])
    for i, request in enumerate(requests[-REQUEST_CAP:]):
        target = ways.boxes.get(request.target)
        if target is None:
            continue
        points = _way(request, target, ways)
        words = f"{request.method} {request.path} → {request.status or '응답 없음'}"
        words += f" · {request.attempt}번째" if request.attempt > 1 else ""
        words += " · mTLS" if request.tls else ""
        cls = ("good" if 0 < request.status < 400 else "poor") + (" tls" if request.tls else "")
        key = f"{request.t}-{esc(request.trace)}-{request.hop}-{request.attempt}-{esc(request.target[:8])}"
        at = points[min(1, len(points) - 1)]
        out.append(
            f'<path id="rw-{key}" class="way" d="{rounded(points)}"/><g id="req-{key}" class="req {cls}" '
            f'transform="translate({n(at[0])},{n(at[1])})" '
            f'data-t="{request.t}" data-ms="{request.ms}" data-step="{steps[i]}" data-way="rw-{key}" aria-hidden="true"><circle r="5"/>'
            f"{text(9, -7, words, 'm')}</g>"
        )
    return "".join(out)


def _steps(requests: Sequence[Request]) -> list[int]:
    """For each hop, how many of its request come before it."""
    order = sorted(range(len(requests)), key=lambda i: (requests[i].t, requests[i].hop, requests[i].attempt))
    seen: dict[str, int] = {}
    found = [0] * len(requests)
    for i in order:
        found[i] = seen.get(requests[i].trace, 0)
        seen[requests[i].trace] = found[i] + 1
    return found


def _inside(box: PodBox, request: Request) -> list[Point]:
    """Within a Pod, over its floor, from one container to another."""
    middle = {tile.container.name: tile.x + tile.w / 2 for tile in box.tiles}
    start, end = (box.x + middle.get(name, box.w / 2) for name in (request.by, request.at))
    bottom = box.y + box.floor
    return [(start, bottom - 12), (start, bottom + 13), (end, bottom + 13), (end, bottom - 12)]


def _way(request: Request, target: PodBox, ways: Lanes) -> list[Point]:
    source = ways.boxes.get(request.source)
    if source is target and target.tiles:
        return _inside(target, request)
    points: list[Point] = []
    if source is not None:  # out of the Pod as it would go in, backwards
        points = list(reversed(into(source, ways.trunk, 12)))
    held = ways.services.get(request.via)
    if held is not None:
        card, number = held
        if source is None:
            points = []
        return points + service_path(card, number, target, ways)
    if source is None:
        points = [(ways.trunk - 12, target.lane)] if request.source != "kubelet" else [(target.x - 10, target.y + 6)]
        if request.source == "kubelet":
            return [*points, (target.x + 2, target.y + 6)]
    return points + into(target, ways.trunk, 12)
