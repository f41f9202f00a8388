"""Draws recordings at moments into one HTML file, to look at: `python tests/projection/picture.py out.html port-conflict@15 job@5 [--width 960] [--dark]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from recorded import Recorded  # noqa: E402

from podlab.projection.board import build  # noqa: E402
from podlab.projection.svg import draw, miniature  # noqa: E402

PAGE = """<!doctype html><html lang="ko" data-theme="{theme}"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<style>{tokens}{css} body{{background:var(--paper);color:var(--ink);font:15px/1.65 var(--sans);margin:16px}}
figure{{margin:0 0 28px;max-width:{width}px}} .mini{{width:200px}}</style>{body}</html>"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("moments", nargs="+")
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--dark", action="store_true")
    args = parser.parse_args()
    body = []
    for moment in args.moments:
        name, _, t = moment.partition("@")
        board = build(Recorded(name, float(t)))
        body.append(f'<figure><figcaption>{moment}</figcaption><div class="board-scroll">{draw(board, args.width)}</div>'
                    f'<div class="mini">{miniature(board)}</div></figure>')
    source = ROOT / "static" / "src"
    tokens = source / "tokens.css"
    Path(args.out).write_text(PAGE.format(
        theme="dark" if args.dark else "light", tokens=tokens.read_text() if tokens.exists() else "",
        css=(source / "board.css").read_text(), body="".join(body), width=args.width), encoding="utf-8")


if __name__ == "__main__":
    main()
