"""What the images of nginx hold: their tags, configuration and pages."""

from __future__ import annotations

from typing import Any

from ..image import Entry
from .base import base_tree

TAGS = (
    "1.7.9",
    "1.9",
    "1.9.1",
    "1.9.2",
    "1.11",
    "1.12",
    "1.13",
    "1.14",
    "1.14.1",
    "1.14.2",
    "1.15",
    "1.15.4",
    "1.15.12",
    "1.16",
    "1.16.0",
    "1.16.1",
    "1.17",
    "1.17.10",
    "1.18",
    "1.18.0",
    "1.19",
    "1.19.10",
    "1.20",
    "1.20.2",
    "1.21",
    "1.21.6",
    "1.22",
    "1.22.1",
    "1.23",
    "1.23.4",
    "1.24",
    "1.24.0",
    "1.25",
    "1.25.3",
    "1.25.5",
    "1.26",
    "1.26.3",
    "1.27",
    "1.27.0",
    "1.27.1",
    "1.27.5",
    "1.28",
    "1.28.0",
    "1.29",
    "1.29.3",
    "1",
    "latest",
    "stable",
    "mainline",
    "perl",
    "bookworm",
    "1-bookworm",
)
ALPINE_TAGS = (
    "alpine",
    "stable-alpine",
    "mainline-alpine",
    "1-alpine",
    "1.29-alpine",
    "1.28-alpine",
    "1.27-alpine",
    "1.26-alpine",
    "1.25-alpine",
    "1.24-alpine",
    "1.23-alpine",
    "1.22-alpine",
    "1.21-alpine",
    "1.20-alpine",
    "1.19-alpine",
    "1.18-alpine",
    "1.17-alpine",
    "1.16-alpine",
    "1.15-alpine",
    "1.14-alpine",
    "1.27.0-alpine",
    "1.27-alpine-slim",
    "alpine-slim",
)
SLIM_TAGS = ("latest", "0.8", "0.20", "0.21", "0.24", "0.26", "0.27")  # the StatefulSet tutorial's
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
