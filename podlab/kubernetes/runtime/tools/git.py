"""git, as far as containers begin with it: clone, init, --version.

What stands in a repository of the real Internet is not in the small one: a clone has a README.md that says so, which is how a Pod whose
init container clones its content comes up. Words: git-clone(1).
"""

from __future__ import annotations

from .. import http, sockets
from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys

VALUED = ("-b", "--branch", "--depth", "-o", "--origin", "-c", "--config", "--reference", "-u", "--filter", "-j", "--jobs")
README = "# {name}\n\nA clone of {url}: its files are not in this simulation.\n"
CONNECT_MS = 60_000
FETCH_MS = 900  # of a small repository


@tool("git")
def git(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    while words and words[0] in ("-C", "-c"):
        if words[0] == "-C" and len(words) > 1 and event is None:
            sys.chdir(words[1])
        words = words[2:]
    if words[:1] in (["--version"], ["version"]):
        sys.out("git version 2.47.2\n")
        return 0
    if words[:1] == ["clone"]:
        return _clone(proc, sys, words[1:])
    if words[:1] == ["init"]:
        where = words[-1] if len(words) > 1 and not words[-1].startswith("-") else "."
        _lay_down(sys, where)
        sys.out(f"Initialized empty Git repository in {sys.look(where).path.rstrip('/')}/.git/\n")
        return 0
    if words[:2] in (["config", "--global"], ["config", "--system"]):
        return 0
    if not words or words[0] in ("help", "--help"):
        sys.out("usage: git [-v | --version] [-h | --help] [-C <path>] [-c <name>=<value>] <command> [<args>]\n")
        return int(not words)
    sys.err(f"podlab: git {words[0]} is not simulated\n")
    return 1


def _clone(proc: Process, sys: Sys, words: list[str]) -> int:
    operands: list[str] = []
    while words:
        word = words.pop(0)
        if word == "--":
            operands += words
            break
        if word in VALUED:
            words = words[1:]
        elif not word.startswith("-"):
            operands.append(word)
    if not operands:
        sys.err("fatal: You must specify a repository to clone.\n")
        return 129
    url = operands[0]
    where = operands[1] if len(operands) > 1 else url.rstrip("/").rpartition("/")[2].removesuffix(".git")
    data = proc["data"]
    if "begun" not in data:
        found = sys.find(where)
        if found is not None and (not found.is_dir or sys.names(found)):
            sys.err(f"fatal: destination path '{where}' already exists and is not an empty directory.\n")
            return 128
        sys.err(f"Cloning into '{where}'...\n")
        data["begun"] = True
    _, host, port, _ = http.split_url(url)
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        sys.err(f"fatal: unable to access '{url}': Could not resolve host: {host}\n")
        return 128
    if "until" not in data:
        try:
            sys.close(sockets.connect(sys, "socket", addresses[0], port, CONNECT_MS))
        except Errno as error:
            why = "Connection timed out" if error.name == "ETIMEDOUT" else "Could not connect to server"
            sys.err(f"fatal: unable to access '{url}': Failed to connect to {host} port {port}: {why}\n")
            return 128
        data["until"] = sys.now + FETCH_MS
    if sys.now < data["until"]:
        sys.sleep(data["until"] - sys.now)
    try:
        _lay_down(sys, where)
        sys.write_file(f"{where}/README.md", README.format(name=where.rpartition("/")[2], url=url))
    except Errno as error:
        sys.err(f"fatal: could not create work tree dir '{where}': {error.text}\n")
        return 128
    return 0


def _lay_down(sys: Sys, where: str) -> None:
    """An empty repository. Raises Errno."""
    for path in (where, f"{where}/.git"):
        if sys.find(path) is None:
            sys.mkdir(path)
    sys.write_file(f"{where}/.git/HEAD", "ref: refs/heads/main\n")
