"""The lab page's fragments as HTML: small templates with everything escaped, each carrying hx-swap-oob where it is sent by itself."""

from __future__ import annotations

import json
import re
from typing import Any

from django.db import transaction
from django.template.loader import render_to_string
from django.utils.html import format_html

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.kubectl import output
from podlab.kubernetes.kubectl.describe import describe
from podlab.kubernetes.kubectl.page_editor import Opened
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.resources import BY_PLURAL
from podlab.kubernetes.times import parse_rfc3339
from podlab.labs import limits
from podlab.labs.lint import Problem
from podlab.labs.live import RATES, LiveCluster
from podlab.labs.models import File
from podlab.labs.suggest import Word
from podlab.projection import explanations, fidelity, korean, regions
from podlab.projection import requests as projection_requests
from podlab.projection.board import Board, Options
from podlab.projection.korean import clock as clock_text
from podlab.projection.regions import Rendered
from podlab.projection.shapes import esc
from podlab.projection.timeline import Dot
from podlab.projection.why import why

RATE_NAMES = {0.0: ("❚❚", "시간 멈춤"), 0.25: ("0.25×", "0.25배로"), 1.0: ("1×", "1배로"), 4.0: ("4×", "4배로"), 16.0: ("16×", "16배로")}
AUTHOR, GONE = re.compile(r"@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"), "나간 사람"
VIEW_NAMES = {"describe": "설명", "yaml": "YAML", "events": "이벤트", "why": "왜?"}
MARKS = {"good": "✓", "warn": "!", "bad": "✕"}  # a dot's mood is not told by colour alone
NOTHING_YET = '<li class="empty">아직 아무 일도 일어나지 않았습니다.</li>'
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")  # ECMA-48: CSI, OSC and two-character sequences
CLEARS = re.compile(r"\x1b\[[23]?J|\x1bc")
UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_TEXT = 60_000  # characters of one inspector view


# ---- the diagram

def rendered(live: LiveCluster, width: int, options: Options) -> Rendered:
    """The board at the present; one render a revision, width and options, shared by all who look."""
    key = live.picture_key()
    if live.render_key != key:
        live.render_key, live.render = key, {}
    found: Rendered | None = live.render.get((width, options))
    if found is None:
        found = live.render[width, options] = regions.render(live.engine, options, width)
    return found


def out_of_band(html: str) -> str:
    """A fragment's root with hx-swap-oob. It is morphed: elements keep identity, focus and scroll, and the page can move them."""
    tag, rest = html.split(" ", 1)
    return f'{tag} hx-swap-oob="morph" {rest}'


def news(sentences: list[str]) -> str:
    return format_html('<p id="news" class="unseen" role="status" aria-live="polite" hx-swap-oob="true">{}</p>', " ".join(sentences[:6]))


# ---- time

def clock_facts(live: LiveCluster) -> dict[str, Any]:
    return {"now": live.engine.now, "start": live.engine.start, "rate": live.rate}


def rates(present: float) -> list[tuple[float, str, str, bool]]:
    """(rate, name, name to be read aloud, whether it is the present one)."""
    return [(rate, *RATE_NAMES[rate], rate == present) for rate in RATES]


def clock(live: LiveCluster) -> str:
    facts = {**clock_facts(live), "text": clock_text(live.engine.now - live.engine.start), "rates": rates(live.rate), "oob": True}
    return render_to_string("labs/_clock.html", facts)


def named(live: LiveCluster, html: str) -> str:
    """The authors of a shared cluster's acts by name: the projection only knows their ids (reasons.actor)."""
    return AUTHOR.sub(lambda match: esc(live.people.get(match[1], GONE)), html) if live.people else html


# Both are made anew at every change of a cluster, for all who look at it: hence no templates, which take 4 ms where this takes 0.1.

def track(live: LiveCluster) -> str:
    """The dots of the past along the time bar; the page places them by `data-t`, as its clock goes on."""
    buttons = "".join(f'<button type="button" tabindex="-1" id="dot-{dot.t}-{number}" class="{dot.severity} {dot.kind}" data-t="{dot.t}" '
                      f'data-why="{esc(dot.ref)}" title="T+{clock_text(dot.t - live.engine.start)} {esc(dot.label)}{_others(dot)}"></button>'
                      for number, dot in enumerate(live.past.timeline(live.engine, slots=60), 1))
    return named(live, f'<div id="track" class="track" hx-swap-oob="morph" aria-hidden="true">{buttons}</div>')


def timeline(live: LiveCluster) -> str:
    """The past in words, the newest first."""
    dots = [*enumerate(live.past.timeline(live.engine, slots=150))][::-1]
    lines = "".join(_line(number, dot, live.engine.start) for number, dot in dots)
    return named(live, f'<ol id="timeline" class="timeline" hx-swap-oob="morph">{lines or NOTHING_YET}</ol>')


def _line(number: int, dot: Dot, start: int) -> str:
    label, others = esc(dot.label), _others(dot)
    mark = f'<span class="mark" aria-hidden="true">{MARKS[dot.severity]}</span> ' if dot.severity in MARKS else ""
    ask = f'<button type="button" class="quiet" data-why="{esc(dot.ref)}" aria-label="왜? {label}">왜?</button>' if dot.ref else ""
    return (f'<li id="line-{dot.t}-{number}" class="{dot.severity}"><time>{clock_text(dot.t - start)}</time><span>{mark}{label}'
            f'{f" <small>{others[1:]}</small>" if others else ""}</span>{ask}</li>')


def _others(dot: Dot) -> str:
    return f" 외 {dot.count - 1}건" if dot.count > 1 else ""


def requests(live: LiveCluster) -> str:
    """The recent requests, each with its hops; made anew when the network has moved."""
    told = live.engine.network.state["traffic"]
    key = (live.era, live.engine.network.state["next"], len(told), told[-1]["trace"] if told else "", live.engine.etcd.revision)
    if live.requests_key != key:
        live.requests_key, live.requests = key, render_to_string("labs/_requests.html", {"traces": [
            {"trace": trace, "key": trace.id.replace(".", "-"), "clock": clock_text(trace.t - live.engine.start), "ms": str(trace.ms),
             "retries": str(trace.tries - 1) if trace.tries > 1 else "",
             "hops": [{"hop": hop, "depth": str(min(hop.depth, 4)), "port": str(hop.port), "ms": str(hop.ms),
                       "words": projection_requests.sentence(hop), "wire": projection_requests.wire(hop),
                       "mood": "good" if 0 < hop.status < 400 else "bad"} for hop in trace.hops]}
            for trace in projection_requests.requests(live.engine)]})
    return live.requests


# ---- the inspector

def inspector(live: LiveCluster, ref: str, view: str, board: Board) -> str:
    """One object, four ways: describe, YAML, events, why. `ref` is `plural/name`, `plural/namespace/name`, either with `#container`."""
    path, _, container = ref.partition("#")
    parts = path.split("/")
    plural, name, namespace = parts[0], parts[-1], parts[1] if len(parts) == 3 else None
    resource = BY_PLURAL.get(plural) or live.engine.server.customs.find(plural)
    obj = live.engine.etcd.get(plural, "/".join(parts[1:])) if resource else None
    kind = korean.KINDS.get(plural) or (resource.kind if resource else plural)
    context: dict[str, Any] = {"ref": ref, "view": view, "view_name": VIEW_NAMES[view], "views": list(VIEW_NAMES.items()), "name": name,
                               "container": container, "kind": kind,
                               "key": f"{ref}-{view}".replace("/", "-").replace("#", "-")}
    if obj is not None:
        context["notes"] = fidelity.notes_of(obj)
    conditions = dig(obj, "status.conditions", ()) if obj is not None else ()
    failure = next((c for c in conditions if c["type"] == "ReplicaFailure" and c["status"] == "True"), None)
    if failure is not None:
        context["failure"] = {"message": failure.get("message", ""), "told": explanations.explain("", failure.get("message", ""))}
    if view == "why":
        context["why"] = told = why(live.engine, path, container, board)
        context["lines"] = [{"severity": line.severity, "t": line.t, "who": line.who, "text": line.text, "ref": line.ref,
                             "link": korean.thing(line.ref) if _inspectable(live, line.ref, path) else ""} for line in told.lines]
    elif obj is None or resource is None:
        context["gone"] = True
    elif view == "events":
        context["events"] = events_of(live, obj)
    elif view == "yaml":
        context["text"] = output.render("yaml", [obj], single=True)[:LONGEST_TEXT]
    else:
        context["text"] = describe(live.engine.client("kubernetes-admin"), resource, name, namespace, live.engine.now)[:LONGEST_TEXT]
    return named(live, render_to_string("labs/_inspector.html", context))


def _inspectable(live: LiveCluster, ref: str, present: str) -> bool:
    """Whether a line of a chain leads to another object that still exists."""
    plural, _, key = ref.partition("/")
    known = plural in BY_PLURAL or live.engine.server.customs.find(plural) is not None
    return ref not in ("", present) and known and live.engine.etcd.get(plural, key) is not None


def events_of(live: LiveCluster, obj: Map) -> list[dict[str, Any]]:
    uid = obj["metadata"]["uid"]
    found = [(_told_at(event), event) for event in live.engine.etcd.list("events", obj["metadata"].get("namespace") or "default")
             if event["involvedObject"].get("uid") in (uid, obj["metadata"]["name"])]  # a node's events name it instead of its uid
    found.sort(key=lambda item: item[0], reverse=True)
    return [{"type": event["type"], "reason": event["reason"], "message": event["message"], "count": event.get("count") or 1,
             "clock": clock_text(at - live.engine.start)} for at, event in found[:40]]


def _told_at(event: Map) -> int:
    return parse_rfc3339(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


# ---- the terminal

def terminal_text(stream: str, text: str) -> str:
    """What a command printed, as text. Of a terminal's control sequences only "clear the screen" is obeyed."""
    found = CLEARS.split(text)
    shown = UNSHOWN.sub("", ESCAPES.sub("", found[-1]).replace("\r\n", "\n"))
    way = "innerHTML" if len(found) > 1 else "beforeend"
    return format_html('<div id="terminal-log" hx-swap-oob="{}"><span class="{}">{}</span></div>', way, f"t-{stream}", shown)


def typed(prompt_text: str, line: str) -> str:
    """A command that the page itself enters, as if typed."""
    return format_html('<div id="terminal-log" hx-swap-oob="beforeend"><span class="t-in"><span class="t-prompt">{}</span>{}\n</span></div>',
                       prompt_text, line)


def prompt(text: str, busy: bool) -> str:
    return format_html('<span id="terminal-prompt" class="t-prompt" hx-swap-oob="morph" data-busy="{}">{}</span>', "1" if busy else "", text)


def completions(line: str, words: list[str]) -> str:
    return format_html('<div id="terminal-completions" hidden hx-swap-oob="true" data-line="{}" data-words="{}"></div>', line, "\n".join(words[:60]))


# ---- the YAML editor

def problems(request: str, found: list[Problem]) -> str:
    """Under the editor; the page marks the lines by data-line and data-message. `request` tells which text was looked at."""
    return render_to_string("labs/_problems.html", {"request": request, "problems": [
        {"line": str(one.line), "message": one.message, "told": one.told} for one in found[:20]]})


def words(request: str, found: list[Word]) -> str:
    told = [{"label": word.text, "detail": word.kind, "info": word.detail} for word in found]
    return format_html('<div id="yaml-words" hidden hx-swap-oob="true" data-request="{}" data-words="{}"></div>', request,
                       json.dumps(told, ensure_ascii=False))


def opened(file: Opened | None) -> str:
    """The file that a command in the terminal waits to have edited; none: it no longer waits."""
    number, name, text = (file.number, file.name, file.text) if file is not None else ("", "", "")
    return format_html('<div id="yaml-opened" hidden hx-swap-oob="true" data-number="{}" data-name="{}" data-text="{}"></div>', number, name, text)


# ---- words to the learner

def notice(text: str, kind: str = "info") -> str:
    return _notice(format_html("<span>{}</span>", text), kind, "status")


def refusal(error: ApiError) -> str:
    """The API server's own words, and a Korean line that explains them."""
    told = None if isinstance(error, limits.Refusal) else explanations.explain(error.reason, error.message)
    return _notice(format_html("<span>{}</span>", error.message) if told is None else
                   format_html("<span><b>{}</b><code>{}</code></span>", told, error.message), "bad", "alert")


def _notice(body: str, kind: str, role: str) -> str:
    return format_html('<div id="notices" hx-swap-oob="beforeend"><div class="notice {}" role="{}">{}<button type="button" class="close" data-close '
                       'aria-label="닫기">✕</button></div></div>', kind, role, body)


# ---- the learner's files

def files_changed(before: dict[str, str], after: dict[str, str]) -> str:
    """What the shell has made, changed or removed, for the editor: {name: text, or null where it is gone}."""
    told = {name: text for name, text in after.items() if before.get(name) != text} | {name: None for name in before if name not in after}
    return format_html('<div id="file-changes" hidden hx-swap-oob="true" data-files="{}"></div>', json.dumps(told, ensure_ascii=False))


def load_files(cluster_id: int) -> dict[str, str]:
    return dict(File.objects.filter(cluster_id=cluster_id).values_list("name", "text"))


def save_files(cluster_id: int, files: dict[str, str]) -> None:
    with transaction.atomic():
        File.objects.filter(cluster_id=cluster_id).exclude(name__in=list(files)).delete()
        File.objects.bulk_create([File(cluster_id=cluster_id, name=name, text=limits.writable(text)) for name, text in files.items()],
                                 update_conflicts=True, unique_fields=["cluster", "name"], update_fields=["text"])
