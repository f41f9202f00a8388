"""The small picture of a cluster on a tile: nodes as boxes, Pods as squares, told apart by colour, shape and the tile's words.

Drawn from projection rows, of a live cluster or of a sleeping one alike. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from podlab.classroom.signals import mood_of

WIDTH, HEIGHT, GAP = 216, 76, 6  # of the picture, SVG units
POD, POD_GAP = 11, 3
TRAY = 34  # width of the place for Pods that no node has


def draw(nodes: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]) -> str:
    """An <svg> without ids: two hundred of them stand on one page."""
    waiting = [pod for pod in pods if not pod["node_name"]]
    room = WIDTH - (TRAY + GAP if waiting else 0)
    width = (room - GAP * (len(nodes) - 1)) / max(len(nodes), 1)
    parts = []
    for number, node in enumerate(nodes):
        left = number * (width + GAP)
        state = "" if node["ready"] and node["schedulable"] else " down" if not node["ready"] else " closed"
        parts.append(f'<rect class="m-node{state}" x="{left:.1f}" y="0.5" width="{width:.1f}" height="{HEIGHT - 1}" rx="5"/>')
        if not node["ready"]:
            parts.append(f'<path class="m-cross" d="M{left + 4:.1f} 5l8 8m0-8l-8 8"/>')
        parts += _squares([pod for pod in pods if pod["node_name"] == node["name"]], left + 5, width - 10)
    if waiting:
        parts.append(f'<rect class="m-tray" x="{WIDTH - TRAY}" y="0.5" width="{TRAY}" height="{HEIGHT - 1}" rx="5"/>')
        parts += _squares(waiting, WIDTH - TRAY + 4, TRAY - 8)
    told = escape(f"노드 {len(nodes)}, 파드 {len(pods)}")
    return f'<svg class="m" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">{"".join(parts)}</svg>'


def _squares(pods: Sequence[Mapping[str, Any]], left: float, width: float) -> list[str]:
    columns = max(int((width + POD_GAP) // (POD + POD_GAP)), 1)
    rows = int((HEIGHT - 14 + POD_GAP) // (POD + POD_GAP))
    room = columns * rows
    shown = pods if len(pods) <= room else pods[: room - 1]
    parts = []
    for place, pod in enumerate(sorted(shown, key=lambda pod: (pod["created_ms"], pod["name"]))):
        x, y = left + (place % columns) * (POD + POD_GAP), 7 + (place // columns) * (POD + POD_GAP)
        parts.append(_square(mood_of(pod), x, y, bool(pod["restarts"])))
    if len(shown) < len(pods):
        x, y = left + ((room - 1) % columns) * (POD + POD_GAP), 7 + (rows - 1) * (POD + POD_GAP)
        parts.append(f'<text class="m-more" x="{x:.1f}" y="{y + 9:.1f}">+{len(pods) - len(shown)}</text>')
    return parts


def _square(mood: str, x: float, y: float, restarted: bool) -> str:
    """Bad ones are crossed, waiting ones hollow, done ones round: not by colour alone."""
    radius = POD / 2 if mood == "done" else 2.5
    drawn = f'<rect class="m-pod {mood}" x="{x:.1f}" y="{y:.1f}" width="{POD}" height="{POD}" rx="{radius}"/>'
    if mood == "bad":
        drawn += f'<path class="m-x" d="M{x + 3:.1f} {y + 3:.1f}l5 5m0-5l-5 5"/>'
    elif restarted:
        drawn += f'<circle class="m-again" cx="{x + POD - 1:.1f}" cy="{y + 1:.1f}" r="2.5"/>'
    return drawn
