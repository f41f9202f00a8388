"""wordpress (Apache): copies itself into /var/www/html, and leads to its installation page while its database answers.

Nothing is installed: that page is the end, as in the manual's tutorial. Sources: the image's docker-entrypoint.sh and wp-config-docker.php,
WordPress' wp-includes/load.php (dead_db, wp_not_installed).
"""

from __future__ import annotations

from ...times import clf_time, stamp
from .. import http, sockets
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, add
from ..process import Process
from ..program import MEBIBYTE
from ..serving import Answer, ends_at_once, web_program
from ..system import Sys
from .base import PATH, base_tree

ROOT = "/var/www/html"
FILES = {"index.php": "<?php\n", "wp-login.php": "<?php\n", "wp-config.php": "<?php\n// from the environment\n"}
HTML = "text/html; charset=UTF-8"
OWN = [("Server", "Apache/2.4.57 (Debian)"), ("X-Powered-By", "PHP/8.0.30")]
TITLE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"


def _start(proc: Process, sys: Sys) -> int | str:
    if sys.find(f"{ROOT}/index.php") is None:
        sys.err(f"WordPress not found in {ROOT} - copying now...\n")
        for name, text in FILES.items():
            sys.write_file(f"{ROOT}/{name}", text)
        sys.err(f"Complete! WordPress has been successfully copied to {ROOT}\n")
    sys.err(f"AH00558: apache2: Could not reliably determine the server's fully qualified domain name, using {sys.sandbox['ip']}. "
            "Set the 'ServerName' directive globally to suppress this message\n"
            f"[{stamp(sys.now, '%a %b %d %H:%M:%S.%f %Y')}] [mpm_prefork:notice] [pid {proc['pid']}] AH00163: Apache/2.4.57 (Debian) PHP/8.0.30 "
            "configured -- resuming normal operations\n")  # fmt: skip
    return 80


def _has_database(proc: Process, sys: Sys) -> bool:
    """Whether something takes connections at WORDPRESS_DB_HOST ("mysql" by default, with a port or without)."""
    host, _, port = (proc["env"].get("WORDPRESS_DB_HOST") or "mysql").partition(":")
    found = sockets.resolve(sys, host)[1]
    if not found:
        return False
    network = sockets.network(sys)
    way = network.routes.look(sockets.namespace(sys), found[0], int(port) if port.isdigit() else 3306, host)
    return not way.error and network.listener(way.namespace, way.port, way.address) is not None


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if not _has_database(proc, sys):
        found = text_answer(TITLE.format("Error establishing a database connection"), 500, HTML)
    elif request.path.startswith("/wp-admin/install.php"):
        found = text_answer(TITLE.format("WordPress &rsaquo; Installation"), 200, HTML)
    else:
        host = request.get("Host") or sys.sandbox["ip"]
        found = text_answer("", 302, HTML, [("X-Redirect-By", "WordPress"), ("Location", f"http://{host}/wp-admin/install.php")])
    found.headers = [*OWN, *found.headers]
    sys.out(f'{peer} - - [{clf_time(sys.now)}] "{request.start}" {found.status} {http.size(found.body)} "-" "{request.get("User-Agent", "-")}"\n')
    return found


web_program("wordpress", _start, _answer, memory=60 * MEBIBYTE, signal=ends_at_once)
_ENTRY = '#!/bin/sh\nif [ "$1" = apache2-foreground ]; then exec wordpress; fi\nexec "$@"\n'
add(Image("docker.io/library/wordpress", (VERSIONS,), base_tree("debian", {
    "usr": {"local": {"bin": {"wordpress": Entry(program="wordpress", size=1_000_000), "docker-entrypoint.sh": Entry(_ENTRY, mode=0o755),
                              "apache2-foreground": Entry("#!/bin/sh\nexec wordpress\n", mode=0o755)}}},
    "var": {"www": {"html": {}}}}, extra=("curl",)), 240_000_000, ("docker-entrypoint.sh",), ("apache2-foreground",), {"PATH": PATH},
    working_dir=ROOT, ports=(80,)))  # fmt: skip
