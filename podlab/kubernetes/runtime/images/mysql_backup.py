"""Percona XtraBackup as the replicated MySQL of the Kubernetes manual calls it: a stream of a data directory, and its unpacking.

The stream is JSON {path: text}, with xtrabackup_binlog_info (where the source's binary log stood) and, of a replica, xtrabackup_slave_info (what
it follows, as a statement without an end). Source: docs.percona.com/percona-xtrabackup/2.4 (files, --slave-info, --stream).
"""

from __future__ import annotations

import json

from ..process import Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .flags import flag
from .mysql_server import BINLOG, Server

LEFT_BEHIND = (
    "auto.cnf",
    "master.info",
    BINLOG,
    "xtrabackup_binlog_info",
    "xtrabackup_slave_info",
    "change_master_to.sql.in",
    "change_master_to.sql.orig",
)


@tool("xtrabackup", memory=30 * MEBIBYTE)
def xtrabackup(proc: Process, sys: Sys, event: Event) -> int:
    """xtrabackup --backup --stream=xbstream [--slave-info] | --prepare --target-dir=DIR."""
    path = flag(proc, "datadir", "/var/lib/mysql").rstrip("/")
    if "--prepare" in proc["argv"]:
        sys.err("InnoDB: Shutdown completed\ncompleted OK!\n")
        return 0
    if "--backup" not in proc["argv"]:
        sys.err("xtrabackup: Please specify --backup or --prepare\n")
        return 1
    try:
        server, files = Server(sys, path), {}
        for name in sys.listdir(path):
            if sys.look(f"{path}/{name}").is_dir:
                files.update({f"{name}/{one}": sys.read_file(f"{path}/{name}/{one}") for one in sys.listdir(f"{path}/{name}")})
                files.setdefault(f"{name}/", "")
            elif name not in LEFT_BEHIND:
                files[name] = sys.read_file(f"{path}/{name}")
        files["xtrabackup_binlog_info"] = f"{BINLOG}\t{server.position()}\n"
        source = server.source()
        if source and "--slave-info" in proc["argv"]:
            files["xtrabackup_slave_info"] = f"CHANGE MASTER TO MASTER_LOG_FILE='{BINLOG}', MASTER_LOG_POS={source['position']};\n"
        sys.out(json.dumps(files, separators=(",", ":")))
    except Errno as error:
        sys.err(f"xtrabackup: error: failed to read {path}: {error.text}\n")
        return 1
    sys.err("xtrabackup: Transaction log was copied.\ncompleted OK!\n")
    return 0


@tool("xbstream", memory=4 * MEBIBYTE)
def xbstream(proc: Process, sys: Sys, event: Event) -> int:
    """xbstream -x [-C DIR]: the stream on standard input becomes files."""
    data, words = proc["data"], proc["argv"]
    data.setdefault("come", "")
    while piece := sys.read(0):
        data["come"] += piece
    where = words[words.index("-C") + 1] if "-C" in words[:-1] else "."
    try:
        files = json.loads(data["come"])
    except ValueError:
        sys.err("xbstream: wrong chunk magic at offset 0x0.\n")
        return 1
    if not isinstance(files, dict):
        return 1
    for name, text in files.items():
        directory, _, file = f"{where}/{name}".rpartition("/")
        if sys.find(directory) is None:
            sys.mkdir(directory)
        if file:
            sys.write_file(f"{directory}/{file}", str(text))
    return 0
