"""nginx: its configuration, its pages, its log."""

from __future__ import annotations

import pytest

from podlab.kubernetes.runtime.images.nginx_config import ConfigError, parse
from tests.kubernetes.runtime.lab import Lab

CONF = """
upstream pool { server app:80; }
server {
    listen 80;
    root /srv;
    error_page 404 /lost.html;
    location / { try_files $uri $uri/ /index.html; }
    location = /exact { return 200 "exact $host $uri\\n"; }
    location ^~ /firm/ { return 200 firm; }
    location ~ \\.php$ { return 200 regex; }
    location /api/ { proxy_pass http://app/; }
    location /pool { proxy_pass http://pool; proxy_set_header Host $host; }
    location /dead { proxy_pass http://127.0.0.1:1; }
    location /secret { deny all; }
    location /none { return 404; }
    location /packed { gzip on; gzip_types text/plain; default_type text/plain; return 200 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; }
    location /files/ { alias /usr/share/nginx/html/; autoindex on; }
}
server { listen 80; server_name other.test; location / { return 200 other; } }
server { listen 8081; location / { return 204; } }
"""


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    lab.pod("app", "hashicorp/http-echo", args=["-text=app", "-listen=:80"])
    lab.service("app", "app")
    lab.settle()
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"default.conf": CONF}})
    lab.create(
        "configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pages"}, "data": {"index.html": "front\n", "lost.html": "lost\n"}},
    )
    lab.pod(
        "web",
        containers=[
            {
                "name": "web",
                "image": "nginx:1.14.2",
                "volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}, {"name": "pages", "mountPath": "/srv"}],
            }
        ],
        spec={"volumes": [{"name": "conf", "configMap": {"name": "conf"}}, {"name": "pages", "configMap": {"name": "pages"}}]},
    )
    lab.client("client", "nicolaka/netshoot")
    lab.settle(25)
    return lab


def test_gzip_packs_what_is_long_enough_for_whom_takes_it(lab: Lab) -> None:
    url = f"{lab.ip('web')}/packed"
    plain = lab.out("client", f"curl -si {url}")
    assert "Content-Encoding" not in plain and plain.endswith("a" * 52)
    head = lab.out("client", f'curl -sI -H "Accept-Encoding: gzip" {url}')
    assert "Content-Encoding: gzip\r\n" in head and "Content-Length" not in head
    assert lab.out("client", f"curl -s --compressed {url}") == "a" * 52
    assert lab.out("client", f'curl -s -H "Accept-Encoding: gzip" {url} | gunzip') == "a" * 52
    assert "Content-Encoding" not in lab.out("client", f"curl -sI --compressed {lab.ip('web')}/exact")


@pytest.mark.parametrize("path, body", [
    ("/", "front\n"), ("/anything/else", "front\n"), ("/exact", "exact {ip} /exact\n"),
    ("/firm/x.php", "firm"), ("/x.php", "regex"), ("/api/v1", "app\n"),
    ("/pool", "app\n"), ("/none", "lost\n"), ("/files/index.html", "<!DOCTYPE html>\n"),
])  # fmt: skip
def test_locations_choose_the_answer(lab: Lab, path: str, body: str) -> None:
    assert lab.out("client", f"curl -s {lab.ip('web')}{path}").startswith(body.format(ip=lab.ip("web")))


@pytest.mark.parametrize("path, code", [("/", 200), ("/none", 404), ("/secret", 403), ("/dead", 502)])
def test_statuses(lab: Lab, path: str, code: int) -> None:
    assert lab.out("client", f"curl -s -o /dev/null -w '%{{http_code}}' {lab.ip('web')}{path}") == str(code)


def test_a_server_is_chosen_by_name_and_port(lab: Lab) -> None:
    assert lab.out("client", f"curl -s -H 'Host: other.test' {lab.ip('web')}") == "other"
    assert lab.out("client", f"curl -s -o /dev/null -w '%{{http_code}}' {lab.ip('web')}:8081") == "204"


def test_requests_are_logged(lab: Lab) -> None:
    lab.out("client", f"curl -s {lab.ip('web')}/exact")
    line = lab.logs("web").splitlines()[-1]
    assert line.startswith(f"{lab.ip('client')} - - [21/Nov/2026:00:")
    assert line.endswith('"GET /exact HTTP/1.1" 200 ' + str(len(f"exact {lab.ip('web')} /exact\n")) + ' "-" "curl/8.14.1" "-"')


def test_a_new_nginx_talks_while_it_starts() -> None:
    lab = Lab(1)
    lab.pod("new", "nginx:1.27")
    lab.settle()
    lines = lab.logs("new").splitlines()
    assert lines[0] == "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration"
    assert lines[-1].endswith("[notice] 1#1: start worker process 2")
    assert lab.out("new", "cat /proc/1/cmdline").startswith("nginx: master process nginx -g daemon off;")


@pytest.mark.parametrize("text, said", [
    ("sever { }", 'unknown directive "sever" in /f:1'),
    ("server {\n listen 80\n}", 'unexpected "}" in /f:3'),
    ("server {\n listen 80;\n", 'unexpected end of file, expecting "}" in /f:2'),
    ("listen 80", 'unexpected end of file, expecting ";" or "}" in /f:1'),
    ("}", 'unexpected "}" in /f:1'),
    ("root { }", 'directive "root" is not terminated by ";" in /f:1'),
])  # fmt: skip
def test_what_is_wrong_in_a_configuration_is_told_by_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "/f")
    assert str(caught.value) == said


def test_a_broken_configuration_ends_nginx() -> None:
    lab = Lab(1)
    lab.pod("broken", "nginx:1.14.2", command=["sh", "-c", "echo 'server { listn 80; }' > /etc/nginx/conf.d/default.conf; exec nginx"])
    lab.pod(
        "lonely",
        "nginx:1.14.2",
        command=["sh", "-c", "echo 'server { location / { proxy_pass http://api; } }' > /etc/nginx/conf.d/default.conf; exec nginx"],
    )
    lab.settle(8)
    assert lab.logs("broken") == 'nginx: [emerg] unknown directive "listn" in /etc/nginx/conf.d/default.conf:1\n'
    assert lab.logs("lonely").startswith('nginx: [emerg] host not found in upstream "api"')


def test_a_reload_reads_the_configuration_anew() -> None:
    lab = Lab(1)
    lab.pod("web", "nginx:1.14.2")
    lab.settle()
    assert (
        lab.run("web", "echo 'server { listen 81; location / { return 200 new; } }' > /etc/nginx/conf.d/default.conf; nginx -t && nginx -s reload")[2]
        == 0
    )
    assert lab.out("web", "curl -s localhost:81") == "new"
    assert lab.run("web", "curl -s localhost:80")[2] == 7


def test_logs_go_to_the_files_that_the_configuration_names() -> None:
    """The sidecar of every manual: nginx writes into a shared volume, a helper reads."""
    lab = Lab(1)
    mount = {"volumeMounts": [{"name": "logs", "mountPath": "/var/log/nginx"}]}
    helper = {"name": "tail", "image": "busybox", "command": ["sh", "-c", "tail -F /var/log/nginx/access.log"], **mount}
    lab.pod("web", containers=[{"name": "web", "image": "nginx:1.27", **mount}, helper], spec={"volumes": [{"name": "logs", "emptyDir": {}}]})
    lab.settle(15)
    assert "[notice]" not in lab.logs("web")
    assert lab.run("web", "curl -s localhost/none")[2] == 0
    lab.settle(2)
    assert '"GET /none HTTP/1.1" 404 153 "-" "curl/8.14.1" "-"' in lab.logs("web", "tail")
    assert "GET" not in lab.logs("web", "web")
    assert "start worker process" in lab.out("web", "cat /var/log/nginx/error.log", "tail")


def test_nginx_without_root_listens_on_8080() -> None:
    lab = Lab(1)
    lab.pod("web", "nginxinc/nginx-unprivileged:1.27-alpine", securityContext={"runAsNonRoot": True, "runAsUser": 101})
    lab.settle()
    assert "Welcome to nginx!" in lab.out("web", "id -u; wget -qO- localhost:8080")
    assert '"GET / HTTP/1.1" 200 612' in lab.logs("web")


def test_a_log_format_of_ones_own() -> None:
    lab = Lab(1)
    conf = 'log_format short "$status $request_method $uri"; server { listen 80; access_log /dev/stdout short; location /quiet { return 200 x; } }'
    lab.pod("web", "nginx:1.14.2", command=["sh", "-c", f"echo '{conf}' > /etc/nginx/conf.d/default.conf; exec nginx"])
    lab.settle()
    lab.run("web", "curl -s localhost/quiet")
    assert lab.logs("web") == "200 GET /quiet\n"
