"""The files that every image with a shell has: busybox's tools (or their GNU names) under /bin, users, release files."""

from __future__ import annotations

from typing import Any

from .. import shell, tools  # noqa: F401  (they register the programs that the files below run)
from ..image import Entry, Tree
from ..program import PROGRAMS

OWN = {"foreign", "curl", "nginx", "pause"}  # programs that are no busybox applet
TOOLS = tuple(sorted(name for name in PROGRAMS if name not in OWN))

PASSWD = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\n" \
         "nobody:x:65534:65534:nobody:/home:/bin/false\n"
GROUP = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n"


def merge(base: dict[str, Any], extra: Tree) -> dict[str, Any]:
    """`base` with the directories and files of `extra` laid over it."""
    out = dict(base)
    for name, item in extra.items():
        held = out.get(name)
        out[name] = merge(held, item) if isinstance(held, dict) and isinstance(item, dict) else item
    return out


def base_tree(extra: Tree | None = None, *, bash: bool = False, curl: bool = False, release: str = "") -> dict[str, Any]:
    """A root file system with the tools, `extra` laid over it."""
    applets = {name: Entry(program=name, size=1_131_168) for name in TOOLS}
    if bash:
        applets["bash"] = Entry(program="sh", size=1_265_648)
    if curl:
        applets["curl"] = Entry(program="curl", size=276_056)
    tree: dict[str, Any] = {
        "bin": applets, "usr": {"bin": {"env": Entry(program="env", size=48_536)}, "sbin": {}, "local": {"bin": {}}}, "sbin": {}, "dev": {}, "proc": {}, "sys": {},
        "etc": {"passwd": PASSWD, "group": GROUP, "os-release": release, "hostname": "", "hosts": "", "resolv.conf": ""},
        "home": {}, "root": {}, "tmp": Entry(children={}, mode=0o1777), "var": {"log": {}, "run": {}, "tmp": {}}, "run": {}, "opt": {}, "mnt": {},
        "lib": {}}
    return merge(tree, extra or {})
