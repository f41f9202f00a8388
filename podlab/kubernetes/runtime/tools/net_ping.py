"""busybox ping and traceroute: whether packets reach an address, without any port."""

from __future__ import annotations

from .. import sockets
from ..numerals import whole
from ..process import INT, Data, Errno, Process
from ..program import Event, tool
from ..system import Sys
from .basics import duration
from .common import complain, usage
from .net_client import parse_busybox


def _interrupted(proc: Process, sys: Sys, n: int) -> bool:
    if n == INT and "address" in proc["data"]:
        proc["data"]["left"] = 0
        proc["data"]["over"] = True
        sys.interrupt()
        return True
    return False


def _pause(text: str) -> int:
    """Milliseconds of a number of seconds. Raises Errno in the tool's words."""
    found = duration(text)
    if found is None:
        raise Errno(f"invalid number '{text}'")
    return found


@tool("ping", "ping6", signal=_interrupted)
def ping(proc: Process, sys: Sys, event: Event) -> int:
    """ping [-c COUNT] [-i SEC] [-W SEC] [-w SEC] [-s SIZE] [-q] HOST."""
    data = proc["data"]
    if "address" not in data:
        found, operands = parse_busybox(proc, sys, "c:i:W:w:s:I:t:q46AnvD")
        if len(operands) != 1:
            usage(proc, sys, "")
        options = dict(found)
        addresses = sockets.resolve(sys, operands[0])[1]
        if not addresses:
            complain(proc, sys, f"bad address '{operands[0]}'")
            return 1
        size = whole(options.get("s") or "56")
        data.update(
            address=addresses[0],
            name=operands[0],
            size=size,
            left=whole(options["c"]) if options.get("c") else -1,
            sent=0,
            times=[],
            quiet="q" in options,
            gap=_pause(options.get("i") or "1"),
            wait=_pause(options.get("W") or "10"),
            last=0,
            deadline=sys.now + whole(options["w"]) * 1000 if options.get("w") else None,
        )
        sys.out(f"PING {operands[0]} ({addresses[0]}): {size} data bytes\n")
    while data["left"] and not (data["deadline"] is not None and sys.now >= data["deadline"]):
        if data["sent"] and sys.now < data["last"] + data["gap"]:
            sys.sleep(data["last"] + data["gap"] - sys.now)
        _send(sys, data)
        if data["left"] > 0:
            data["left"] -= 1
    until = data["last"] + data["wait"]
    if len(data["times"]) < data["sent"] and "over" not in data and not data["times"] and sys.now < until and data["deadline"] is None:
        sys.sleep(until - sys.now)
    times, sent = data["times"], data["sent"]
    lost = (sent - len(times)) * 100 // sent if sent else 0
    sys.out(f"\n--- {data['name']} ping statistics ---\n{sent} packets transmitted, {len(times)} packets received, {lost}% packet loss\n")
    if times:
        low, high, mean = min(times), max(times), sum(times) // len(times)
        sys.out(f"round-trip min/avg/max = {_ms(low)}/{_ms(mean)}/{_ms(high)} ms\n")
    return 0 if times else 1


def _send(sys: Sys, data: Data) -> None:
    """One echo request; its answer is there at once."""
    network = sockets.network(sys)
    way = network.routes.echo(sockets.namespace(sys), data["address"])
    sequence, data["sent"], data["last"] = data["sent"], data["sent"] + 1, sys.now
    if not way.error:
        us = (45 if way.ms == 0 else 340) + sys.random(60) + (80 if sequence == 0 else 0)
        data["times"].append(us)
        if not data["quiet"]:
            sys.out(f"{data['size'] + 8} bytes from {data['address']}: seq={sequence} ttl={64 if way.ms == 0 else 62} time={_ms(us)} ms\n")


def _ms(us: int) -> str:
    return f"{us // 1000}.{us % 1000:03d}"


@tool("traceroute")
def traceroute(proc: Process, sys: Sys, event: Event) -> int:
    """traceroute [-m HOPS] [-n] HOST: the node, then the other node, then the target."""
    found, operands = parse_busybox(proc, sys, "m:nq:w:Ilvs:f:p:")
    if not operands:
        usage(proc, sys, "")
    options = dict(found)
    full, addresses = sockets.resolve(sys, operands[0])
    if not addresses:
        complain(proc, sys, f"bad address '{operands[0]}'")
        return 1
    network, address = sockets.network(sys), addresses[0]
    hops = whole(options.get("m") or "30")
    way = network.routes.echo(sockets.namespace(sys), address)
    here = network.routes.node_of(sockets.namespace(sys))
    there = network.routes.node_of(way.namespace)
    line: list[str] = []
    if way.namespace != sockets.namespace(sys):
        line.append(network.routes.address_of(f"host/{here}"))
        if there != here and there:
            line.append(network.routes.address_of(f"host/{there}"))
    if not way.error:
        line = [one for one in line if one != address] + [address]
    sys.out(f"traceroute to {operands[0]} ({address}), {hops} hops max, 46 byte packets\n")
    for number in range(1, hops + 1):
        if number <= len(line):
            times = "  ".join(f"{_ms(10 * number + sys.random(20))} ms" for _ in range(3))
            name = full if line[number - 1] == address else line[number - 1]
            sys.out(f"{number:2d}  {line[number - 1] if 'n' in options else f'{name} ({line[number - 1]})'}  {times}\n")
            if line[number - 1] == address:
                break
        else:
            sys.out(f"{number:2d}  *  *  *\n")
    return 0
