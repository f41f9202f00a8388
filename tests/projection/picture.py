"""Draws recordings at moments, and scenes, into one HTML file to look at.

`python -m tests.projection.picture out.html port-conflict@15 still crowd60 [--width 960] [--dark]`
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from podlab.projection.board import Goal, Options, build
from podlab.projection.shapes import esc
from podlab.projection.svg import draw, miniature
from podlab.projection.why import why

from .recorded import Recorded
from .scenes import SCENES

SOURCE = Path(__file__).resolve().parents[2] / "static" / "src"
PAGE = """<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<style>{tokens}{css} body{{background:var(--paper);color:var(--ink);font:15px/1.65 var(--sans);margin:16px}}
figure{{margin:0 0 28px}} .mini{{width:200px}}</style>{body}</html>"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("moments", nargs="+")
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--why", action="append", default=[])
    parser.add_argument("--goal", action="append", default=[], help="ref=text")
    args = parser.parse_args()
    body = []
    goals = tuple(Goal(*goal.split("=", 1), met=False) for goal in args.goal)
    for moment in args.moments:
        name, _, t = moment.partition("@")
        view = SCENES[name]() if name in SCENES else Recorded(name, float(t))
        board = build(view, Options(goals=goals))
        body.append(
            f'<figure><figcaption>{moment}</figcaption><div>{draw(board, args.width)}</div>'
            f'<div class="mini">{miniature(board)}</div></figure>'
        )
        for ref in args.why:
            chain = why(view, *ref.split("#"), board=board)
            lines = "".join(f"<li><small>{line.t}</small> <b>{esc(line.who)}</b> {esc(line.text)}</li>" for line in chain.lines)
            body.append(f"<h3>{esc(chain.headline)}</h3><ol>{lines}</ol>")
    tokens = (SOURCE / "styles" / "tokens.css").read_text(encoding="utf-8")
    if args.dark:
        tokens = re.sub(r"@media \(prefers-color-scheme: dark\)", "@media all", tokens)
    Path(args.out).write_text(
        PAGE.format(tokens=tokens, css=(SOURCE / "board.css").read_text(encoding="utf-8"), body="".join(body)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
