"""Name look-up tools: busybox nslookup (1.36's and 1.28's forms), and bind's nslookup, dig and host for images that have them."""

from __future__ import annotations

from ...times import stamp
from .. import dns, sockets
from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, usage
from .net_client import busybox_version

NO_SERVER_MS = 15_000  # bind's and busybox's tools give a silent server up after 5 s, three times
KINDS = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "ANY")


def reverse(address: str) -> str:
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def _server(proc: Process, sys: Sys, given: str) -> tuple[str, bool]:
    """(the server's address, whether it answers); waits out one that does not."""
    server = given or next(iter(sockets.resolver(sys).servers), "127.0.0.1")
    if not dns.is_address(server):
        server = next(iter(sockets.resolve(sys, server)[1]), server)
    answers = server in dns.SERVERS and not sockets.resolver(sys).blocked
    data = proc["data"]
    if not answers and "asked" not in data:
        data["asked"] = sys.now
    if not answers and sys.now - data["asked"] < NO_SERVER_MS:
        sys.sleep(NO_SERVER_MS - (sys.now - data["asked"]))
    return server, answers


@tool("nslookup")
def nslookup(proc: Process, sys: Sys, event: Event) -> int:
    """nslookup [-type=TYPE] NAME [SERVER]."""
    operands = [word for word in proc["argv"][1:] if not word.startswith("-")]
    kinds = [word.partition("=")[2].upper() for word in proc["argv"][1:] if word.startswith(("-type=", "-querytype=", "-t=", "-q="))]
    if not operands or len(operands) > 2:
        usage(proc, sys, "")
    for kind in kinds:
        if kind not in KINDS:
            complain(proc, sys, f'invalid query type "{kind}"')
            return 1
    server, answers = _server(proc, sys, operands[1] if len(operands) > 1 else "")
    if busybox_version(sys) < (1, 29):
        return _nslookup_small(sys, operands[0], server, answers)
    if not answers:
        sys.out(";; connection timed out; no servers could be reached\n\n")
        return 1
    sys.out(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n")
    name, code = operands[0], 0
    cluster = sockets.network(sys).cluster
    if dns.is_address(name) and not kinds:
        asked = [(reverse(name), "PTR")]
    else:  # a name with a dot is not searched for
        names = [name.rstrip(".")] if "." in name else [f"{name}.{domain}" for domain in sockets.resolver(sys).searches] or [name]
        asked = [(one, kind) for kind in kinds or ["A", "AAAA"] for one in names]
    for full, kind in asked:
        rcode, records = dns.query(cluster, full, kind, server)
        if rcode != "NOERROR":
            sys.out(f"** server can't find {full}: {rcode}\n")
            code = 1
        sys.out("".join(map(_record, records)) + "\n")
    return code


def _record(record: dns.Record) -> str:
    name, kind, value = record
    form = {
        "A": "Name:\t{0}\nAddress: {1}\n",
        "PTR": "{0}\tname = {1}\n",
        "CNAME": "{0}\tcanonical name = {1}\n",
        "SRV": "{0}\tservice = {1}\n",
    }
    return form.get(kind, "{0}\t{1}\n").format(name, value)


def _nslookup_small(sys: Sys, name: str, server: str, answers: bool) -> int:
    """The form before 1.29: getaddrinfo and a reverse look-up of every address."""

    def line(number: int, address: str) -> str:
        records = dns.query(sockets.network(sys).cluster, reverse(address), "PTR", server)[1]
        return f"Address {number}: {address}{' ' + records[0][2] if records else ''}\n"

    sys.out(f"Server:    {server}\n{line(1, server) if answers else f'Address 1: {server}' + chr(10)}\n")
    found = sockets.resolve(sys, name)[1]
    if not found:
        sys.err(f"nslookup: can't resolve '{name}'\n")
        return 1
    sys.out(f"Name:      {name}\n" + "".join(line(number, address) for number, address in enumerate(found, 1)))
    return 0


@tool("bind-nslookup")
def bind_nslookup(proc: Process, sys: Sys, event: Event) -> int:
    """bind's nslookup, which searches as the resolver does."""
    operands = [word for word in proc["argv"][1:] if not word.startswith("-")]
    kinds = [word.partition("=")[2].upper() for word in proc["argv"][1:] if word.startswith(("-type=", "-query=", "-q=", "-ty="))]
    if not operands:
        return 0
    server, answers = _server(proc, sys, operands[1] if len(operands) > 1 else "")
    if not answers:
        sys.out(";; connection timed out; no servers could be reached\n\n")
        return 1
    sys.out(f"Server:\t\t{server}\nAddress:\t{server}#53\n\n")
    cluster, name = sockets.network(sys).cluster, operands[0]
    if dns.is_address(name):
        records = dns.query(cluster, reverse(name), "PTR", server)[1]
        sys.out(
            "".join(f"{record[0]}\tname = {record[2]}.\n" for record in records) + "\n"
            if records
            else f"** server can't find {reverse(name)}: NXDOMAIN\n\n"
        )
        return 0 if records else 1
    kind = kinds[0] if kinds else "A"
    for full in sockets.resolver(sys).candidates(name):
        rcode, records = dns.query(cluster, full, kind, server)
        if rcode == "NOERROR" and (records or kinds):
            sys.out("".join(map(_record, records)) + "\n" if records else f"*** Can't find {full}: No answer\n\n")
            return 0
    sys.out(f"** server can't find {name}: NXDOMAIN\n\n")
    return 1


@tool("dig")
def dig(proc: Process, sys: Sys, event: Event) -> int:
    """dig [@SERVER] NAME [TYPE] [+short] [+search] [-x ADDRESS]."""
    server, name, kind, flags = "", "", "A", []
    words = proc["argv"][1:]
    while words:
        word = words.pop(0)
        if word.startswith("@"):
            server = word[1:]
        elif word.startswith("+"):
            flags.append(word[1:])
        elif word == "-x" and words:
            name, kind = reverse(words.pop(0)), "PTR"
        elif word == "-t" and words:
            kind = words.pop(0).upper()
        elif word.upper() in KINDS and "." not in word:  # a type may stand before its name (dig(1))
            kind = word.upper()
        elif not word.startswith("-"):
            name = word
    used, answers = _server(proc, sys, server)
    banner = f"\n; <<>> DiG 9.20.10 <<>> {' '.join(proc['argv'][1:])}\n"
    if not answers:
        sys.out(f";; communications error to {used}#53: timed out\n" * 3 + banner + ";; global options: +cmd\n;; no servers could be reached\n")
        return 9
    names = sockets.resolver(sys).candidates(name) if "search" in flags and kind != "PTR" else [name.rstrip(".")]
    rcode, full = "NXDOMAIN", names[0]
    records: list[dns.Record] = []
    for full in names:
        rcode, records = dns.query(sockets.network(sys).cluster, full, kind, used)
        if records:
            break
    if "short" in flags:
        sys.out("".join(f"{value}{'.' if record != 'A' else ''}\n" for _, record, value in records))
        return 0
    if "noall" in flags:
        sys.out("".join(_answer(one) for one in records) if "answer" in flags else "")
        return 0
    more = [(target, "A", address) for target in dict.fromkeys(value.split()[-1] for _, one, value in records if one == "SRV")
            for _, _, address in dns.query(sockets.network(sys).cluster, target, "A", used)[1]]  # CoreDNS tells the targets' addresses too
    text = (
        banner + ";; global options: +cmd\n;; Got answer:\n"
        f";; ->>HEADER<<- opcode: QUERY, status: {rcode}, id: {sys.random(65536)}\n;; flags: qr aa rd; QUERY: 1, ANSWER: "
        f"{len(records)}, "
        f"AUTHORITY: {0 if records else 1}, ADDITIONAL: {1 + len(more)}\n;; WARNING: recursion requested but not available\n\n"
        f";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n;; QUESTION SECTION:\n;{full}.\t\tIN\t{kind}\n\n"
    )
    if records:
        text += (
            ";; ANSWER SECTION:\n"
            + "".join(_answer(one) for one in records)
            + "\n"
            + (";; ADDITIONAL SECTION:\n" + "".join(map(_answer, more)) + "\n" if more else "")
        )
    else:
        serial = sys.now // 1000
        text += f";; AUTHORITY SECTION:\n{dns.DOMAIN}.\t\t30\tIN\tSOA\tns.dns.{dns.DOMAIN}. hostmaster.{dns.DOMAIN}. {serial} 7200 1800 86400 30\n\n"
    sys.out(
        text + f";; Query time: 0 msec\n;; SERVER: {used}#53({used}) (UDP)\n;; WHEN: {_when(sys)}\n;; MSG SIZE  rcvd: {64 + 16 * len(records)}\n\n"
    )
    return 0


def _answer(record: dns.Record) -> str:
    name, kind, value = record
    return f"{name}.\t30\tIN\t{kind}\t{value}{'' if kind == 'A' else '.'}\n"


@tool("getent")
def getent(proc: Process, sys: Sys, event: Event) -> int:
    """getent hosts|ahosts|passwd|group KEY...: code 2 for what is not found."""
    words = proc["argv"][1:]
    if len(words) < 2:
        return 1
    status = 0
    for key in words[1:]:
        if words[0] in ("hosts", "ahosts", "ahostsv4"):
            full, addresses = sockets.resolve(sys, key)
            sys.out("".join(f"{address:<15} {full}\n" for address in addresses))
            status = status if addresses else 2
        else:
            try:
                rows = sys.read_file(f"/etc/{words[0]}").splitlines()
            except Errno:
                return 1
            found = [row for row in rows if key in (row.split(":")[0], row.split(":")[2])]
            sys.out("".join(row + "\n" for row in found))
            status = status if found else 2
    return status


def _when(sys: Sys) -> str:
    return stamp(sys.now, "%a %b %d %H:%M:%S UTC %Y")


@tool("host")
def host(proc: Process, sys: Sys, event: Event) -> int:
    """host NAME or ADDRESS."""
    operands = [word for word in proc["argv"][1:] if not word.startswith("-")]
    if not operands:
        return 1
    name = operands[0]
    server, answers = _server(proc, sys, operands[1] if len(operands) > 1 else "")
    if not answers:
        sys.out(";; connection timed out; no servers could be reached\n")
        return 1
    cluster = sockets.network(sys).cluster
    if dns.is_address(name):
        records = dns.query(cluster, reverse(name), "PTR", server)[1]
        sys.out("".join(f"{one} domain name pointer {value}.\n" for one, _, value in records) or f"Host {reverse(name)}. not found: 3(NXDOMAIN)\n")
        return 0 if records else 1
    for full in sockets.resolver(sys).candidates(name):
        records = dns.query(cluster, full, server=server)[1]
        if records:
            sys.out("".join(f"{one} {'has address ' + value if kind == 'A' else 'is an alias for ' + value + '.'}\n" for one, kind, value in records))
            return 0
    sys.out(f"Host {name} not found: 3(NXDOMAIN)\n")
    return 1
