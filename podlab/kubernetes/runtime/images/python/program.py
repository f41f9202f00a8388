"""The program `python`: its command line, its turns, its signals and its end."""

from __future__ import annotations

import re
from typing import Any, cast

from ...process import INT, Data, Errno, Process
from ...program import MEBIBYTE, Event, Program, register
from ...system import Sys
from . import files, tracebacks
from .classes import CLASSES, problem
from .frames import IDLE, Thread
from .freezing import frozen, thawed, weight
from .libraries import library, machine_for, main_source
from .machine import SLICE, STEP_NS, Machine
from .parsing import TooMuch, told
from .serving import http_server, is_server, serve
from .values import Ended, Frame, Instance, Module, Native, Park, Raised, Scope, Unknown

PYTHONS = {"3.13": "3.13.7", "3.12": "3.12.11", "3.11": "3.11.13", "3.10": "3.10.18", "3.9": "3.9.23", "3.8": "3.8.20", "3.7": "3.7.17",
           "2.7": "2.7.18", "2": "2.7.18"}  # fmt: skip
"""Releases by tag, newest first (python.org/downloads, September 2025)."""
NAME = "python"
MEASURED = 4 << 20
"""Bytes that are taken between two looks at what the program holds."""
RUNNABLE = ("pip", "json.tool")
"""Modules of the library's that -m runs."""
HELD_MAX = 8 << 20
"""Bytes of small objects that one program may hold here: writing so many down at a checkpoint takes some 0.1 s."""


class Stale(Exception):
    """What a checkpoint kept was made by another engine."""


def release(sys: Sys, releases: dict[str, str] = PYTHONS) -> str:
    """The release that an image's tag means: its newest of those that begin with the tag's number, else the newest of all."""
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].partition("-")[0]
    return releases.get(tag, next(iter(releases.values())))


def resume(proc: Process, sys: Sys, event: Event) -> int:
    """A turn of the process."""
    if is_server(proc):
        return serve(proc, sys)
    if not proc["data"].get("python") and proc["key"] not in sys.kernel.live:
        code = _begin(proc, sys)
        if code is not None:
            return code
    try:
        machine = machine_of(proc, sys)
    except Stale:  # a newer engine: the program begins anew
        proc["data"].clear()
        return resume(proc, sys, event)
    try:
        return _turns(machine)
    except Ended as end:
        return end.code
    except Unknown as error:
        files.close_all(machine)
        sys.err(f"podlab: this simulated python does not know {error}\n")
        return 1
    finally:
        if proc["state"] == "zombie" or "python" not in proc["data"]:
            sys.kernel.live.pop(proc["key"], None)


def machine_of(proc: Process, sys: Sys) -> Machine:
    """The interpreter of a process: in memory, or from what a checkpoint kept of it."""
    machine = cast("Machine | None", sys.kernel.live.get(proc["key"]))
    if machine is None:
        machine = thawed(proc["data"]["python"], proc, sys)
        if machine is None:
            raise Stale
        sys.kernel.live[proc["key"]] = machine
    machine.sys, machine.proc = sys, proc
    return machine


def _begin(proc: Process, sys: Sys) -> int | None:
    """Reads the command line and the program: an exit code, or None when the program runs now."""
    words = proc["argv"][1:]
    options: Data = {"unbuffered": bool(proc["env"].get("PYTHONUNBUFFERED")), "version": release(sys)}
    while words and re.fullmatch(r"-[uBEsSOIqvd]+|-X|-W", words[0]):
        word = words.pop(0)
        options["unbuffered"] = options["unbuffered"] or "u" in word
        if word in ("-X", "-W") and words:
            words.pop(0)
    if words[:1] in (["--version"], ["-V"]):
        sys.out(f"Python {options['version']}\n")
        return 0
    if words[:2] == ["-m", "http.server"]:
        return http_server(proc, sys, words[2:])
    name = proc["argv"][0]
    if name.rpartition("/")[2].startswith("pip"):
        words = ["-m", "pip", *proc["argv"][1:]]
    if words[:1] == ["-c"] and len(words) > 1:
        file, text, argv = "<string>", words[1], ["-c", *words[2:]]
    elif words[:1] == ["-m"]:
        module = words[1] if len(words) > 1 else ""
        path = f"{proc['cwd'].rstrip('/')}/{module.replace('.', '/')}.py"
        if sys.find(path) is None:
            if module in RUNNABLE:
                return _run(proc, sys, options, f"lib:{module}", "", [f"/usr/local/lib/python3/{module}.py", *words[2:]])
            if module in ("venv", "unittest", "pdb", "timeit"):
                sys.err(f"podlab: this simulated python does not know python -m {module}\n")
                return 1
            sys.err(f"/usr/local/bin/{name.rpartition('/')[2]}: No module named {module}\n")
            return 1
        file, text, argv = path, sys.read_file(path), [path, *words[2:]]
    elif not words or words[0] == "-":
        if sys.is_tty(0):
            return _run(proc, sys, options, "lib:_interactive", "", [""])
        data = proc["data"]
        while piece := sys.read(0):
            data["stdin"] = data.get("stdin", "") + piece
            if len(data["stdin"]) > 1_000_000:
                return 1
        file, text, argv = "<stdin>", str(data.pop("stdin", "")), words or [""]
    else:
        path = words[0]
        full = path if path.startswith("/") else f"{proc['cwd'].rstrip('/')}/{path}"
        try:
            if sys.look(path).is_dir:
                path = path.rstrip("/") + "/__main__.py"
                sys.look(path)
            text = sys.read_file(path)
        except Errno as error:
            if path != words[0]:
                sys.err(f"/usr/local/bin/{name.rpartition('/')[2]}: can't find '__main__' module in '{full}'\n")
                return 1
            number = 13 if error.name == "EACCES" else 2
            sys.err(f"{name}: can't open file '{full}': [Errno {number}] {error.text}\n")
            return 2
        file, argv = path, list(words)
    return _run(proc, sys, options, file, text, argv)


def _run(proc: Process, sys: Sys, options: Data, file: str, text: str, argv: list[str]) -> int | None:
    """The program's machine: an exit code when it does not even begin. A `lib:` file is a module of the library's."""
    proc["data"].update(python={}, options={**options, "file": file, "argv": argv})
    sys.charge(12_000)  # an interpreter takes some 12 ms to start
    try:
        source = library(file[4:]) if file.startswith("lib:") else main_source(file, text)
        assert source is not None
        if options["version"].startswith("2."):
            raise Unknown("Python 2")
    except SyntaxError as error:
        sys.err(told(error))
        return 1
    except (TooMuch, Unknown) as error:
        sys.err(f"podlab: this simulated python does not know {error}\n" if isinstance(error, Unknown) else f"podlab: {error}\n")
        return 1
    machine = machine_for(proc, sys, {} if file.startswith("lib:") else {file: source})
    sys.kernel.live[proc["key"]] = machine
    main = Module("__main__", {"__name__": "__main__", "__doc__": source.bodies[0].doc, "__package__": None, "__spec__": None, "__annotations__": {}})
    if file != "<string>" and not file.startswith("lib:"):
        main.vars["__file__"] = file
    machine.modules["__main__"] = main
    machine.threads.append(Thread(0, "MainThread", Frame(source.bodies[0], Scope(main.vars), main, None, "drop")))
    for name in ("builtins", "sys"):
        machine.load(name)
    if file == "lib:_interactive":
        main.vars.update(machine.starters("_interactive"))
    return None


# ---- turns


def _turns(m: Machine) -> int:
    """Gives the threads their turns until all wait (raises Blocked) or the program is over."""
    first = True
    while True:
        _signals(m)
        ran = False
        for thread in list(m.threads):
            if thread.park is not None and not _ready(m, thread, first):
                continue
            m.sys.breathe()
            thread.park = None
            before = m.left = SLICE
            try:
                m.run(thread, SLICE)
            except Park as park:
                thread.park = {"until": park.until, "fds": list(park.fds), "objs": list(park.objs), "child": park.child, "others": park.others}
                thread.seen = m.changes
            except Raised as error:
                code = _uncaught(m, thread, error.value)
                if code is not None:
                    return code
            finally:
                m.sys.charge(50 + (before - m.left) * STEP_NS // 1000)
            if before - m.left > 1 or thread.park is None:
                m.changes += 1
                ran = True
            if not thread.frames and thread in m.threads:
                code = _thread_over(m, thread)
                if code is not None:
                    return code
        _measure(m)
        first = False
        if not ran:
            _block(m)


def _ready(m: Machine, thread: Thread, first: bool) -> bool:
    """May what a thread waits for have come?"""
    park = thread.park or {}
    if park["until"] is not None and park["until"] <= m.sys.now:
        return True
    if any(str(fd) not in m.proc["fds"] or m.sys.readable(fd) for fd in park["fds"]):
        return True
    if park["others"] and thread.seen != m.changes:
        return True
    return first and (bool(park["objs"]) or park["child"])


def _block(m: Machine) -> None:
    """Everybody waits."""
    parks = [thread.park for thread in m.threads if thread.park]
    untils = [park["until"] for park in parks if park["until"] is not None]
    alarm = m.facts.get("alarm", 0)
    if alarm:
        untils.append(alarm)
    fds = tuple(dict.fromkeys(fd for park in parks for fd in park["fds"]))
    objs = tuple(obj for park in parks for obj in park["objs"])
    m.sys.poll(fds, max(0, min(untils) - m.sys.now) if untils else None, child=any(park["child"] for park in parks), objs=objs)


def _measure(m: Machine) -> None:
    """Once much was taken: what the program holds now is what the kernel counts. One that holds more small objects than there is room
    for here would go on eating: it gets all that the container may have, and is killed."""
    taken = m.bytes - m.bytes_seen
    if taken < max(MEASURED, m.facts.get("held", 0) // 4):
        return
    held, real = weight(m)
    m.bytes = m.bytes_seen = 0
    m.facts["held"] = real
    m.sys.charge(real >> 12)
    if real > HELD_MAX or taken >= 1 << 40:
        held = int(m.sys.container["limits"].get("memory") or m.sys.kernel.state["memory"])
    m.sys.allocate(held)


def _signals(m: Machine) -> None:
    """Signals that have come run their handlers in the main thread, before what it does next."""
    alarm = m.facts.get("alarm", 0)
    if alarm and m.sys.now >= alarm:
        m.facts["alarm"] = 0
        m.facts.setdefault("signals", []).append(14)
    waiting = m.facts.get("signals")
    while waiting:
        n = waiting.pop(0)
        m.facts["delivered"] = m.facts.get("delivered", 0) + 1
        main = m.threads[0]
        m.current = main
        main.park = None
        m.changes += 1
        handler = m.facts.get("handlers", {}).get(str(n), 0)
        if handler in (0, 1) or isinstance(handler, Native):
            error = problem("KeyboardInterrupt") if n == INT else None
            if error is None and isinstance(handler, Native):
                error = problem("SystemExit", n)
            if error is not None:
                try:
                    m.unwind(main, error.value)
                except Raised:
                    main.frames.clear()
                    m.facts["fatal"] = error.value
            continue
        holder = Frame(IDLE, Scope({}), m.modules["__main__"], None, "drop")
        main.frames.append(holder)
        m.left = SLICE
        if not m.enter(holder, handler, [n, None], {}, 0):
            main.frames.pop()
        else:
            main.frames[-1].kind = "drop"
            main.frames.remove(holder)
    fatal = m.facts.pop("fatal", None)
    if fatal is not None:
        code = _uncaught(m, m.threads[0], fatal)
        raise Ended(code if code is not None else 1)


def signal(proc: Process, sys: Sys, n: int) -> bool:
    """INT is KeyboardInterrupt; what the program has no handler for has the kernel's default (process 1 does not notice it)."""
    if is_server(proc):
        return http_server_signal(sys, n)
    if "python" not in proc["data"]:
        return False
    try:
        m = machine_of(proc, sys)
    except Stale:  # a newer engine: the program begins anew, and has no handler yet
        proc["data"].clear()
        return False
    handler = m.facts.get("handlers", {}).get(str(n), 0)
    if handler == 1:
        return True
    if handler == 0 and n != INT:
        return False
    m.facts.setdefault("signals", []).append(n)
    sys.interrupt()
    return True


def http_server_signal(sys: Sys, n: int) -> bool:
    if n == INT:
        sys.out("\nKeyboard interrupt received, exiting.\n")
        sys.exit(0)
    return False


# ---- ends


def _uncaught(m: Machine, thread: Thread, value: Instance) -> int | None:
    """Nobody handles an exception: the program's exit code, or None when only a thread ends."""
    thread.frames.clear()
    leaves = value.cls.is_a(CLASSES["SystemExit"])
    if thread is not m.threads[0]:
        if not leaves:
            m.sys.err(f"Exception in thread {m.str(m.attribute(thread.of, 'name'))}:\n" + tracebacks.told(m, value))
        return None
    args = value.vars["args"]
    code: Any = value.vars.get("code", args[0] if len(args) == 1 else (args or None)) if leaves else 1
    if value.cls.is_a(CLASSES["KeyboardInterrupt"]):
        code = 130
    message = ""
    if not leaves:
        message = tracebacks.told(m, value)
    elif code is not None and type(code) not in (int, bool):
        message, code = m.str(code) + "\n", 1
    m.facts["exit"] = [int(code or 0) & 255, message]
    return _finish(m)


def _thread_over(m: Machine, thread: Thread) -> int | None:
    if thread is m.threads[0]:
        m.facts.setdefault("exit", [0, ""])
        return _finish(m)
    m.threads.remove(thread)
    m.changes += 1
    if "exit" in m.facts and not any(not one.daemon for one in m.threads[1:]):
        return _finish(m)
    return None


def _finish(m: Machine) -> int | None:
    """The main thread is over: its message first, then the other threads' ends, atexit, and what is in the buffers."""
    code, message = m.facts["exit"]
    if message:
        m.facts["exit"][1] = ""
        m.sys.err(message)
    if any(not one.daemon for one in m.threads[1:]):
        m.threads[0].park = {"until": None, "fds": [], "objs": [], "child": False, "others": False}
        return None
    for function, args in reversed(m.facts.pop("atexit", [])):
        m.left = SLICE
        try:
            m.call(function, list(args))
        except Raised as error:
            m.sys.err("Exception ignored in atexit callback:\n" + tracebacks.told(m, error.value))
    files.close_all(m)
    return int(code)


def settle(proc: Process, machine: object) -> None:
    """Before a checkpoint."""
    if isinstance(machine, Machine) and "python" in proc["data"]:
        proc["data"]["python"] = frozen(machine)


register(Program(NAME, lambda proc, sys: resume(proc, sys, None), resume, signal, 9 * MEBIBYTE, settle))
