"""busybox nc (the 1.10 compatible one), telnet: bytes between standard input and output and a connection."""

from __future__ import annotations

from .. import sockets
from ..numerals import whole
from ..process import Data, Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, usage
from .net_client import parse_busybox


@tool("nc", "netcat", "ncat")
def nc(proc: Process, sys: Sys, event: Event) -> int:
    """-l -p PORT -e PROG -k -n -v -w SEC -z -s ADDR -q SEC -u."""
    data = proc["data"]
    if "o" not in data:
        words = proc["argv"]
        whole = _ncat(words)
        at = whole.index("-e") if "-e" in whole else len(whole)
        program = whole[at + 1 :]  # the rest of the line is the program's
        proc["argv"] = whole[:at]
        found, operands = parse_busybox(proc, sys, "lp:w:i:o:s:q:nvzukNtr46")
        proc["argv"] = words
        options: Data = dict(found)
        options.update(
            program=program,
            v=sum(letter == "v" for letter, _ in found),
            l=sum(letter == "l" for letter, _ in found),
            operands=operands,
        )
        data["o"] = options
    options = data["o"]
    if "u" in options:
        return _datagrams(proc, sys, options)
    return _listen(proc, sys, options) if options["l"] else _call(proc, sys, options)


def _ncat(words: list[str]) -> list[str]:
    """Nmap's ncat has long options; --send-only and --recv-only change nothing for us."""
    made: list[str] = []
    command: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-c", "--sh-exec") and words[0].endswith("ncat"):
            command = ["-e", "/bin/sh", "-c", next(rest, "")]
        elif word in LONG:
            made += [LONG[word]] if LONG[word] else []
        elif not word.startswith("--max-conns"):
            made.append(word)
    return made + command


LONG = {"--listen": "-l", "--keep-open": "-k", "--send-only": "", "--recv-only": "", "--verbose": "-v"}


def _port(proc: Process, sys: Sys, text: str) -> int:
    known = {"http": 80, "https": 443, "redis": 6379, "mysql": 3306, "postgresql": 5432, "domain": 53, "ssh": 22}
    if text.isdigit() and int(text) < 65536:
        return int(text)
    if text not in known:
        complain(proc, sys, f"bad port '{text}'" if not text.isdigit() else f"number {text} is not in 0..65535 range")
        sys.exit(1)
    return known[text]


def _listen(proc: Process, sys: Sys, options: Data) -> int:
    data = proc["data"]
    if "listener" not in data and "socket" not in data:
        operands = options["operands"]
        text = options.get("p") or (operands[-1] if operands and operands[-1].isdigit() else "0")
        try:
            data["listener"] = sockets.listen(sys, _port(proc, sys, text), options.get("s", "0.0.0.0"))
        except Errno as error:
            complain(proc, sys, f"bind: {error.text}")
            return 1
        if options["v"]:
            sys.err(f"listening on {options.get('s') or '[::]'}:{sockets.port_of(sys, data['listener'])} ...\n")
    while True:
        if "socket" not in data:
            data["socket"] = sockets.accept(sys, data["listener"])
            address, port = sockets.peer(sys, data["socket"])
            if options["v"]:
                local = sockets.local(sys, data["socket"])
                sys.err(f"connect to [::ffff:{local[0]}]:{local[1]} from [::ffff:{address}]:{port} ([::ffff:{address}]:{port})\n")
            again = options["l"] > 1 or "k" in options
            if not again:
                sys.close(data.pop("listener"))
            if options["program"]:
                if not again:
                    return _become(proc, sys, data["socket"], options["program"])
                key = proc["fds"][str(data["socket"])]
                try:
                    sys.spawn(options["program"], fds={0: key, 1: key, data["listener"]: None, data["socket"]: None})
                except Errno as error:
                    complain(proc, sys, f"can't execute '{options['program'][0]}': {error.text}")
                sys.close(data.pop("socket"))
                sys.ignore(17)
                continue
        code = pump(proc, sys, data)
        if "listener" not in data:
            return code
        sys.close(data.pop("socket"))
        data.pop("ended", None)


def _datagrams(proc: Process, sys: Sys, options: Data) -> int:
    """nc -u: each line of input one datagram; a listener answers whoever wrote first. -w ends it after so many quiet seconds."""
    data, operands = proc["data"], options["operands"]
    if "socket" not in data:
        if options["l"]:
            text = options.get("p") or next((word for word in reversed(operands) if word.isdigit()), "0")
            port = _port(proc, sys, text)
        else:
            if len(operands) < 2:
                usage(proc, sys, "")
            found = sockets.resolve(sys, operands[0])[1]
            if not found:
                complain(proc, sys, f"bad address '{operands[0]}'")
                return 1
            data["peer"], port = [found[0], _port(proc, sys, operands[1])], 0
        try:
            data["socket"] = sockets.bind_datagrams(sys, port)
        except Errno as error:
            complain(proc, sys, f"bind: {error.text}")
            return 1
        if "z" in options:
            return 0
    idle = whole(options["w"]) * 1000 if options.get("w") else None
    data.setdefault("quiet", sys.now)
    while True:
        while sys.readable(data["socket"]):
            text, sender = sockets.receive(sys, data["socket"])
            data.setdefault("peer", sender)
            data["quiet"] = sys.now
            sys.out(text)
        while "peer" in data and not data.get("ended") and "0" in proc["fds"] and sys.readable(0):
            text = sys.read(0)
            data["quiet"] = sys.now
            if text:
                sockets.send(sys, data["socket"], text, data["peer"])
            else:
                data["ended"] = True
        left = None if idle is None else data["quiet"] + idle - sys.now
        if left is not None and left <= 0:
            return 0
        wait = (data["socket"],) if data.get("ended") or "0" not in proc["fds"] or "peer" not in data else (data["socket"], 0)
        sys.poll(wait, left)


def _become(proc: Process, sys: Sys, fd: int, program: list[str]) -> int:
    sys.dup2(fd, 0)
    sys.dup2(fd, 1)
    sys.close(fd)
    try:
        sys.exec(program)
    except Errno as error:
        complain(proc, sys, f"can't execute '{program[0]}': {error.text}")
    return 127


def _call(proc: Process, sys: Sys, options: Data) -> int:
    data, operands = proc["data"], options["operands"]
    if len(operands) < 2:
        usage(proc, sys, "")
    host, port = operands[0], _port(proc, sys, operands[1].partition("-")[0])
    patience = whole(options["w"]) * 1000 if options.get("w") else None
    if "address" not in data:
        found = sockets.resolve(sys, host)[1]
        if not found:
            complain(proc, sys, f"bad address '{host}'")
            return 1
        data["address"] = found[0]
    if not data.get("open"):
        try:
            sockets.connect(sys, "socket", data["address"], port, patience)
        except Errno as error:
            if options["v"] > 1 or (options["v"] and error.name != "ECONNREFUSED"):  # "don't print refusals" with a single -v
                complain(proc, sys, f"{host} ({data['address']}:{port}): {error.text}")
            return 1
        data["open"] = True
        if options["v"]:
            sys.err(f"{host} ({data['address']}:{port}) open\n")
        if "z" in options:
            return 0
        if options["program"]:
            return _become(proc, sys, data["socket"], options["program"])
    return pump(proc, sys, data, patience)


def pump(proc: Process, sys: Sys, data: Data, idle_ms: int | None = None) -> int:
    """Copies both ways until the other end closes; the end of the input only closes the outgoing half. Also ends when
    nothing came for twice `idle_ms`, no error either."""
    fd = int(data["socket"])
    while True:
        moved = False
        while sys.readable(fd):
            text = sys.read(fd)
            if not text:
                return 0
            sys.out(text)
            moved = True
        while not data.get("ended") and "0" in proc["fds"] and sys.readable(0):
            text = sys.read(0)
            moved = True
            try:
                if text:
                    sys.write(fd, text)
                else:
                    data["ended"] = True
                    sockets.shutdown(sys, fd)
            except Errno:
                return 1
        if moved:
            data["quiet"] = sys.now
        left = None if idle_ms is None else data.setdefault("quiet", sys.now) + 2 * idle_ms - sys.now
        if left is not None and left <= 0:
            return 0
        sys.poll((fd,) if data.get("ended") or "0" not in proc["fds"] else (fd, 0), left)


@tool("telnet")
def telnet(proc: Process, sys: Sys, event: Event) -> int:
    """telnet HOST [PORT]."""
    data = proc["data"]
    if "address" not in data:
        _, operands = parse_busybox(proc, sys, "al:")
        if not operands:
            usage(proc, sys, "")
        data["port"] = _port(proc, sys, operands[1]) if len(operands) > 1 else 23
        found = sockets.resolve(sys, operands[0])[1]
        if not found:
            complain(proc, sys, f"bad address '{operands[0]}'")
            return 1
        data["address"], data["name"] = found[0], operands[0]
    if not data.get("open"):
        try:
            sockets.connect(sys, "socket", data["address"], data["port"])
        except Errno as error:
            complain(proc, sys, f"can't connect to remote host ({data['address']}): {error.text}")
            return 1
        data["open"] = True
        sys.out(f"Connected to {data['name']}\n")
    pump(proc, sys, data)
    sys.out("Connection closed by foreign host\n")
    return 1
