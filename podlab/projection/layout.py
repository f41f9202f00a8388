"""Where everything of a Board stands: boxes in pixels, for a picture of a given width. Pure geometry; svg.py draws it.

Wishes stand in a column on the left with the Pods that wait for a place under them; nodes fill the rest, in rows. In a narrow picture
the wishes stand over the nodes instead, in two columns. Pods keep their order, so that a box moves only when one before it is born or
dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .board import Board, Goal, Node, Service
from .owners import Owner
from .pods import Container, Pod
from .shapes import measure

MARGIN = 12
WISHES = 172  # width of the wishes' column
GUTTER = 40  # between wishes and nodes: the Services' trunks run here
NARROW = 640  # below, wishes stand over the nodes
LANE = 24  # between the two columns of wishes over nodes, and left of those: the Services' trunks run here
OVER = 50  # between wishes and the nodes under them: the heading, and the trunks on their way to the left
NODE_GAP = 24  # between nodes: their arrows come down here
POD_GAP = 14
PAD = 12  # inside nodes and Pods
NODE_MIN, NODE_LONE, NODE_EMPTY = 276, 200, 118  # for Pods of several containers, of one, and for none
POD_MIN = 228  # where there is room for more than one beside each other
TILE_MIN, TILE_GAP = 104, 8
TILE_H, TILE_TALL = 74, 90  # wide containers say on one line what narrow ones say on two
TOP = 46  # under the headings of the two sides
NODE_HEAD = 62
NODE_WIDE = 270  # a node less wide has its state and its two meters under each other
STATE_ROOM = 150  # beside a name: room for the longest usual state, "0/1 ContainerCreating"
POD_HEAD, STRIP_H, FLOOR_GAP, FLOOR_H, SHELF_H = 34, 26, 18, 26, 26
STEP_GAP, STEP_ROOM = 12, 33  # between init containers, and beside the name of one: its icon and its round ends
COMPACT_W, COMPACT_H = 150, 52
MINI_W, MINI_H = 76, 28
NODE_CROWDED = 210  # of compact Pods
# Up to so many Pods are drawn in full, then compact, then as chips; past CAP on the whole board a node counts the rest.
FULL, COMPACT, CAP, TRAY_CAP, ARROWS = 12, 28, 96, 6, 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A container inside a Pod; coordinates are the Pod's."""

    container: Container
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class PodBox:
    pod: Pod
    level: str  # full, compact, mini or tray
    x: float
    y: float
    w: float
    h: float
    steps: tuple[Container, ...] = ()  # init containers in their order, where some are not sidecars
    tiles: tuple[Tile, ...] = ()
    floor: float = 0  # y of the network's floor inside the Pod
    channel: float = 0  # x of the free lane beside it, for arrows
    lane: float = 0  # y of the free lane above its row of nodes
    inner: bool = False  # another Pod stands between it and the channel


@dataclass(frozen=True, slots=True)
class NodeBox:
    node: Node
    x: float
    y: float
    w: float
    h: float
    narrow: bool
    more: int  # Pods that are counted, not drawn
    head: float


@dataclass(frozen=True, slots=True)
class Card:
    """An owner, a Service or a ghost in the wishes' column."""

    thing: Owner | Service | Goal
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    cards: tuple[Card, ...]
    tray_y: float | None  # y of the tray's heading
    tray_more: int
    tray_end: float  # y under the tray: where those are counted that it does not show
    nodes: tuple[NodeBox, ...]
    pods: tuple[PodBox, ...]
    down: tuple[float, float] | None = None  # of wishes over nodes: x between their columns, y under them, where trunks turn to the left


def lay_out(board: Board, width: int = 960) -> Layout:
    """The picture's boxes; `width` in pixels, at least 360. Below 640 the wishes stand over the nodes, so that a phone shows its Pods
    whole; below 800 it is all nodes while nothing is wished and nothing waits."""
    width = max(width, 360)
    bare = width < 800 and not (board.owners or board.ghosts or board.services or board.tray)
    over = width < NARROW and not bare
    wishes = (width - 2 * MARGIN - LANE) / 2 if over else WISHES if width >= 800 else 152
    columns = (MARGIN, MARGIN + wishes + LANE) if over else (MARGIN,)
    cards, y = _cards(board, wishes, columns)
    tray_y, tray, y = _tray(board, wishes, columns, y)
    more = max(len(board.tray) - TRAY_CAP, 0)
    left, top = float(MARGIN), float(TOP)
    if over:
        left, top = left + (LANE if board.services else 0), y + OVER - 12
    elif not bare:
        left += wishes + (GUTTER if width >= 800 else 32)
    nodes, pods, bottom = _nodes(board, left, width - left - MARGIN, top)
    down = (MARGIN + wishes + 6, top - 18) if over else None
    return Layout(width, max(y, bottom, 240) + MARGIN, cards, tray_y, more, y, nodes, tuple(tray) + pods, down)


def card_height(thing: Owner | Service | Goal, width: float) -> float:
    if isinstance(thing, Goal | Service):
        return 64
    dots = 0 if thing.want is None else 20 * dot_rows(len(thing.dots), width)
    return 46 + dots + (18 if thing.note else 0) + 24 * len(thing.children) + 10


def dots_across(width: float) -> int:
    return max(int((width - 24 - 52) // 16), 3)


def dot_rows(count: int, width: float) -> int:
    """Rows of dots; more than three rows are told by the number alone."""
    across = dots_across(width)
    rows = -(-count // across) if count else 1
    return rows if rows <= 3 else 1


def _cards(board: Board, width: float, columns: Sequence[float]) -> tuple[tuple[Card, ...], float]:
    """The wishes' boxes, row by row over the x of `columns`, and y under them."""
    y, out = float(TOP), []
    things: list[Owner | Service | Goal] = [*board.owners, *board.ghosts, *board.services]
    for first in range(0, len(things), len(columns)):
        row = [Card(thing, x, y, width, card_height(thing, width)) for thing, x in zip(things[first:], columns, strict=False)]
        out += row
        y += max(card.h for card in row) + 12
    return tuple(out), y if out else y + 40


def _tray(board: Board, width: float, columns: Sequence[float], y: float) -> tuple[float | None, list[PodBox], float]:
    if not board.tray:
        return None, [], y
    heading, y = y + 14, y + 24
    shown = board.tray[:TRAY_CAP]
    out = [PodBox(pod, "tray", columns[i % len(columns)], y + 74 * (i // len(columns)), width, 64) for i, pod in enumerate(shown)]
    return heading, out, y + 74 * -(-len(shown) // len(columns)) + (20 if len(board.tray) > TRAY_CAP else 0)


def _level(board: Board) -> str:
    count = sum(len(node.pods) for node in board.nodes)
    return "full" if count <= FULL else "compact" if count <= COMPACT else "mini"


def _nodes(board: Board, left: float, room: float, y: float) -> tuple[tuple[NodeBox, ...], tuple[PodBox, ...], float]:
    level = _level(board)
    nodes: list[NodeBox] = []
    pods: list[PodBox] = []
    least = NODE_MIN if level == "full" else NODE_CROWDED
    share = max(CAP // max(len(board.nodes), 1), 8)
    for row in _rows(board.nodes, room, least):
        widths = _widths(row, room, least)
        # One squeezed node squeezes its neighbours' headings: they look alike and their Pods begin at one height.
        squeezed = any(width < NODE_WIDE for node, width in zip(row, widths, strict=True) if node.pods)
        x, lowest, first = left, 0.0, len(nodes)
        for node, width in zip(row, widths, strict=True):
            narrow = width < NODE_WIDE or (bool(node.pods) and squeezed)
            head = NODE_HEAD + (38 if narrow else 0) + 16 * len(notes(node))
            drawn = (
                list(node.pods)
                if level != "mini" or sum(len(one.pods) for one in board.nodes) <= CAP
                else list(node.pods[:share])
            )
            boxes, end = _pods(drawn, level, x, y + head, width, lane=y - 10, channel=x - 16)
            more = len(node.pods) - len(drawn)
            height = max(end + (22 if more or node.hidden else 0) - y, head + 70)
            nodes.append(NodeBox(node, x, y, width, height, narrow, more, head))
            pods += boxes
            lowest = max(lowest, height)
            x += width + NODE_GAP
        nodes[first:] = [NodeBox(n.node, n.x, n.y, n.w, lowest, n.narrow, n.more, n.head) for n in nodes[first:]]
        y += lowest + NODE_GAP
    return tuple(nodes), tuple(pods), y - NODE_GAP


def notes(node: Node) -> list[str]:
    """Kinds of notes under a node's heading: one line each."""
    out = []
    if node.power != "on":
        out.append("power")
    if node.doom:
        out.append("doom")
    if node.taints:
        out.append("taints")
    return out


def _need(node: Node, least: float) -> float:
    if not node.pods:
        return NODE_EMPTY
    return least if any(len(floor_containers(pod)) > 1 for pod in node.pods) else min(least, NODE_LONE)


def _rows(nodes: tuple[Node, ...], room: float, least: float) -> list[list[Node]]:
    rows: list[list[Node]] = []
    used = 0.0
    for node in nodes:
        need = _need(node, least)
        if rows and used + NODE_GAP + need <= room:
            rows[-1].append(node)
            used += NODE_GAP + need
        else:
            rows.append([node])
            used = need
    return rows


def _widths(row: list[Node], room: float, least: float) -> list[float]:
    """What is left over goes to the nodes that hold Pods, by the columns that they could use."""
    spare = room - sum(_need(n, least) for n in row) - NODE_GAP * (len(row) - 1)
    weights = [min(sum(_columns_wanted(p) for p in n.pods), 4) for n in row]
    if not any(weights):
        weights = [1] * len(row)
    total = sum(weights)
    return [_need(n, least) + spare * weight / total for n, weight in zip(row, weights, strict=True)]


def _columns_wanted(pod: Pod) -> int:
    return 2 if len(floor_containers(pod)) > 1 else 1


def floor_containers(pod: Pod) -> list[Container]:
    """Those that stand on the network's floor side by side: sidecars, the app's, ephemeral ones; and inits while alone."""
    return [c for c in pod.containers if c.kind != "init"]


def _pods(
    pods: list[Pod], level: str, x: float, y: float, width: float, *, lane: float, channel: float
) -> tuple[list[PodBox], float]:
    inner = width - 2 * PAD
    if level != "full":
        want, height = (COMPACT_W, COMPACT_H) if level == "compact" else (MINI_W, MINI_H)
        gap = 8 if level == "compact" else 6
        across = max(int((inner + gap) // (want + gap)), 1)
        each = (inner - gap * (across - 1)) / across
        boxes = [
            PodBox(
                p,
                level,
                x + PAD + (i % across) * (each + gap),
                y + (i // across) * (height + gap),
                each,
                height,
                channel=channel,
                lane=lane,
            )
            for i, p in enumerate(pods)
        ]
        return boxes, y + -(-len(pods) // across) * (height + gap) + PAD - gap if pods else y
    columns = max(int((inner + POD_GAP) // (POD_MIN + POD_GAP)), 1)
    each = (inner - POD_GAP * (columns - 1)) / columns
    out: list[PodBox] = []
    column, tallest = 0, 0.0
    for pod in pods:
        count = max(len(floor_containers(pod)), 1)
        need = 2 * PAD + count * TILE_MIN + (count - 1) * TILE_GAP
        span = min(max(-(-int(need + POD_GAP) // int(each + POD_GAP)), 1), columns)
        if column + span > columns:
            y, column, tallest = y + tallest + POD_GAP, 0, 0.0
        left = x + PAD + column * (each + POD_GAP)
        box = pod_box(pod, left, y, each * span + POD_GAP * (span - 1), channel=channel, lane=lane, inner=column > 0)
        out.append(box)
        column, tallest = column + span, max(tallest, box.h)
    return out, y + tallest + PAD if pods else y


def pod_head(pod: Pod, width: float) -> float:
    """Height of a Pod's heading: a long name has its own line. By the name alone, so that a change of state moves nothing."""
    return POD_HEAD if measure(pod.name, "t") + (30 if pod.revision else 0) + STATE_ROOM <= width - 2 * PAD else POD_HEAD + 17


def steps_across(steps: Sequence[Container], width: float) -> int:
    """Init containers beside each other in a Pod: as many as can tell their names whole; the rest stand in rows under them."""
    need = max(measure(step.name, "b") for step in steps) + STEP_ROOM
    fitting = min(max(int((width - 2 * PAD + STEP_GAP) // (need + STEP_GAP)), 1), len(steps))
    return -(-len(steps) // -(-len(steps) // fitting))  # as even as its number of rows allows


def pod_box(pod: Pod, x: float, y: float, width: float, *, channel: float = 0, lane: float = 0, inner: bool = False) -> PodBox:
    """A Pod in full: heading, steps of its init containers, containers on their floor, volumes as shelves under it."""
    steps = tuple(c for c in pod.containers if c.kind in ("init", "sidecar"))
    if all(c.kind == "sidecar" for c in steps):
        steps = ()
    strip = -(-len(steps) // steps_across(steps, width)) * (STRIP_H + 6) + 2 if steps else 0
    top = pod_head(pod, width) + strip + (16 if pod.look == "terminating" else 0)
    containers = floor_containers(pod)
    room = width - 2 * PAD
    across = min(max(int((room + TILE_GAP) // (TILE_MIN + TILE_GAP)), 1), max(len(containers), 1))
    each = (room - TILE_GAP * (across - 1)) / across
    high = TILE_H if each >= 170 else TILE_TALL
    tiles = tuple(
        Tile(c, PAD + (i % across) * (each + TILE_GAP), top + (i // across) * (high + 10), each, high)
        for i, c in enumerate(containers)
    )
    rows = -(-len(containers) // across) if containers else 0
    floor = top + rows * (high + 10) - 10 + FLOOR_GAP
    shelves = min(len(pod.volumes), 4)
    return PodBox(
        pod, "full", x, y, width, floor + FLOOR_H + shelves * (SHELF_H + 6) + 12, steps, tiles, floor, channel, lane, inner
    )
