"""What the images of nginx hold: their tags, configuration and pages."""

from __future__ import annotations

from typing import Any

from ..image import Entry
from .base import base_tree

LAST_PATCH = {7: 12, 8: 1, 9: 15, 10: 3, 11: 13, 12: 2, 13: 12, 14: 2, 15: 12, 16: 1, 17: 10, 18: 0, 19: 10, 20: 2, 21: 6, 22: 1, 23: 4, 24: 0, 25: 5,
              26: 3, 27: 5, 28: 0, 29: 3}  # fmt: skip
"""The last release of each 1.N (nginx.org/en/CHANGES)."""
RELEASES = ("1", *(tag for n, last in LAST_PATCH.items() for tag in (f"1.{n}", *(f"1.{n}.{patch}" for patch in range(last + 1)))))
TAGS = (*RELEASES, "latest", "stable", "mainline", "perl", "trixie", "bookworm",
        *(f"{tag}-{name}" for tag in RELEASES for name in ("bookworm", "perl")))  # fmt: skip
ALPINE_TAGS = tuple(f"{tag}{kind}" for tag in ("", "stable-", "mainline-", *(f"{tag}-" for tag in RELEASES)) for kind in ("alpine", "alpine-slim"))
SLIM_TAGS = ("latest", "0.7", "0.8", "0.20", "0.21", "0.24", "0.26", "0.27")  # the StatefulSet tutorial's
NGINX_CONF = """
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /var/run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
"""
DEFAULT_CONF = """server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
PAGE_50X = "<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<h1>An error occurred.</h1>\n</body>\n</html>\n"
INDEX = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
    body {
        width: 35em;
        margin: 0 auto;
        font-family: Tahoma, Verdana, Arial, sans-serif;
    }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""


def tree(alpine: bool) -> dict[str, Any]:
    return base_tree(
        "alpine" if alpine else "debian",
        {
            "usr": {
                "sbin": {"nginx": Entry(program="nginx", size=1_240_136)},
                "share": {"nginx": {"html": {"index.html": INDEX, "50x.html": PAGE_50X}}},
            },
            "etc": {
                "nginx": {
                    "nginx.conf": NGINX_CONF,
                    "conf.d": {"default.conf": DEFAULT_CONF},
                    "mime.types": "types {\n    text/html html htm shtml;\n}\n",
                }
            },
            "docker-entrypoint.sh": Entry(program="docker-entrypoint-nginx", size=1_620),
            "docker-entrypoint.d": {"10-listen-on-ipv6-by-default.sh": Entry("", mode=0o755)},
            "var": {
                "log": {"nginx": {"access.log": Entry(link="/dev/stdout"), "error.log": Entry(link="/dev/stderr")}},
                "cache": {"nginx": {}},
            },
        },
        users={"nginx": 101},
        extra=("curl",),
    )
