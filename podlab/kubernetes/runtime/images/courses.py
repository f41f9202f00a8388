"""Images that courses and books made for themselves: those that are nginx with a page of its own, and those of Kiamol (the book's .NET
programs, as shell scripts, and its API of random numbers that falls ill), and the simple service of Kubernetes by Example.

Sources: sysnet4admin/IaC (Docker/Dockerfiles), alicek106/start-docker-kubernetes, MasayaAoyama/kubernetes-perfect-guide, sixeyed/kiamol
(chNN/docker-images).
"""

from __future__ import annotations

import json

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, Tree, add, canonical, variants
from ..process import Process
from ..program import MEBIBYTE
from ..serving import Answer, Late, web_program
from ..system import Sys
from . import mysql
from .base import PATH, base_tree, merge
from .nginx_files import NGINX_CONF, tree

ENV = {"PATH": PATH}
SIZE = 12_000_000  # of a pull: nginx's slim Alpine image


def _script(text: str) -> Entry:
    return Entry(f"#!/bin/sh\n{text}", mode=0o755)


# ---- nginx with a page of its own

NGINX = tree(alpine=True)


def _nginx(repository: str, files: Tree, cmd: tuple[str, ...] = ("nginx", "-g", "daemon off;"), tags: tuple[str, ...] = (VERSIONS,)) -> None:
    held = merge(merge(NGINX, {"bin": {"bash": Entry(program="bash", size=1_200_000)}}), files)
    add(Image(f"docker.io/{repository}", tags, held, SIZE, ("/docker-entrypoint.sh",), cmd, {**ENV, "NGINX_VERSION": "1.26.0"}, ports=(80,),
              stop_signal="SIGQUIT"))  # fmt: skip


def _page(text: str) -> Tree:
    return {"usr": {"share": {"nginx": {"html": {"index.html": text}}}}}


def _returns(text: str, also: str = "") -> Tree:
    """A configuration that answers every path with a text of variables."""
    return {"etc": {"nginx": {"conf.d": {"default.conf": f'server {{\n    listen 80;\n{also}    location / {{\n        default_type text/plain;\n'
                                                         f'        return 200 "{text}\\n";\n    }}\n}}\n'}}}}  # fmt: skip


# Who asked when is noted in a file of the Pod's own name in /audit, where the course mounts its volumes
AUDIT = NGINX_CONF.replace("access_log  /var/log/nginx/access.log  main;",
                           "log_format audit '$time_local  $remote_addr  $request_method';\n"
                           "    access_log  /audit/audit_HOST.log  audit;")  # fmt: skip
AUDIT_START = _script('sed -i "s/HOST/$(hostname)/" /etc/nginx/nginx.conf\nexec nginx -g "daemon off;"\n')
PRINTED = "server_hostname: $hostname | server_address: $server_addr:$server_port | server_url: $request_uri | remote_addr: $remote_addr"
WHERE = "pod_n: $hostname | ip_dest: $server_addr"
for _name in ("chk-hn", "echo-hname", "http-echo", "hpa-cpu-memory", "sticky-nginx"):
    _nginx(f"sysnet4admin/{_name}", _returns("$hostname"))
for _name in ("chk-ip", "echo-ip"):
    _nginx(f"sysnet4admin/{_name}", _returns("request_method : $request_method | ip_dest: $server_addr"))
_nginx("sysnet4admin/chk-info", _returns(PRINTED))
for _name in ("chk-log", "audit-trail"):
    _nginx(f"sysnet4admin/{_name}", merge(_returns(WHERE), {"etc": {"nginx": {"nginx.conf": AUDIT}}, "audit": {}, "audit.sh": AUDIT_START}),
           ("/audit.sh",))  # fmt: skip
HEALTHZ = "    location /healthz {\n        add_header purpose health-check;\n        return 200;\n    }\n"
_nginx("sysnet4admin/healthz-nginx", _returns(PRINTED, HEALTHZ))
_nginx("sysnet4admin/tardy-nginx", {"startup.sh": _script('echo "deep sleep" && sleep 60\ntouch /tmp/healthy-on && nginx -g "daemon off;"\n'),
                                    **_page("tardy again\n")}, ("/startup.sh",))  # fmt: skip
for _name in ("v1", "v2", "v3-v4", "sameas-v1", "latest"):
    _nginx("sysnet4admin/kubecon-eu", _page(f"kubecon-eu-{_name.removeprefix('sameas-')}\n"), tags=(_name,))
_nginx("sysnet4admin/colosseum", _page("colosseum\n"))
_nginx("amsy810/echo-nginx", _returns("Host=$host  Path=$request_uri  From=$hostname  ClientIP=$remote_addr  XFF=$http_x_forwarded_for"))
_nginx("kiamol/ch02-hello-kiamol", _page("<html>\n  <body>\n    <h1>Hello from Chapter 2!</h1>\n  </body>\n</html>\n"))
_nginx("kiamol/ch09-vweb", {"etc": {"nginx": {"conf.d": {"default.conf": "server {\n    listen 80;\n    root /usr/share/nginx/html;\n"
                                                                         "    location /v.txt {\n        default_type text/plain;\n    }\n}\n"}}},
                            "usr": {"share": {"nginx": {"html": {"v.txt": "v1\n"}}}}})  # fmt: skip

# ---- a shell and its tools

CURLCHK = """if [ "$(curl -s -o /dev/null -w '%{http_code}' "$1")" = 200 ]; then
  echo "$(date)  Okay [$1] is working properly" > /proc/1/fd/1
else
  echo "$(date)  NOOO [$1] is not working on" > /proc/1/fd/1
fi
"""
TOOLS = base_tree("alpine", {"usr": {"local": {"bin": {"curlchk": _script(CURLCHK)}}}}, extra=("bash", "curl", "dig", "host"))
SHELLS: dict[str, tuple[str, ...]] = {
    "sysnet4admin/net-tools": (), "sysnet4admin/net-tools-ifn": ("sleep", "infinity"), "sysnet4admin/sleepy": ("sleep", "infinity"),
    "sysnet4admin/kustomize": ("sh",),
    "kiamol/ch03-sleep": ("/bin/sh", "-c", "trap : TERM INT; (while true; do sleep 1000; done) & wait"),
    "amsy810/tools": ("sleep", "86400"), "alicek106/alpine-wget": ("sh",),
}  # fmt: skip
for _name, _command in SHELLS.items():
    add(Image(f"docker.io/{_name}", (VERSIONS,), TOOLS, SIZE, cmd=_command or ("curl",), env=ENV))
add(Image("docker.io/alicek106/rr-test", ("curl",), base_tree("ubuntu", extra=("curl",)), 60_000_000, cmd=("bash",), env=ENV))
_held = base_tree("alpine", {"run.sh": _script("exit $((RANDOM % 2))\n")})
add(Image("docker.io/amsy810/random-exit", (VERSIONS,), _held, SIZE, cmd=("/run.sh",), env=ENV))

# MySQL that lets in who knows the course's two words, which a Secret brings
AUTH = """[ "$MYSQL_USER_ID" = db-user ] || { echo 'USER_ID unmatched'; exit 1; }
[ "$MYSQL_USER_PASSWORD" = hoon ] || { echo 'PASSWORD unmatched'; exit 1; }
exec docker-entrypoint.sh "$@"
"""
_mysql = variants(mysql.MYSQL)[0]
add(Image("docker.io/sysnet4admin/mysql-auth", (VERSIONS,), merge(_mysql.tree, {"auth.sh": _script(AUTH)}), _mysql.size, ("/auth.sh",), ("mysqld",),
          {**ENV, "MYSQL_ROOT_PASSWORD": "rootpassword"}, ports=(3306,)))  # fmt: skip

# Each request is one more in Redis
COUNT = """printf 'INCR count\\r\\nQUIT\\r\\n' | ncat "$REDIS_HOST" "${REDIS_PORT:-6379}" | sed -n 's/^:\\([0-9]*\\).*/\\1/p'
"""
COUNTER = """echo 'counter listening on port 3000'
exec ncat --listen --keep-open 3000 -c '
read -r request
count=$(count)
printf "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: ${#count}\\r\\nConnection: close\\r\\n\\r\\n$count"'
"""
_held = base_tree("debian", {"usr": {"local": {"bin": {"count": _script(COUNT), "counter": _script(COUNTER)}}}}, extra=("ncat",))
add(Image("ghcr.io/subicura/counter", (VERSIONS,), _held, 90_000_000, cmd=("counter",), env=ENV, ports=(3000,)))

# ---- pages that tell who answers


def _flask_start(proc: Process, sys: Sys) -> int | str:
    sys.err(" * Running on http://0.0.0.0:5000/ (Press CTRL+C to quit)\n")
    return 5000


def _hostname_page(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    return text_answer(f"<!DOCTYPE html>\n<p>Hello,  {sys.hostname}</p>\n", kind="text/html; charset=utf-8")


# Python handles no TERM of its own, and process 1 gets none that it does not handle
web_program("flask-hostname", lambda proc, sys: 80, _hostname_page, memory=12 * MEBIBYTE, signal=None)
web_program("flask-hostname-5000", _flask_start, _hostname_page, memory=12 * MEBIBYTE, signal=None)
for _name, _tags, _program in (("rr-test", ("echo-hostname",), "flask-hostname"),
                               ("ingress-annotation-test", ("0.0", "latest"), "flask-hostname-5000")):  # fmt: skip
    _held = base_tree("debian", {"usr": {"local": {"bin": {"python": Entry(program=_program, size=9_000_000)}}}})
    add(Image(f"docker.io/alicek106/{_name}", _tags, _held, 90_000_000, ("python", "main.py"), env=ENV))

# ---- Kubernetes by Example

SIMPLE = ("quay.io/openshiftlabs/simpleservice", "quay.io/mhausenblas/simpleservice", "docker.io/mhausenblas/simpleservice")


def _simple_version(proc: Process, sys: Sys) -> str:
    return str(proc["env"].get("SIMPLE_SERVICE_VERSION") or canonical(sys.container["image"])[1])


def _simple_start(proc: Process, sys: Sys) -> int | str:
    port = proc["env"].get("SIMPLE_SERVICE_PORT") or proc["env"].get("PORT0") or "9876"
    sys.out(f"This is simple service in version v{_simple_version(proc, sys)} listening on port {port}\n")
    return int(port)


def _simple(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    """/health is as late as HEALTH_MIN to HEALTH_MAX ms say (mhausenblas/simpleservice)."""
    version, env = _simple_version(proc, sys), proc["env"]
    when = stamp(sys.now, "%Y-%m-%dT%H:%M:%S")
    sys.err(f"{when} INFO {request.path} serving from {request.get('Host')} has been invoked from {peer} [at line 101]\n")
    pages: dict[str, dict[str, object]] = {
        "/health": {"healthy": True}, "/info": {"host": request.get("Host"), "version": version, "from": peer},
        "/endpoint0": {"version": version, "host": request.get("Host"), "result": "all is well"},
        "/env": {"version": version, "env": str(dict(env))},
    }  # fmt: skip
    if request.path not in pages:
        return text_answer("<html><title>404: Not Found</title><body>404: Not Found</body></html>", 404, kind="text/html; charset=UTF-8")
    found = text_answer(json.dumps(pages[request.path]), kind="application/json")
    least, most = (int(value) if (value := env.get(name, "0")).isdigit() else 0 for name in ("HEALTH_MIN", "HEALTH_MAX"))
    wait = least + sys.random(max(most - least, 0) + 1) if request.path == "/health" else 0
    return Late(wait, found) if wait else found


web_program("simpleservice", _simple_start, _simple, memory=20 * MEBIBYTE, signal=None)
for _name in SIMPLE:
    _held = base_tree("debian", {"usr": {"local": {"bin": {"python": Entry(program="simpleservice", size=9_000_000)}}}}, extra=("curl",))
    add(Image(_name, (VERSIONS,), _held, 270_000_000, cmd=("python", "simpleservice.py"), env=ENV, ports=(9876,)))

# ---- Kiamol

# The host of .NET programs: without the file it runs nothing, and says so with 145 (0x80008091, LibHostSdkFindFailure)
DOTNET = """if [ ! -e "$1" ]; then
  echo 'It was not possible to find any installed .NET Core SDKs' >&2
  echo 'Did you mean to run .NET Core SDK commands? Install a .NET Core SDK from:' >&2
  echo '      https://aka.ms/dotnet-download' >&2
  exit 145
fi
program=/usr/share/dotnet/${1##*/}
shift
exec "$program" "$@"
"""
PI = """mode=console places=6
while [ $# -gt 0 ]; do
  case $1 in -m) mode=$2 ;; -dp) places=$2 ;; esac
  shift 2
done
[ "$mode" = web ] && exec stand-in-web
exec perl -Mbignum=bpi -wle "print bpi($((places + 1)))"
"""
# Every few seconds a line in a file that a sidecar shows; the settings of /config are under those of the environment
TIMECHECK = """told() { sed -n "s/.*\\"$1\\": *\\"\\{0,1\\}\\([^\\",}]*\\).*/\\1/p" /config/appsettings.json 2> /dev/null | head -1; }
mkdir -p /logs
while sleep "${Timer__IntervalSeconds:-$(told IntervalSeconds)}"; do
  where=${Application__Environment:-$(told Environment)} what=${Application__Version:-$(told Version)}
  echo "$(date '+%Y-%m-%d %H:%M:%S').000 +00:00 [INF] Environment: $where; version: $what; time check: $(date +%H:%M.%S)" >> /logs/timecheck.log
done
"""
SETTINGS = '{\n  "Application": {\n    "Version": "1.0",\n    "Environment": "DEV"\n  },\n  "Timer": {\n    "IntervalSeconds": "5"\n  }\n}\n'
PING = """count=1
echo "** web-ping ** Pinging: $TARGET; method: $METHOD; ${INTERVAL}ms intervals"
while sleep $((INTERVAL / 1000)); do
  echo "Making request number: $count; at $(date +%s)000"
  if status=$(curl -sI -o /dev/null -w '%{http_code}' -X "$METHOD" "https://$TARGET"); then
    echo "Got response status: $status at $(date +%s)000; duration: 20ms"
  else
    echo "Error: getaddrinfo ENOTFOUND $TARGET" >&2
  fi
  count=$((count + 1))
done
"""


def _rng_start(proc: Process, sys: Sys) -> int | str:
    proc["data"].update(calls=0, ill=False)
    sys.out("info: Microsoft.Hosting.Lifetime[0]\n      Now listening on: http://[::]:80\n")
    return 80


def _rng(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    """/rng fails for good once it was called as often as FailAfterCallCount says, /healthz tells so; /reset makes it well again."""
    data, limit = proc["data"], proc["env"].get("FailAfterCallCount", "0")
    ill = text_answer('{"message":"Unhealthy"}', 500, kind="application/json; charset=utf-8")
    if request.path == "/healthz":
        return ill if data["ill"] else text_answer('{"status":"OK"}', kind="application/json; charset=utf-8")
    if request.path == "/reset":
        data.update(calls=0, ill=False)
        return text_answer('{"status":"OK"}', kind="application/json; charset=utf-8")
    if not request.path.endswith("/rng"):
        return text_answer("", 404)
    data["calls"] += 1
    if data["ill"]:
        sys.out("warn: Numbers.Api.Controllers.RngController[0]\n      Unhealthy!\n")
        return ill
    data["ill"] = limit.isdigit() and 0 < int(limit) <= data["calls"]
    return text_answer(str(sys.random(100)), kind="application/json; charset=utf-8")


def _kiamol_page(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    title = str(sys.container["image"]).rpartition("/")[2].partition(":")[0]
    return text_answer(f"<!DOCTYPE html>\n<html>\n<h1>{title}</h1>\n<p>{sys.hostname}</p>\n</html>\n", kind="text/html; charset=utf-8")


web_program("kiamol-numbers-api", _rng_start, _rng, memory=40 * MEBIBYTE)
web_program("kiamol-web", lambda proc, sys: 80, _kiamol_page, memory=40 * MEBIBYTE)
web_program("kiamol-proxy", lambda proc, sys: int(proc["env"].get("Proxy__Port", "1080")), _kiamol_page, memory=40 * MEBIBYTE)
WEB = Entry(program="kiamol-web", size=70_000)
DLLS: dict[str, tuple[str, Entry]] = {
    "ch02-whoami": ("whoami.dll", WEB), "ch03-numbers-web": ("Numbers.Web.dll", WEB), "ch04-todo-list": ("ToDoList.dll", WEB),
    "ch03-numbers-api": ("Numbers.Api.dll", Entry(program="kiamol-numbers-api", size=70_000)), "ch05-pi": ("Pi.Web.dll", _script(PI)),
    "ch07-simple-proxy": ("SimpleProxy.dll", Entry(program="kiamol-proxy", size=70_000)), "ch07-timecheck": ("TimeCheck.dll", _script(TIMECHECK)),
    "ch14-image-gallery": ("ImageGallery.dll", WEB), "ch17-kube-explorer": ("KubeExplorer.dll", WEB),
}  # fmt: skip
for _name, (_dll, _entry) in DLLS.items():
    _files: Tree = {"app": {_dll: "MZ\n"}, "config": {"appsettings.json": SETTINGS} if _name == "ch07-timecheck" else {},
                    "usr": {"bin": {"dotnet": _script(DOTNET), "perl": Entry(program="perl", size=4_000_000), "stand-in-web": WEB},
                            "share": {"dotnet": {_dll: _entry}}}}  # fmt: skip
    add(Image(f"docker.io/kiamol/{_name}", (VERSIONS,), base_tree("alpine", _files), 45_000_000, ("dotnet", _dll), env=ENV, working_dir="/app",
              ports=(80,)))  # fmt: skip
_held = base_tree("alpine", {"usr": {"local": {"bin": {"web-ping": _script(PING)}}}}, extra=("curl",))
add(Image("docker.io/kiamol/ch10-web-ping", (VERSIONS,), _held, 32_000_000, cmd=("web-ping",),
          env={**ENV, "TARGET": "blog.sixeyed.com", "METHOD": "HEAD", "INTERVAL": "3000"}))  # fmt: skip
