"""Board -> one SVG, the whole picture; and a miniature of it."""

from __future__ import annotations

from .board import Board, Goal, Node, Service
from .korean import clock, kind
from .layout import WISHES, Card, NodeBox, dot_rows, dots_across, lay_out, notes
from .owners import Owner
from .podsvg import draw_pod
from .routes import draw_arrows, draw_traffic, lanes
from .shapes import ICONS, SNUG, countdown, esc, icon, measure, n, text
from .words import tone

DEFS = (
    '<defs><pattern id="stripes" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="8" height="8" class="p0"/><rect width="3" height="8" class="p1"/></pattern>'
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker></defs>'
)


def draw(board: Board, width: int = 960) -> str:
    """The diagram as an <svg> of `width` pixels (at least what lay_out says); heights follow the content."""
    layout = lay_out(board, width)
    ways = lanes(layout)
    slim = " is-slim" if layout.width < 640 else ""
    out = [
        f'<svg id="board-svg" class="podlab-board{slim}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(layout.width)} '
        f'{n(layout.height)}" '
        f'width="{n(layout.width)}" height="{n(layout.height)}" data-now="{board.now}" role="group" '
        f'aria-label="{esc(headline(board))}">',
        DEFS,
        text(14, 24, "바라는 것", "s"),
    ]
    bare = bool(layout.nodes) and layout.nodes[0].x < WISHES and layout.down is None  # the nodes stand where the wishes would
    if not layout.cards:
        out.append(text(72, 24, "아직 없음", "x") if bare else text(14, 54, "아직 없음", "x"))
    out += [_card(card) for card in layout.cards]
    if layout.tray_y is not None:
        out.append(text(14, layout.tray_y, "자리를 기다리는 파드", "s"))
        if layout.tray_more:
            out.append(text(14, layout.tray_end - 2, f"+{layout.tray_more}개 더 기다림", "b"))
    if layout.nodes:
        x, y = (14, layout.nodes[0].y - 24) if layout.down else (150 if bare else layout.nodes[0].x + 2, 24)
        out.append(text(x, y, "실제로 있는 것", "s"))
    out.append(f'<g id="board-nodes">{"".join(_node(box, board.now) for box in layout.nodes)}</g>')
    out.append(f'<g id="board-pods">{"".join(draw_pod(box, board.now) for box in layout.pods)}</g>')
    out.append(f'<g id="board-arrows" aria-hidden="true">{draw_arrows(board, ways)}</g>')
    out.append(f'<g id="board-traffic">{draw_traffic(board.traffic, ways)}</g></svg>')
    return "".join(out)


def headline(board: Board) -> str:
    """The picture in one Korean sentence."""
    pods = board.pods
    running = sum(p.look == "running" for p in pods)
    trouble = [p.name for p in pods if p.troubled]
    words = f"노드 {len(board.nodes)}개, 파드 {len(pods)}개 중 {running}개가 온전히 실행 중"
    if board.tray:
        words += f", {len(board.tray)}개가 자리를 기다림"
    return words + (f". 문제 있는 파드: {', '.join(trouble[:5])}" if trouble else "")


def _card(card: Card) -> str:
    thing = card.thing
    if isinstance(thing, Owner):
        return _group(card, f"own k-{_mood(thing)}", thing.ref, owner_label(thing), _owner(thing, card), thing.goal)
    if isinstance(thing, Service):
        hue = "ok" if thing.ready or not thing.selects else "warn"
        return _group(card, f"svc k-{hue}", thing.ref, service_label(thing), _service(thing, card), thing.goal)
    return _group(card, "ghost", thing.ref, f"바라지만 아직 없음: {thing.text}", _ghost(thing, card), "")


def _group(card: Card, cls: str, ref: str, label: str, inside: str, goal: str) -> str:
    mark = f" goal-{goal}" if goal else ""
    flag = ""
    if goal:
        sign = icon("done" if goal == "met" else "blocked", 0, 0)
        flag = f'<g class="goal" transform="translate({n(card.w - 10)},0)"><circle r="9"/>{sign}</g>'
    return (
        f'<g id="w-{esc(ref.replace("/", "-"))}" class="wish {cls}{mark}" '
        f'transform="translate({n(card.x)},{n(card.y)})" data-ref="{esc(ref)}" '
        f'tabindex="0" role="group" aria-label="{esc(label)}">{inside}{flag}</g>'
    )


def _mood(owner: Owner) -> str:
    if owner.want is None:
        return "done"
    return "ok" if owner.ready >= owner.want else "wait"


def owner_label(owner: Owner) -> str:
    count = (
        ""
        if owner.want is None
        else f", {owner.want}개를 바라고 {owner.ready}개가 {'끝남' if owner.kind == 'jobs' else '준비됨'}"
    )
    return f"{kind(owner.kind)} {owner.name}{count}" + (f", {owner.note}" if owner.note else "")


def service_label(service: Service) -> str:
    where = "헤드리스" if service.headless else service.ip
    return f"서비스 {service.name}, {where}, 준비된 파드 {len(service.ready)}개, 기다리는 파드 {len(service.waiting)}개"


def _owner(owner: Owner, card: Card) -> str:
    w = card.w
    out = [
        f'<rect class="box" width="{n(w)}" height="{n(card.h)}" rx="10"/>',
        text(12, 22, owner.name, "t", room=w - 24),
        text(12, 38, kind(owner.kind), "x", room=w - 24),
    ]
    y = 46.0
    if owner.want is not None:
        out.append(_dots(owner, w, y))
        y += 20 * dot_rows(len(owner.dots), w)
    if owner.note:
        out.append(text(12, y + 14, owner.note, "x" if owner.want is not None else "m", room=w - 24, hue="wait"))
        y += 18
    for child in owner.children:
        out.append(
            f'<g id="w-{esc(child.ref.replace("/", "-"))}" class="child" transform="translate(8,{n(y + 4)})" data-ref="{esc(child.ref)}" '
            f'tabindex="0" role="button" aria-label="{esc(owner_label(child))}"><rect '
            f'width="{n(w - 16)}" height="20" rx="5"/>'
            f"{_child(child, w - 16)}</g>"
        )
        y += 24
    return "".join(out)


def _child(child: Owner, w: float) -> str:
    """A revision of a Deployment or a run of a CronJob, in one line."""
    count = f"{child.ready}/{child.want}"
    name = f"{child.revision}판" if child.kind == "replicasets" else child.name.rsplit("-", 1)[-1]
    lead = measure(name, "b") + 14
    middle = child.image.rsplit("/", 1)[-1] if child.kind == "replicasets" else child.note
    return (
        text(8, 14, name, "b")
        + text(lead, 14, middle, "m" if child.kind == "replicasets" else "x", room=w - lead - measure(count, "b") - 14)
        + text(w - 8, 14, count, "b", anchor="end")
    )


def _dots(owner: Owner, w: float, y: float) -> str:
    """Reality as dots beside the number: filled, in trouble, or still missing."""
    count = f"{owner.ready} / {owner.want}"
    across = dots_across(w)
    looks = owner.dots
    if -(-len(looks) // across) > 3:
        return text(12, y + 14, count, "t")
    out = []
    for i, look in enumerate(looks):
        row, column = divmod(i, across)
        out.append(
            f'<g class="ic k-{tone(look)}" transform="translate({18 + column * 16},{n(y + 9 + row * 20)})">{ICONS[look]}</g>'
        )
    at = 18 + min(len(looks), across) * 16 if looks else 12
    return "".join(out) + text(at, y + 14, count, "t")


def _service(service: Service, card: Card) -> str:
    w = card.w
    address = "헤드리스" if service.headless else service.ip
    ports = ", ".join(service.ports[:3])
    total = len(service.ready) + len(service.waiting)
    # a Service without a Pod behind it exists and does not work: say so
    state = f"준비된 파드 {len(service.ready)}/{total}" if total else ("받을 파드가 없음" if service.selects else "셀렉터 없음")
    look = (
        "running"
        if service.ready and not service.waiting
        else "partial"
        if service.ready
        else "blocked"
        if service.selects
        else "stopped"
    )
    return (
        f'<rect class="box" width="{n(w)}" height="{n(card.h)}" rx="{n(min(card.h / 2, 24))}"/>'
        f"{text(20, 21, service.name, 't', room=w - 76)}"
        + text(w - 18, 21, "서비스", "x", anchor="end")
        + _door(service, text(20, 37, f"{address}:{ports}" if ports else address, "m", room=w - 34), w - 34)
        + icon(look, 26, 49)
        + text(37, 53, state, "x", room=w - 52, hue="" if service.ready else "warn")
    )


def _door(service: Service, address: str, room: float) -> str:
    """A Service's address, which opens in the browser tab: its node port where it has one."""
    if not service.ports or service.headless:
        return address
    port, _, rest = service.ports[0].partition("→")[0].partition(":")
    url = f"http://{{node}}:{rest}/" if rest else f"http://{service.name}.{service.namespace}:{port}/"
    return f'<g class="port" data-open="{url}"><rect class="hit" x="16" y="25" width="{n(room)}" height="17"/>{address}</g>'


def _ghost(goal: Goal, card: Card) -> str:
    plural, *_, name = goal.ref.split("/")
    return (
        f'<rect class="box" width="{n(card.w)}" height="{n(card.h)}" rx="10"/>{text(12, 22, name, "t", room=card.w - 24)}'
        + text(12, 38, f"{kind(plural)} · 과제", "x", room=card.w - 24)
        + icon("missing", 18, 50)
        + text(30, 54, goal.text, "x", room=card.w - 40)
    )


def _node(box: NodeBox, now: int) -> str:
    node, w = box.node, box.w
    look, words = node_state(node)
    state = measure(words, "s")
    out = [f'<rect class="ground" width="{n(w)}" height="{n(box.h)}" rx="14"/>']
    hue = "" if look == "running" else tone(look)
    cpu = (node.cpu_asked, node.cpu, f"{node.cpu_asked / 1000:g} / {node.cpu / 1000:g}")
    memory = (node.memory_asked, node.memory, f"{_gib(node.memory_asked)} / {_gib(node.memory)}Gi")
    if box.narrow:
        out += [
            text(14, 24, node.name, "t", room=w - 26),
            icon(look, 20, 38),
            text(31, 42, words, "s", room=w - 40, hue=hue),
            _meter(14, 54, w - 28, "CPU", *cpu),
            _meter(14, 72, w - 28, "메모리", *memory),
        ]
    else:
        bar = (w - 32 - 24) / 2
        out += [
            text(16, 24, node.name, "t", room=max(w - state - 52, 40)),
            icon(look, w - 16 - state * SNUG - 11, 20),
            text(w - 16, 24, words, "s", anchor="end", room=w - 60, hue=hue),
            _meter(16, 38, bar, "CPU", *cpu),
            _meter(40 + bar, 38, bar, "메모리", *memory),
        ]
    out += _notes(box, now)
    if not node.pods:
        out.append(text(w / 2, box.head + 34, "비어 있음", "x", anchor="middle"))
    rest = sum(pod.troubled for pod in node.pods[len(node.pods) - box.more :]) if box.more else 0
    left = [f"파드 +{box.more}" + (f" (문제 {rest})" if rest else "")] if box.more else []
    left += [f"시스템 파드 {node.hidden}개"] if node.hidden else []
    if left:
        out.append(text(w / 2, box.h - 10, " · ".join(left), "x", anchor="middle"))
    classes = "node" + ("" if node.ready == "True" and node.power == "on" else " down") + (" cordoned" if node.cordoned else "")
    label = f"노드 {node.name}, {words}, 파드 {len(node.pods)}개, CPU {node.cpu_asked / 1000:g}/{node.cpu / 1000:g} 요청됨"
    return (
        f'<g id="node-{esc(node.name)}" class="{classes}" transform="translate({n(box.x)},{n(box.y)})" '
        f'data-ref="{esc(node.ref)}" tabindex="0" '
        f'role="button" aria-label="{esc(label)}">{"".join(out)}</g>'
    )


def node_state(node: Node) -> tuple[str, str]:
    """(look, words) of a node's heading."""
    if node.ready != "True":
        return "blocked", node.status
    if node.power != "on":
        return "unknown", node.status
    return ("stopped", "cordon") if node.cordoned else ("running", "Ready")


def _gib(amount: int) -> str:
    return f"{amount / 1024**3:.1f}".removesuffix(".0")


def _meter(x: float, y: float, w: float, name: str, asked: int, room: int, words: str) -> str:
    """Requested beside allocatable; nearly full is of another hue. The numbers are in the tooltip where there is no room."""
    lead = measure(name, "x") + 8
    tail = measure(words, "x") + 8
    if w - lead - tail < 20:
        tail = 0.0
    share = min(asked / room, 1) if room else 0
    rail = w - lead - tail
    out = (
        f'<g class="meter{" tight" if share > 0.9 else ""}" transform="translate({n(x)},{n(y)})"><title>{name} 요청 '
        f"{esc(words)}</title>"
        f'{text(0, 9, name, "x")}<rect class="rail" x="{n(lead)}" y="2" width="{n(rail)}" height="7" rx="3.5"/>'
        f'<rect class="fill" x="{n(lead)}" y="2" width="{n(max(rail * share, 4 if asked else 0))}" height="7" rx="3.5"/>'
    )
    return out + (text(w, 9, words, "x", anchor="end") if tail else "") + "</g>"


DOOM_WORDS = {  # what comes after a number of seconds: where there is room, and in a narrow box
    "notready": ("초 뒤 NotReady", "초 뒤 끊김"),
    "evict": ("초 뒤 파드를 내보냄", "초 뒤 축출"),
}
POWER_WORDS = {"off": "전원 꺼짐", "silent": "소식 없음", "cut": "네트워크 끊김", "full": "디스크 가득 참"}


def _notes(box: NodeBox, now: int) -> list[str]:
    node, room = box.node, box.w - 26
    out = []
    y = box.head - 16 * len(notes(node)) + 8
    for note in notes(node):
        if note == "power":
            words, since = POWER_WORDS.get(node.power, node.power), ""
            if node.since is not None and measure(f"{words} · 00:00", "s") <= room:
                since = f' · <tspan class="tick" data-from="{node.since}">{clock(now - node.since)}</tspan>'
            out.append(f'<text x="16" y="{n(y)}" class="s k-bad">{esc(words)}{since}</text>')
        elif note == "doom" and node.doom:
            long, short = DOOM_WORDS[node.doom[0]]
            what = long if measure("000" + long, "s") <= room else short
            out.append(f'<text x="16" y="{n(y)}" class="s">{countdown(node.doom[1], now)}{what}</text>')
        else:
            first = node.taints[0] + (f" 외 {len(node.taints) - 1}" if len(node.taints) > 1 else "")
            out.append(text(16, y, "테인트 " + first, "x", room=room))
        y += 16
    return out


def miniature(board: Board) -> str:
    """The whole board in at most 4 KB, for a landing page and a teacher's grid: nodes as frames, Pods as dots."""
    count = max(len(board.nodes), 1)
    each = (196 - 6 * (count - 1)) / count
    out = [
        f'<svg class="podlab-mini" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 84" role="img" '
        f'aria-label="{esc(headline(board))}">'
    ]
    crowd = max((len(node.pods) for node in board.nodes), default=0)
    r, step = (7, 18) if crowd <= 12 else (4, 11)
    for i, node in enumerate(board.nodes[:8]):
        x = 2 + i * (each + 6)
        out.append(
            f'<rect class="mn{"" if node.ready == "True" else " down"}" x="{n(x)}" y="2" width="{n(each)}" height="80" rx="5"/>'
        )
        across = max(int((each - 6) // step), 1)
        room = min(across * (72 // step), 48 // min(count, 8) + 2)
        for j, pod in enumerate(node.pods[:room]):
            out.append(
                f'<circle class="k-{tone(pod.look)}{"" if pod.look == "running" else " o"}" '
                f'cx="{n(x + r + 6 + j % across * step)}" '
                f'cy="{2 + r + 6 + j // across * step}" r="{r}"/>'
            )
        if len(node.pods) > room:
            out.append(f'<text x="{n(x + each - 5)}" y="79" text-anchor="end">+{len(node.pods) - room}</text>')
    return "".join(out) + "</svg>"
