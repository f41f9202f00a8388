"""Board -> named fragments of the page, and which of them changed: a page gets only what is new."""

from __future__ import annotations

from dataclasses import dataclass

from .board import EVERYTHING, Board, Options, build
from .shapes import esc
from .svg import draw, headline
from .twin import changes, outline
from .view import View


@dataclass(frozen=True, slots=True)
class Rendered:
    """One render of a cluster revision, shared by all its viewers."""

    board: Board
    fragments: dict[str, str]


def render(view: View, options: Options = EVERYTHING, width: int = 960) -> Rendered:
    """The whole board of a view: fragments by name.

    `diagram`: the <svg id="board-svg">; `twin`: <div id="board-twin"> with headings and lists for screen readers;
    `counters`: <dl id="board-counters">, the numbers in short.
    """
    board = build(view, options)
    return Rendered(board, {"diagram": draw(board, width), "twin": twin_html(board), "counters": counters_html(board)})


def changed(old: Rendered | None, new: Rendered) -> dict[str, str]:
    """The fragments to send; none when nothing but time passed (the page ticks by itself)."""
    if old is None:
        return dict(new.fragments)
    same = old.board == new.board
    return {
        name: html
        for name, html in new.fragments.items()
        if html != old.fragments.get(name) and not (same and (name != "diagram" or old.board.traffic == new.board.traffic))
    }


def news(old: Rendered | None, new: Rendered) -> list[str]:
    """Sentences for the live region."""
    return changes(old.board, new.board) if old is not None else [headline(new.board)]


def twin_html(board: Board) -> str:
    parts = [
        f"<h3>{esc(heading)}</h3><ul>{''.join(f'<li>{esc(item)}</li>' for item in items)}</ul>"
        for heading, items in outline(board)
    ]
    return f'<div id="board-twin"><p>{esc(headline(board))}</p>{"".join(parts)}</div>'


def counters_html(board: Board) -> str:
    pods = board.pods
    numbers = (
        ("파드", len(pods)),
        ("준비됨", sum(p.look == "running" for p in pods)),
        ("기다림", sum(p.phase == "Pending" for p in pods)),
        ("문제", sum(p.troubled for p in pods)),
        ("노드", len(board.nodes)),
    )
    return (
        '<dl id="board-counters">' + "".join(f"<div><dt>{name}</dt><dd>{count}</dd></div>" for name, count in numbers) + "</dl>"
    )
