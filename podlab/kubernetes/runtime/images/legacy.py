"""podlab/legacy: an old intranet application that knows no login.

    /            a page; whoever X-Forwarded-Email names is greeted, and nobody is turned away
    /notes       GET lists, POST (text=...) adds a note in that name       /api/notes    the same as JSON
    /whoami      what the application knows of the caller, as text          /healthz      200 while it lives

LISTEN (0.0.0.0) and PORT (8080) say where it listens. Each request is one line of its log. TERM ends it with code 0.
"""

from __future__ import annotations

import json
from html import escape
from urllib.parse import parse_qsl

from ...times import stamp
from .. import dns, http
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import INT, TERM, Process
from ..program import MEBIBYTE
from ..serving import Answer, web_program
from ..system import Sys
from .base import PATH, base_tree

NOTES_KEPT = 20
NOTE_MAX = 200  # characters
STYLE = (
    "body{margin:0;font-family:sans-serif;background:#f4f1e8;color:#2b2b2b;word-break:keep-all}"
    "header{background:#5b4a2f;color:#fff;padding:14px 20px}"
    "h1{margin:0;font-size:19px}main{padding:18px 20px;max-width:640px}.who{background:#fff;border-left:4px solid #b98a2f;padding:10px 14px}"
    "li{margin:4px 0}input{padding:7px;font-size:15px;width:60%}button{padding:7px 14px;font-size:15px}small{color:#6b6b6b}"
)


def _start(proc: Process, sys: Sys) -> tuple[str, int] | str:
    address, port = proc["env"].get("LISTEN") or "0.0.0.0", proc["env"].get("PORT") or "8080"
    if not port.isdigit() or not 0 < int(port) < 65536:
        return f"legacy: PORT is not a port: {port}\n"
    if not dns.is_address(address):
        return f"legacy: LISTEN is not an address: {address}\n"
    proc["data"]["notes"] = [["총무팀", "회의실 예약은 이 게시판에 적어 주세요."]]
    sys.out(f"legacy: listening on {address}:{port}, no login\n")
    return address, int(port)


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    who = request.get("X-Forwarded-Email")[:100]
    found = _page(proc, sys, request, who)
    sys.out(f"{stamp(sys.now, '%Y-%m-%dT%H:%M:%SZ')} {peer} {who or '-'} {request.method} {request.target[:500]} {found.status}\n")
    return found


def _page(proc: Process, sys: Sys, request: http.Message, who: str) -> http.Message:
    path, notes = request.path, proc["data"]["notes"]
    if path == "/healthz":
        return text_answer("ok\n")
    if path == "/whoami":
        groups = request.get("X-Forwarded-Groups")
        return text_answer(f"email: {who or '(모름)'}\ngroups: {groups or '(모름)'}\npod: {sys.hostname}\n")
    if path in ("/notes", "/api/notes") and request.method == "POST":
        text = dict(parse_qsl(request.body, keep_blank_values=True)).get("text", "").strip()[:NOTE_MAX]
        if text:
            notes.append([who or "이름 없음", text])
            del notes[:-NOTES_KEPT]
        return text_answer("", 303, headers=[("Location", "/notes")]) if path == "/notes" else _json(notes, 201)
    if path == "/api/notes":
        return _json(notes)
    if path == "/":
        greeting = f"<b>{escape(who)}</b> 님, 안녕하세요." if who else "누구신지 모르지만, 들어오셨으니 보여 드립니다."
        links = f'<p><a href="/notes">게시글 보기</a></p>\n<p><small>{escape(sys.hostname)}</small></p>\n'
        return _html("사내 게시판", f'<p class="who">{greeting}</p>\n{links}')
    if path == "/notes":
        lines = "".join(f"<li><b>{escape(name)}</b> {escape(text)}</li>\n" for name, text in notes)
        form = '<form method="post" action="/notes"><input name="text" aria-label="글"> <button>남기기</button></form>\n'
        return _html("게시글", f'<ul>\n{lines}</ul>\n{form}<p><a href="/">처음으로</a></p>\n')
    return text_answer("not found\n", 404)


def _json(notes: list[list[str]], status: int = 200) -> http.Message:
    return text_answer(json.dumps([{"who": name, "text": text} for name, text in notes], ensure_ascii=False) + "\n", status, "application/json")


def _html(title: str, body: str) -> http.Message:
    text = (
        f'<!doctype html>\n<html lang="ko">\n<head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head>\n'
        f"<body>\n<header><h1>{title}</h1></header>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
    return text_answer(text, kind="text/html; charset=utf-8")


def _signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        sys.exit(0)
    return False


web_program("podlab-legacy", _start, _answer, memory=8 * MEBIBYTE, signal=_signal)
add(
    Image(
        "docker.io/podlab/legacy",
        ("latest", "1.0"),
        base_tree("alpine", {"bin": {"legacy": Entry(program="podlab-legacy", size=6_400_000)}}, extra=("curl",)),
        7_100_000,
        cmd=("legacy",),
        env={"PATH": PATH},
        ports=(8080,),
    )
)
