"""Databases and queues as plausible servers: they want what the real images want, take their time, listen and stay.

They speak no protocol of theirs: a connection is accepted and stays silent. Data directories are real files, so a server that finds
its directory filled starts without initialising, as the real ones do. Sources: the images' docker-entrypoint.sh and documentation.
"""

from __future__ import annotations

from ...times import stamp
from ..process import Process
from ..program import MEBIBYTE
from ..system import Sys
from .database_server import add_image, add_server, nothing

# ---- memcached, rabbitmq


def _rabbit_ready(proc: Process, sys: Sys) -> str:
    at = stamp(sys.now, "%Y-%m-%d %H:%M:%S.") + f"{sys.now % 1000:03d}000+00:00"
    return (
        f"{at} [info] <0.254.0> node           : rabbit@{sys.hostname}\n{at} [info] <0.692.0> started TCP listener on [::]:5672\n"
        f"{at} [info] <0.581.0> Server startup complete; 4 plugins started.\n"
    )


add_server("memcached", 11211, nothing, "", nothing, nothing, "", init_ms=0, start_ms=5, memory=3 * MEBIBYTE)
add_server(
    "rabbitmq-server",
    5672,
    nothing,
    "/var/lib/rabbitmq/mnesia/started",
    nothing,
    _rabbit_ready,
    "",
    init_ms=2_000,
    start_ms=5_500,
    memory=140 * MEBIBYTE,
)


# ---- images


add_image("memcached", ("latest", "1", "1.6", "1.6.39"), "memcached", 34_040_000, 11211, {}, user=("memcache", 11211))
add_image("memcached", ("alpine", "1-alpine", "1.6-alpine"), "memcached", 4_260_000, 11211, {}, user=("memcache", 11211), alpine=True)
add_image(
    "rabbitmq",
    ("latest", "3", "3.11", "3.12", "3.13", "4", "4.1", "management", "3-management", "3.11-management", "3.12-management", "4-management"),
    "rabbitmq-server",
    113_860_000,
    5672,
    {"var": {"lib": {"rabbitmq": {}}}},
    user=("rabbitmq", 999),
)
