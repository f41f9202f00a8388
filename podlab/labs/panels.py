"""The lab page's fragments as HTML: small templates with everything escaped, each carrying hx-swap-oob where it is sent by itself."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.template.loader import render_to_string
from django.utils.html import escape, format_html

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.kubectl import output
from podlab.kubernetes.kubectl.describe import describe
from podlab.kubernetes.objects import Map
from podlab.kubernetes.resources import BY_PLURAL
from podlab.labs.live import RATES, LiveCluster
from podlab.labs.models import File
from podlab.projection import explanations, regions
from podlab.projection import timeline as projection_timeline
from podlab.projection.board import Board, Options
from podlab.projection.korean import clock as clock_text
from podlab.projection.regions import Rendered
from podlab.projection.why import why

INSPECTOR_VIEWS = ("describe", "yaml", "events", "why")
RATE_NAMES = {0.0: "멈춤", 0.25: "0.25×", 1.0: "1×", 4.0: "4×", 16.0: "16×"}
LONGEST_TEXT = 60_000  # characters of one inspector view


# ---- the diagram

def rendered(live: LiveCluster, width: int, options: Options) -> Rendered:
    """The board at the present; one render a revision and width, shared by all who look."""
    key = (live.engine.etcd.revision, live.engine.causes.last, live.engine.network.state["next"], width, options)
    if live.render_key != key:
        live.render_key, live.render = key, regions.render(live.engine, options, width)
    found: Rendered = live.render
    return found


def out_of_band(name: str, html: str) -> str:
    """A fragment's root with hx-swap-oob. The diagram is morphed, so that its elements keep their identity and CSS can move them."""
    tag, rest = html.split(" ", 1)
    return f'{tag} hx-swap-oob="{"morph" if name == "diagram" else "true"}" {rest}'


def news(sentences: list[str]) -> str:
    return format_html('<p id="news" class="unseen" role="status" aria-live="polite" hx-swap-oob="true">{}</p>', " ".join(sentences[:6]))


# ---- time

def clock_facts(live: LiveCluster) -> dict[str, Any]:
    return {"now": live.engine.now, "start": live.engine.start, "rate": live.rate}


def rates(present: float) -> list[tuple[float, str, bool]]:
    """(rate, name, whether it is the present one)."""
    return [(rate, RATE_NAMES[rate], rate == present) for rate in RATES]


def clock(live: LiveCluster) -> str:
    facts = {**clock_facts(live), "text": clock_text(live.engine.now - live.engine.start), "rates": rates(live.rate), "oob": True}
    return render_to_string("labs/_clock.html", facts)


def track(live: LiveCluster) -> str:
    """The dots of the past along the time bar."""
    dots = projection_timeline.timeline(live.engine, slots=80)
    span = max(live.engine.now - live.engine.start, 1)
    placed = [{"x": round((dot.t - live.engine.start) * 1000 / span), "dot": dot, "clock": clock_text(dot.t - live.engine.start)} for dot in dots]
    return render_to_string("labs/_track.html", {"dots": placed})


def timeline(live: LiveCluster) -> str:
    dots = projection_timeline.timeline(live.engine, slots=150)
    lines = [{"dot": dot, "clock": clock_text(dot.t - live.engine.start)} for dot in reversed(dots)]
    return render_to_string("labs/_timeline.html", {"lines": lines})


# ---- the inspector

def inspector(live: LiveCluster, ref: str, view: str, board: Board) -> str:
    """One object, four ways: describe, YAML, events, why."""
    parts = ref.split("#")[0].split("/")
    container = ref.partition("#")[2]
    context: dict[str, Any] = {"ref": ref, "view": view, "views": [("describe", "설명"), ("yaml", "YAML"), ("events", "이벤트"), ("why", "왜?")]}
    plural, name, namespace = parts[0], parts[-1], parts[1] if len(parts) == 3 else None
    resource = BY_PLURAL.get(plural)
    obj = live.engine.etcd.get(plural, "/".join(parts[1:])) if resource else None
    context.update(name=name, plural=plural, container=container, kind=resource.kind if resource else plural)
    if obj is None or resource is None:
        context["gone"] = True
        if view == "why":
            context["why"] = why(live.engine, "/".join(parts), container, board)
    elif view == "why":
        context["why"] = why(live.engine, "/".join(parts), container, board)
    elif view == "events":
        context["events"] = events_of(live, obj)
    elif view == "yaml":
        context["text"] = output.render("yaml", [obj], single=True)[:LONGEST_TEXT]
    else:
        context["text"] = describe(live.engine.client("kubernetes-admin"), resource, name, namespace, live.engine.now)[:LONGEST_TEXT]
    return render_to_string("labs/_inspector.html", context)


def events_of(live: LiveCluster, obj: Map) -> list[dict[str, Any]]:
    uid = obj["metadata"]["uid"]
    found = [event for event in live.engine.etcd.list("events", obj["metadata"].get("namespace") or "default")
             if event["involvedObject"].get("uid") == uid]
    found.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", reverse=True)
    return [{"type": event["type"], "reason": event["reason"], "message": event["message"], "count": event.get("count") or 1,
             "at": event.get("lastTimestamp") or event.get("eventTime") or ""} for event in found[:40]]


# ---- the terminal

def terminal_text(stream: str, text: str) -> str:
    return format_html('<div id="terminal-log" hx-swap-oob="beforeend"><span class="{}">{}</span></div>', f"t-{stream}", text)


def typed(prompt_text: str, line: str) -> str:
    """A command that the page itself enters, as if typed."""
    return format_html('<div id="terminal-log" hx-swap-oob="beforeend"><span class="t-prompt">{}</span><span class="t-in">{}\n</span></div>',
                       prompt_text, line)


def prompt(text: str, busy: bool) -> str:
    return format_html('<span id="terminal-prompt" class="t-prompt" hx-swap-oob="true" data-busy="{}">{}</span>', "1" if busy else "", text)


def completions(line: str, words: list[str]) -> str:
    return format_html('<div id="terminal-completions" hidden hx-swap-oob="true" data-line="{}" data-words="{}"></div>', line, "\n".join(words[:60]))


# ---- words to the learner

def notice(text: str, kind: str = "info") -> str:
    return format_html('<div id="notices" hx-swap-oob="beforeend"><p class="notice {}" role="status">{}</p></div>', kind, text)


def refusal(error: ApiError) -> str:
    """The API server's own words, and a Korean line that explains them."""
    told = explanations.explain(error.reason, error.message)
    body = escape(error.message) if told is None else format_html("<b>{}</b><code>{}</code>", told, error.message)
    return format_html('<div id="notices" hx-swap-oob="beforeend"><p class="notice bad" role="alert">{}</p></div>', body)


# ---- the learner's files

def load_files(cluster_id: int) -> dict[str, str]:
    return dict(File.objects.filter(cluster_id=cluster_id).values_list("name", "text"))


def save_files(cluster_id: int, files: dict[str, str]) -> None:
    with transaction.atomic():
        File.objects.filter(cluster_id=cluster_id).exclude(name__in=list(files)).delete()
        File.objects.bulk_create([File(cluster_id=cluster_id, name=name, text=text) for name, text in files.items()],
                                 update_conflicts=True, unique_fields=["cluster", "name"], update_fields=["text"])
