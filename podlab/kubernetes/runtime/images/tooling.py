"""Images that people start to look around with: curl, netshoot, dnsutils, and load makers."""

from __future__ import annotations

import re

from ...times import stamp
from ..image import Entry, Image, add
from ..process import Data, Process
from ..program import MEBIBYTE, Program, register
from ..serving import ends_at_once
from ..system import Sys
from ..tools.basics import duration
from .base import PATH, base_tree

ENV = {"PATH": PATH}
UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "K": 1000, "k": 1000, "M": 1000_000, "G": 1000_000_000}

add(
    Image(
        "docker.io/curlimages/curl",
        (
            "latest",
            "7.85.0",
            "7.88.1",
            "8.1.2",
            "8.4.0",
            "8.5.0",
            "8.6.0",
            "8.7.1",
            "8.8.0",
            "8.9.1",
            "8.10.1",
            "8.11.1",
            "8.12.1",
            "8.14.1",
            "8.16.0",
            "8.18.0",
        ),
        base_tree(
            "alpine",
            {
                "entrypoint.sh": Entry(
                    '#!/bin/sh\nset -e\nif [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then\n  set -- curl "$@"\nfi\nexec "$@"\n',
                    mode=0o755,
                )
            },
            users={"curl_user": 100},
            extra=("curl",),
        ),
        9_826_441,
        entrypoint=("/entrypoint.sh",),
        cmd=("curl",),
        env=ENV,
        user="curl_user",
        working_dir="/home/curl_user",
    )
)
for _name in ("docker.io/radial/busyboxplus", "docker.io/yauritux/busybox-curl", "docker.io/byrnedo/alpine-curl"):
    add(Image(_name, ("latest", "curl"), base_tree("busybox", extra=("curl",)), 4_203_120, cmd=("sh",), env=ENV))
BIND = {"nslookup": Entry(program="bind-nslookup", size=129_312)}
SHELLS = ("bash", "curl", "dig", "host", "ss")
add(
    Image(
        "docker.io/nicolaka/netshoot",
        ("latest", "v0.7", "v0.8", "v0.9", "v0.10", "v0.11", "v0.12", "v0.13", "v0.14"),
        base_tree("alpine", {"bin": BIND}, extra=(*SHELLS, "iptables", "iptables-save", "jq", "tcpdump")),
        202_349_872,
        cmd=("bash",),
        env=ENV,
    )
)
for _name in (
    "docker.io/tutum/dnsutils",
    "gcr.io/kubernetes-e2e-test-images/dnsutils",
    "registry.k8s.io/e2e-test-images/jessie-dnsutils",
    "registry.k8s.io/e2e-test-images/glibc-dns-testing",
    "docker.io/infoblox/dnstools",
    "docker.io/praqma/network-multitool",
    "docker.io/wbitt/network-multitool",
):
    add(
        Image(
            _name,
            ("latest", "1.3", "1.4", "1.5", "1.7", "2.0.0"),
            base_tree("debian", {"bin": BIND}, extra=SHELLS),
            112_030_336,
            cmd=("sleep", "3600"),
            env=ENV,
        )
    )
add(
    Image(
        "docker.io/polinux/stress",
        ("latest", "1.0.4"),
        base_tree("alpine", extra=("stress", "bash")),
        4_041_495,
        cmd=("stress", "--help"),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/progrium/stress",
        ("latest",),
        base_tree("debian", extra=("stress",)),
        107_213_000,
        entrypoint=("stress", "--verbose"),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/alexeiled/stress-ng",
        ("latest", "0.12.05"),
        base_tree("alpine", extra=("stress-ng",)),
        4_300_000,
        entrypoint=("stress-ng",),
        env=ENV,
    )
)


def _amount(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|[KkMG])?", text)
    return int(float(match[1]) * UNITS[match[2] or ""]) if match else 0


def _stress(proc: Process, sys: Sys, event: Data | None) -> int:
    """vish/stress: -cpus N, -mem-total Q, -mem-alloc-size Q, -mem-alloc-sleep D (github.com/vishh/stress)."""
    data = proc["data"]

    def log(text: str) -> None:
        sys.err(f"I{stamp(sys.now, '%m%d %H:%M:%S')}.{sys.now % 1000:03d}000       {proc['pid']} main.go:26] {text}\n")

    if "total" not in data:
        words = proc["argv"][1:]
        values = {
            word.lstrip("-").partition("=")[0]: word.partition("=")[2] or (words[at + 1] if at + 1 < len(words) else "")
            for at, word in enumerate(words)
            if word.startswith("-")
        }
        data.update(
            total=_amount(values.get("mem-total", "0")),
            step=_amount(values.get("mem-alloc-size", "4Ki")),
            held=0,
            gap=duration(values.get("mem-alloc-sleep", "1ms").removesuffix("ms")) or 1,
        )
        if values.get("mem-alloc-sleep", "1ms").endswith("ms"):
            data["gap"] = max(1, data["gap"] // 1000)
        log(
            f'Allocating "{values.get("mem-total", "0")}" memory, in "{values.get("mem-alloc-size", "4Ki")}" chunks, with a '
            f"{values.get('mem-alloc-sleep', '1ms')} "
            "sleep between allocations"
        )
        cpus = int(values.get("cpus") or 0)
        for _ in range(cpus):
            log("Spawning a thread to consume CPU")
        sys.burn(cpus * 1000)
        data["name"] = values.get("mem-total", "0")
    while data["held"] < data["total"]:
        chunks = max(1, 100 // data["gap"])  # a tenth of a second's work at a time
        data["held"] = min(data["total"], data["held"] + chunks * data["step"])
        sys.allocate(data["held"])
        if data["held"] < data["total"]:
            sys.sleep(chunks * data["gap"])
    if "done" not in data:
        data["done"] = True
        log(f'Allocated "{data["name"]}" memory')
    sys.pause()
    return 0


register(Program("vish-stress", lambda proc, sys: _stress(proc, sys, None), _stress, ends_at_once, MEBIBYTE))
add(
    Image(
        "docker.io/vish/stress",
        ("latest",),
        {"stress": Entry(program="vish-stress", size=1_528_400)},
        1_552_192,
        entrypoint=("/stress", "-logtostderr"),
        env=ENV,
    )
)
