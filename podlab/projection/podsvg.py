"""One Pod as SVG: a box whose containers stand on one shared floor, the network; volumes are shelves under it."""

from __future__ import annotations

from functools import lru_cache

from .korean import CONTAINER_KINDS, PROBES
from .layout import PAD, POD_HEAD, SHELF_H, STATE_ROOM, STEP_GAP, STRIP_H, PodBox, Tile, pod_head, steps_across
from .pods import Container, Pod, Wait
from .shapes import SNUG, countdown, esc, icon, measure, n, text
from .words import LOOKS, tone

VOLUME_WORDS = {
    "emptyDir": "emptyDir",
    "configMap": "ConfigMap",
    "secret": "Secret",
    "persistentVolumeClaim": "PVC",
    "hostPath": "hostPath",
    "projected": "projected",
    "downwardAPI": "downwardAPI",
    "nfs": "NFS",
}
KIND_HUES = {"sidecar": "side", "init": "init", "ephemeral": "eph"}
CONDITION_WORDS = {"Unschedulable": "놓일 노드가 없음", "SchedulingGated": "스케줄링 게이트가 잡고 있음"}


def draw_pod(box: PodBox, now: int) -> str:
    """The Pod's group. Its id, data-ref and transform stay with it for life, so that the page morphs and moves it."""
    ticking = box.pod.look == "terminating" or any(c.wait is not None for c in box.pod.containers)
    return _drawn(box, now if ticking else 0)


@lru_cache(maxsize=2048)  # most Pods of a cluster look as they did at its last revision
def _drawn(box: PodBox, now: int) -> str:
    pod = box.pod
    inside = _full(box, now) if box.level == "full" else _tray(box) if box.level == "tray" else _tile(box)
    classes = f"pod lv-{box.level} k-{tone(pod.look)} is-{pod.look}" + (f" goal-{pod.goal}" if pod.goal else "")
    classes += " lost" if pod.node_lost else ""
    owner = f' data-owner="{esc(pod.owner)}" data-root="{esc(pod.root)}"' if pod.owner else ""
    return (
        f'<g id="pod-{esc(pod.uid)}" class="{classes}" transform="translate({n(box.x)},{n(box.y)})" '
        f'data-ref="{esc(pod.ref)}"{owner} '
        f'tabindex="0" role="group" aria-label="{esc(label(pod))}">{inside}</g>'
    )


def label(pod: Pod) -> str:
    """The Pod in one Korean line, for screen readers."""
    parts = [f"파드 {pod.name}", f"컨테이너 {pod.of}개 중 {pod.ready}개 준비", pod.status]
    parts += [f"{c.name} {c.word}" for c in pod.containers if c.look not in ("running",)][:6]
    return ", ".join(parts)


def _heading(pod: Pod, w: float) -> str:
    """Name and state on one line, or on two where the name is long (layout.pod_head)."""
    words = f"{pod.ready}/{pod.of} {pod.status}"
    revision = f"{pod.revision}판" if pod.revision else ""
    chip = measure(revision, "x") + 20 if revision else 0
    two = pod_head(pod, w) > POD_HEAD
    state = w - 2 * PAD - 20 if two else max(STATE_ROOM - 20, w - 2 * PAD - chip - 28 - measure(pod.name, "t"))
    room = w - 2 * PAD - chip - (0 if two else min(measure(words, "s"), state) + 24)
    out = text(PAD, 22, pod.name, "t", room=room)
    if revision:
        at = PAD + min(measure(pod.name, "t"), room) + 6
        out += (
            f'<g class="chip" transform="translate({n(at)},11)"><rect width="{n(chip - 8)}" height="15" rx="7.5"/>'
            f"{text((chip - 8) / 2, 11, revision, 'x', anchor='middle')}</g>"
        )
    if two:
        return out + icon(pod.look, PAD + 6, 35) + text(PAD + 17, 39, words, "s", room=state, hue=tone(pod.look))
    at = w - PAD - min(measure(words, "s") * SNUG, state) - 11
    return out + icon(pod.look, at, 18) + text(w - PAD, 22, words, "s", room=state, anchor="end", hue=tone(pod.look))


def _full(box: PodBox, now: int) -> str:
    pod, w = box.pod, box.w
    out = [
        f'<rect class="box" width="{n(w)}" height="{n(box.h)}" rx="12"/><rect class="bar" x="0" y="8" width="4" '
        f'height="{n(box.h - 16)}" rx="2"/>',
        _heading(pod, w),
    ]
    if pod.goal:
        out.append(_goal_mark(pod.goal, w))
    if pod.look == "terminating":
        out.append(_farewell(pod, now, w))
    if box.steps:
        out.append(_strip(box))
    out += [_cables(box), _floor(box), _shelves(box)]
    out += [draw_tile(tile, pod, now) for tile in box.tiles]
    return "".join(out)


def _goal_mark(goal: str, w: float) -> str:
    look = "done" if goal == "met" else "blocked"
    return f'<g class="goal" transform="translate({n(w - 10)},0)"><circle r="9"/>{icon(look, 0, 0)}</g>'


def _farewell(pod: Pod, now: int, w: float) -> str:
    """What is left of the grace period: a bar that runs out, and seconds."""
    if pod.deadline is None:
        return ""
    since = pod.deleting_since if pod.deleting_since is not None else now
    span = max(pod.deadline - since, 1)
    left = min(max((pod.deadline - now) / span, 0), 1)
    room, y = w - 2 * PAD - 112, pod_head(pod, w)
    return (
        f'<g class="bye"><rect class="rail" x="{PAD}" y="{n(y)}" width="{n(room)}" height="5" rx="2.5"/><rect '
        f'class="fill" x="{PAD}" y="{n(y)}" '
        f'width="{n(room * left)}" height="5" rx="2.5" data-begin="{since}" data-end="{pod.deadline}" data-width="{n(room)}"/>'
        f'<text x="{n(w - PAD)}" y="{n(y + 6)}" class="x" text-anchor="end">{countdown(pod.deadline, now)}초 뒤 강제 '
        f"종료</text></g>"
    )


def _strip(box: PodBox) -> str:
    """Init containers as steps, in the order in which they run; in rows where their names need the room."""
    across = steps_across(box.steps, box.w)
    each = (box.w - 2 * PAD - STEP_GAP * (across - 1)) / across
    y = pod_head(box.pod, box.w) + (16 if box.pod.look == "terminating" else 0)
    out = []
    for i, step in enumerate(box.steps):
        x, down = i % across * (each + STEP_GAP), i // across * (STRIP_H + 6)
        if i:
            out.append(f'<path class="next" d="M{n(x - 9)} {n(down + 8)} l5 5 l-5 5"/>')
        kind = "초기화" if step.kind == "init" else "사이드카"
        out.append(
            f'<g id="st-{esc(box.pod.uid)}-{esc(step.name)}" class="step {step.kind} is-{step.look}" '
            f'transform="translate({n(x)},{n(down)})" '
            f'data-ref="{esc(box.pod.ref)}#{esc(step.name)}" tabindex="0" role="button" '
            f'aria-label="{kind} 컨테이너 {esc(step.name)}, {i + 1}번째, {esc(step.word)}">'
            f'<rect width="{n(each)}" height="{STRIP_H}" rx="13"/>{icon(step.look, 14, 13)}{_step_text(step, each)}</g>'
        )
    return f'<g class="steps" transform="translate({PAD},{y})">{"".join(out)}</g>'


def _step_text(step: Container, room: float) -> str:
    words = step.word if step.restarts == 0 else f"{step.word} · {step.restarts}번"
    name = measure(step.name, "b")
    if room > name + measure(words, "x") + 44:
        return text(25, 17, step.name, "b") + text(room - 10, 17, words, "x", anchor="end")
    return text(25, 17, step.name, "b", room=room - 33)


def draw_tile(tile: Tile, pod: Pod, now: int) -> str:
    """A container: name, image, state in shape and word, and what it waits for."""
    c, w, h = tile.container, tile.w, tile.h
    kind = "" if c.kind == "app" else CONTAINER_KINDS[c.kind]
    low_tag = kind and h > 80  # a narrow one says its kind lower down, not beside its name
    tag = measure(kind, "x") + 12 if kind and not low_tag else 0
    out = [f'<rect class="body" width="{n(w)}" height="{n(h)}" rx="8"/>']
    if c.look == "pulling":
        out.append(f'<rect class="stripe" x="1" y="{n(h - 27)}" width="{n(w - 2)}" height="26" rx="7"/>')
    out.append(text(10, 19, c.name, "b", room=w - 18 - tag))
    if tag:
        out.append(text(w - 10, 19, kind, "x", anchor="end", hue=KIND_HUES[c.kind]))
    ring = c.wait if c.wait and c.wait.until is not None and c.look in ("backoff", "pullfail") else None
    out.append(text(10, 35, c.image, "m", room=w - 18))
    parts, hue = _second_line(c)
    if low_tag:
        parts, hue = [*parts, kind], hue or KIND_HUES[c.kind]
    low = h - 17 if c.look == "pulling" else 57 if not parts and not ring else 50 if h > 80 else 48
    out.append(icon(c.look, 15, low))
    if c.look == "pulling" and c.wait and c.wait.until is not None and w > 150:
        out.append(f'<text x="26" y="{n(low + 4)}" class="s">{LOOKS["pulling"]} · {countdown(c.wait.until, now)}초</text>')
    else:
        out.append(text(26, low + 4, c.word, "s", room=w - 32 - (30 if ring and h < 80 else 0), hue=tone(c.look)))
    room = w - 18 - (28 if ring else 0)
    joined = " · ".join(parts)
    if h > 80 and len(parts) > 1 and measure(joined, "x") > room:
        out.append(text(10, 69, parts[0], "x", room=room, hue=hue) + text(10, 83, " · ".join(parts[1:]), "x", room=room, hue=hue))
    elif parts:
        out.append(text(10, 66 if h < 80 else 72, joined, "x", room=room, hue=hue))
    if ring:
        out.append(_ring(ring, w - 20, h - 20, now))
    note = ", ".join(filter(None, (f"{kind or '앱'} 컨테이너 {c.name}", c.word, joined)))
    return (
        f'<g id="ct-{esc(pod.uid)}-{esc(c.name)}" class="ct {c.kind} is-{c.look}" transform="translate({n(tile.x)},{n(tile.y)})" '
        f'data-ref="{esc(pod.ref)}#{esc(c.name)}" tabindex="0" role="button" aria-label="{esc(note)}">'
        f"{''.join(out)}</g>"
    )


def _second_line(c: Container) -> tuple[list[str], str]:
    """(words, hue) under the state: why it ended, how often, what its probes say."""
    parts: list[str] = []
    hue = ""
    if c.look in ("backoff", "failed") and c.exit_code is not None:
        reason = "" if c.exit_reason in ("Error", "Completed", "") else f" {c.exit_reason}"
        parts.append(f"종료 코드 {c.exit_code}{reason}")
        hue = "bad" if c.exit_code else ""
    elif c.look in ("blocked", "pullfail") and c.reason:
        parts.append(c.reason)
        hue = "bad"
    for probe in c.probes:
        if probe.ok is False and c.look in ("running", "unready", "starting"):
            parts.append(f"{PROBES[probe.kind]} 실패 {probe.failures}/{probe.threshold}")
            hue = "warn"
    if c.restarts:
        parts.append(f"재시작 {c.restarts}번")
    return parts, hue


def _ring(wait: Wait, x: float, y: float, now: int) -> str:
    """A ring that closes as the wait runs out, with the seconds inside."""
    until = wait.until if wait.until is not None else now
    share = min(max((until - now) / max(until - wait.since, 1), 0), 1) * 100
    return (
        f'<g class="wait" transform="translate({n(x)},{n(y)})"><circle r="12" class="rail"/><circle r="12" class="ring" '
        f'pathLength="100" '
        f'stroke-dasharray="{n(share)} 100" transform="rotate(-90)" data-begin="{wait.since}" data-end="{until}"/>'
        f'<text y="4" text-anchor="middle" class="x">{countdown(until, now)}</text></g>'
    )


def _pins(box: PodBox) -> list[tuple[Tile, int, float, bool]]:
    """(tile, port, x on the floor, local) of every listening port, left to right, none on another or on the IP."""
    pins = []
    low = PAD + 10 + measure(box.pod.ip or "IP 없음", "m") + 16
    for tile in box.tiles:
        for i, port in enumerate(tile.container.ports[:4]):
            wanted = tile.x + tile.w / 2 + i * 52 - 8
            x = max(wanted, low)
            room = measure(f"{port.port}", "m") + 26
            pins.append((tile, port.port, x, port.local))
            low = x + room
    limit = box.w - PAD - 10
    for i in range(len(pins) - 1, -1, -1):  # what ran over the right end moves back
        tile, number, x, local = pins[i]
        room = measure(f"{number}", "m") + 16
        x = min(x, limit - room)
        pins[i] = (tile, number, x, local)
        limit = x - 8
    return pins


def _cables(box: PodBox) -> str:
    """Lines from the containers down: to their ports' pins, to the port that they want and another has, to their volumes."""
    out = []
    shelf = box.floor + 26 + 6
    for tile in box.tiles:
        for row, volume in enumerate(box.pod.volumes[:4]):
            if volume.name in tile.container.mounts:
                x = tile.x + 14 + 9 * row
                y = shelf + row * (SHELF_H + 6)
                out.append(f'<path class="mount" d="M{n(x)} {n(tile.y + tile.h)}V{n(y + 4)}"/>')
    places = {}
    for tile, number, x, _ in _pins(box):
        places[number] = (tile, x)
        start = min(max(x, tile.x + 12), tile.x + tile.w - 12)
        out.append(f'<path class="cable {tile.container.kind}" d="{_drop(start, tile.y + tile.h, x, box.floor + 13)}"/>')
    for tile in box.tiles:
        for clash in tile.container.clashes:
            holder = places.get(clash.port)
            if holder is None or holder[0] is tile:
                continue
            start = tile.x + tile.w / 2
            middle = (tile.y + tile.h + box.floor) / 2
            out.append(
                f'<g class="clash"><path d="M{n(start)} '
                f'{n(tile.y + tile.h)}V{n(middle)}H{n(holder[1] + 9)}L{n(holder[1] + 5)} {n(box.floor + 9)}"/>'
                f'<path class="cross" d="M{n(start - 22)} {n(middle - 4)}l8 8m0-8l-8 8"/></g>'
            )
    return "".join(out)


def _drop(x1: float, y1: float, x2: float, y2: float) -> str:
    if abs(x1 - x2) < 1:
        return f"M{n(x1)} {n(y1)}V{n(y2)}"
    return f"M{n(x1)} {n(y1)}C{n(x1)} {n(y1 + 12)} {n(x2)} {n(y2 - 16)} {n(x2)} {n(y2)}"


def _floor(box: PodBox) -> str:
    pod = box.pod
    ip = pod.ip or ("IP 없음" if pod.look not in ("done", "failed") else "IP 반납")
    out = [
        f'<rect class="ground" x="{PAD}" y="{n(box.floor)}" width="{n(box.w - 2 * PAD)}" height="26" rx="6"/>',
        text(PAD + 10, box.floor + 17, ip + (" (노드 IP)" if pod.host_network else ""), "m"),
    ]
    held = {clash.port for c in pod.containers for clash in c.clashes}
    for tile, number, x, local in _pins(box):
        cls = tile.container.kind + (" local" if local else "") + (" hot" if number in held else "")
        pin = f'<circle class="pin {cls}" cx="{n(x)}" cy="{n(box.floor + 13)}" r="4.5"/>' + text(x + 9, box.floor + 17, str(number), "m")
        room = f'<rect class="hit" x="{n(x - 8)}" y="{n(box.floor + 2)}" width="{n(measure(str(number), "m") + 22)}" height="22"/>'
        out.append(f'<g class="port" data-open="http://{pod.ip}:{number}/">{room}{pin}</g>' if pod.ip else pin)
    if pod.node_lost:
        out.append(text(box.w - PAD - 8, box.floor + 17, "마지막으로 알려진 상태", "x", anchor="end"))
    return "".join(out)


def _shelves(box: PodBox) -> str:
    out = []
    width = box.w - 2 * PAD
    for row, volume in enumerate(box.pod.volumes[:4]):
        y = box.floor + 26 + 6 + row * (SHELF_H + 6)
        words = VOLUME_WORDS.get(volume.type, volume.type) + (f" {volume.source}" if volume.source else "")
        if volume.files is not None:
            words += f" · 파일 {volume.files}개"
        if row == 3 and len(box.pod.volumes) > 4:
            words += f" · 볼륨 {len(box.pod.volumes) - 4}개 더"
        dots = "".join(
            f'<circle class="plug" cx="{n(t.x - PAD + 14 + 9 * row)}" cy="4" r="3"/>'
            for t in box.tiles
            if volume.name in t.container.mounts
        )
        start = 34
        name = min(measure(volume.name, "b"), width * 0.4)
        out.append(
            f'<g id="vol-{esc(box.pod.uid)}-{esc(volume.name)}" class="vol" transform="translate({PAD},{n(y)})"><rect '
            f'y="4" width="{n(width)}" height="22" rx="5"/>'
            f'<path class="can" d="M10 11v9c0 3.4 14 3.4 14 0v-9"/><ellipse class="can" cx="17" cy="11" rx="7" ry="2.6"/>{dots}'
            + text(start, 19, volume.name, "b", room=width * 0.4)
            + text(start + name + 8, 19, words, "x", room=width - start - name - 14)
            + "</g>"
        )
    return "".join(out)


def _tray(box: PodBox) -> str:
    """A Pod without a node: small and dashed, with what holds it up."""
    pod, w = box.pod, box.w
    why = CONDITION_WORDS.get(pod.reason, LOOKS["pending"])
    return (
        f'<rect class="box" width="{n(w)}" height="{n(box.h)}" rx="10"/>{text(12, 22, pod.name, "b", room=w - 20)}'
        + icon(pod.look, 18, 36)
        + text(30, 40, pod.status, "s", room=w - 38, hue=tone(pod.look))
        + text(12, 56, why, "x", room=w - 20)
    )


def _tile(box: PodBox) -> str:
    """Many Pods: name, state and a chip for each container; a mere icon and the end of the name when there are very many."""
    pod, w, h = box.pod, box.w, box.h
    base = f"<title>{esc(pod.name)} · {pod.ready}/{pod.of} {esc(pod.status)}</title>"
    base += f'<rect class="box" width="{n(w)}" height="{n(h)}" rx="8"/>'
    if box.level == "mini":
        return base + icon(pod.look, 13, h / 2) + text(24, h / 2 + 4, pod.name.rsplit("-", 1)[-1], "m", room=w - 28)
    chips = []
    for i, c in enumerate(pod.containers[:6]):
        chips.append(
            f'<rect class="dot {c.kind} is-{c.look}" x="{n(w - 14 - 13 * (min(len(pod.containers), 6) - 1 - i))}" '
            f'y="31" width="9" height="9" rx="2.5"/>'
        )
    room = w - 36 - 13 * min(len(pod.containers), 6)
    return (
        base
        + text(12, 20, pod.name, "b", room=w - 20)
        + icon(pod.look, 17, 36)
        + text(28, 40, pod.status if pod.troubled else f"{pod.ready}/{pod.of} {pod.status}", "x", room=room, hue=tone(pod.look))
        + "".join(chips)
    )
