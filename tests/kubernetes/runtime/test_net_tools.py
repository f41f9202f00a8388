"""What the network's tools print, letter by letter, and how they end."""

from __future__ import annotations

import pytest

from tests.kubernetes.runtime.lab import Lab, own

PAGE = (
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
    "<hr><center>nginx/1.14.2</center>\r\n</body>\r\n</html>\r\n"
)


def furnished() -> Lab:
    lab = Lab()
    lab.pod("web", "nginx:1.14.2", node="node-1")
    lab.pod(
        "site",
        "nginx:1.14.2",
        node="node-1",
        command=[
            "sh",
            "-c",
            "echo 'server { listen 80; location /old { return 301 /new; } location /new { return 200 moved; } "
            "location /loop { return 302 /loop; } location /who { return 200 $http_authorization; } location /post { return "
            "200 $request_method$http_content_type; } "
            "location = /head { add_header X-A b; return 204; } }' > /etc/nginx/conf.d/default.conf; exec nginx",
        ],
    )
    lab.pod("app", "podlab/web", node="node-1")
    lab.client()
    lab.client("old", "busybox:1.28")
    lab.client("net", "nicolaka/netshoot")
    lab.service("web", "web")
    lab.service("site", "site")
    lab.service("app", "app", 80, 8080)
    lab.service("none", "nothing")
    lab.settle(25)
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


def cluster_ip(lab: Lab, name: str) -> str:
    service = lab.cluster.etcd.get("services", f"default/{name}")
    assert service is not None
    return str(service["spec"]["clusterIP"])


# ---- wget


def test_wget_saves_a_page_and_tells_so(lab: Lab) -> None:
    out, err, code = lab.run("client", "cd /tmp; wget web; wc -c index.html")
    assert (out, code) == ("612 index.html\n", 0)
    assert (
        err == f"Connecting to web ({cluster_ip(lab, 'web')}:80)\nsaving to 'index.html'\n"
        "\rindex.html           100% |********************************|   612  0:00:00 ETA\n'index.html' saved\n"
    )


def test_wget_does_not_overwrite_what_it_was_not_told_to(lab: Lab) -> None:
    assert lab.run("client", "cd /var; touch index.html; wget web")[1].endswith("wget: can't open 'index.html': File exists\n")


def test_wget_writes_to_standard_output(lab: Lab) -> None:
    out, err, _ = lab.run("client", "wget -O- site/new")
    assert (out, err) == (
        "moved",
        f"Connecting to site ({cluster_ip(lab, 'site')}:80)\nwriting to stdout\n"
        "\r-                    100% |********************************|     5  0:00:00 ETA\nwritten to stdout\n",
    )


def test_old_wgets_say_less(lab: Lab) -> None:
    err = lab.run("old", "wget -O- site/new")[1]
    assert (
        err == f"Connecting to site ({cluster_ip(lab, 'site')}:80)\n\r-                    100% |********************************| "
        f"    5  0:00:00 ETA\n"
    )


@pytest.mark.parametrize("command, said, code", [
    ("wget -q web/none", "wget: server returned error: HTTP/1.1 404 Not Found\n", 1),
    ("wget -q nowhere", "wget: bad address 'nowhere'\n", 1),
    ("wget -q nowhere:8080", "wget: bad address 'nowhere:8080'\n", 1),
    ("wget -q 'http://[a/x'", "wget: bad address '[a'\n", 1),
    ("wget -q http://nowhere:b/", "wget: bad address 'nowhere:b'\n", 1),
    ("wget -q -T 2 10.244.0.99", "wget: download timed out\n", 1),
    ("wget -q -T 1 'app/slow?ms=5000'", "wget: download timed out\n", 1),
    ("wget -q site/loop", "wget: too many redirections\n", 1),
    ("wget -q app/crash", "wget: error getting response\n", 1),
    ("wget -q ftp://web", "wget: not an http or ftp url: ftp://web\n", 1),
    ("wget -q --spider web", "", 0),
    ("wget --spider -q web/none", "wget: server returned error: HTTP/1.1 404 Not Found\n", 1),
])  # fmt: skip
def test_wget_fails_in_its_words(lab: Lab, command: str, said: str, code: int) -> None:
    assert lab.run("client", command) == ("", said, code)
    lab.settle(3)


def test_wget_refused(lab: Lab) -> None:
    assert lab.run("client", "wget -q none") == ("", f"wget: can't connect to remote host ({cluster_ip(lab, 'none')}): Connection refused\n", 1)


def test_wget_spider_tells_that_the_file_exists(lab: Lab) -> None:
    assert lab.run("client", "wget --spider web")[1] == f"Connecting to web ({cluster_ip(lab, 'web')}:80)\nremote file exists\n"


def test_wget_follows_a_redirection(lab: Lab) -> None:
    assert lab.out("client", "wget -qO- site/old") == "moved"


def test_wget_shows_headers(lab: Lab) -> None:
    err = lab.run("client", "wget -qS -O /dev/null site/new")[1]
    assert err.splitlines()[:2] == ["  HTTP/1.1 200 OK", "  Server: nginx/1.14.2"]


def test_wget_posts_and_sends_headers(lab: Lab) -> None:
    assert lab.out("client", "wget -qO- --post-data a=1 site/post") == "POSTapplication/x-www-form-urlencoded"
    assert lab.out("client", "wget -qO- --header 'Authorization: Bearer x' site/who") == "Bearer x"
    assert lab.out("client", "wget -qO- http://me:secret@site/who") == "Basic bWU6c2VjcmV0"


# ---- curl


def test_curl_prints_the_page(lab: Lab) -> None:
    assert lab.run("net", "curl -s site/new") == ("moved", "", 0)


def test_curl_draws_its_meter_when_the_output_is_no_terminal(lab: Lab) -> None:
    err = lab.run("net", "curl -o /dev/null web")[1]
    assert err.startswith("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n")
    assert err.count("\r") == 2


@pytest.mark.parametrize("command, said, code", [
    ("curl -sS nowhere", "curl: (6) Could not resolve host: nowhere\n", 6),
    ("curl nowhere", "curl: (6) Could not resolve host: nowhere\n", 6),
    ("curl -sS none", "curl: (7) Failed to connect to none port 80 after 0 ms: Couldn't connect to server\n", 7),
    ("curl -s none", "", 7),
    ("curl -fsS web/none", "curl: (22) The requested URL returned error: 404\n", 22),
    ("curl -sS -m 2 'app/slow?ms=9000'", "curl: (28) Operation timed out after 2000 milliseconds with 0 bytes received\n", 28),
    ("curl -sS -m 2 10.244.0.99", "curl: (28) Connection timed out after 2000 milliseconds\n", 28),
    ("curl -sS --connect-timeout 2 10.244.0.99", "curl: (28) Failed to connect to 10.244.0.99 port 80 after 2000 ms: Timeout "
                                                 "was reached\n", 28),
    ("curl -sS app/crash", "curl: (52) Empty reply from server\n", 52),
    ("curl -sSL --max-redirs 2 site/loop", "curl: (47) Maximum (2) redirects followed\n", 47),
    ("curl -sS ftp://web", 'curl: (1) Protocol "ftp" not supported\n', 1),
    ("curl", "curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n", 2),
    ("curl --nonsense web", "curl: option --nonsense: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more "
                            "information\n", 2),
    *((f"curl {option} {number} web", f"curl: option {option}: expected a proper numerical parameter\ncurl: try 'curl --help' or 'curl --manual' "
       "for more information\n", 2) for option, number in (("-m", "x"), ("--max-time", "1e400"), ("--retry", "²"), ("--max-redirs", "''"))),
])  # fmt: skip
def test_curl_fails_in_its_words(lab: Lab, command: str, said: str, code: int) -> None:
    assert lab.run("net", command) == ("", said, code)
    lab.settle(3)


def test_what_is_no_number_is_refused_by_the_tools_of_the_network(lab: Lab) -> None:
    for command in ("ping -c x localhost", "ping -W x localhost", "ping -w x localhost", "wget -T x web", "nc -w x web 80",
                    "traceroute -m x localhost"):
        assert lab.run("client", command) == ("", f"{command.split()[0]}: invalid number 'x'\n", 1), command


def test_curl_writes_out_facts(lab: Lab) -> None:
    assert lab.out("net", "curl -s -o /dev/null -w '%{http_code} %{size_download}\\n' web/none") == "404 153\n"
    assert lab.out("net", "curl -s -o /dev/null -w '%{http_code}' none") == "000"


def test_curl_shows_heads(lab: Lab) -> None:
    out = lab.out("net", "curl -sI web")
    assert out.startswith("HTTP/1.1 200 OK\r\nServer: nginx/1.14.2\r\nDate: Sat, 21 Nov 2026 ")
    assert out.endswith("Content-Length: 612\r\nConnection: keep-alive\r\n\r\n")
    assert lab.out("net", "curl -si web/none").partition("\r\n\r\n")[2] == PAGE


def test_curl_talks_when_asked(lab: Lab) -> None:
    err = lab.run("net", "curl -sv site/new -o /dev/null")[1]
    ip = cluster_ip(lab, "site")
    assert err.startswith(
        f"* Host site:80 was resolved.\n* IPv6: (none)\n* IPv4: {ip}\n*   Trying {ip}:80...\n* Connected to site ({ip}) port "
        f"80\n> GET /new HTTP/1.1\n> Host: site\n"
        "> User-Agent: curl/8.14.1\n> Accept: */*\n> \n* Request completely sent off\n< HTTP/1.1 200 OK\n"
    )
    assert err.endswith("< \n{ [5 bytes data]\n* Connection #0 to host site left intact\n")


def test_curl_sends_a_form_with_files(lab: Lab) -> None:
    assert lab.out("net", "echo hello > /tmp/a.txt; curl -s -F name=me -F 'file=@/tmp/a.txt' site/post").startswith(
        "POSTmultipart/form-data; boundary=------------------------")
    assert lab.run("net", "curl -sS -F 'file=@/nowhere' site/post") == ("", "curl: (26) Failed to open/read local data from file/application\n", 26)
    assert lab.run("net", "curl -sS -F nothing site/post")[2] == 2


def test_curl_sends_what_it_is_told(lab: Lab) -> None:
    assert lab.out("net", "curl -s -d a=1 site/post") == "POSTapplication/x-www-form-urlencoded"
    assert lab.out("net", "curl -s --json '{}' site/post") == "POSTapplication/json"
    assert lab.out("net", "curl -s -X PUT site/post") == "PUT"
    assert lab.out("net", "curl -s -u me:secret site/who") == "Basic bWU6c2VjcmV0"
    assert lab.out("net", "curl -s -H 'Authorization: x' site/who") == "x"
    assert lab.out("net", "curl -sL site/old") == "moved"


def test_curl_resolves_as_told(lab: Lab) -> None:
    assert lab.out("net", f"curl -s --resolve shop.test:80:{lab.ip('site')} http://shop.test/new") == "moved"


def test_curl_tries_again(lab: Lab) -> None:
    began = lab.cluster.now
    _out, _err, code = lab.run("net", "curl -sS --retry 2 --retry-connrefused none")
    assert code == 7
    assert lab.cluster.now - began == 3_000


# ---- nc, telnet


def test_nc_sends_its_input_and_prints_the_answer(lab: Lab) -> None:
    out = lab.out("client", "printf 'GET /new HTTP/1.0\\r\\n\\r\\n' | nc site 80")
    assert out.startswith("HTTP/1.1 200 OK\r\n")
    assert out.endswith("\r\n\r\nmoved")


def test_nc_looks_whether_a_port_is_open(lab: Lab) -> None:
    ip = cluster_ip(lab, "web")
    assert lab.run("client", "nc -zv web 80") == ("", f"web ({ip}:80) open\n", 0)
    assert lab.run("client", "nc -z web 80") == ("", "", 0)
    assert lab.run("client", "nc -z none 80") == ("", "", 1)
    assert lab.run("client", "nc -zvv none 80") == ("", f"nc: none ({cluster_ip(lab, 'none')}:80): Connection refused\n", 1)
    assert lab.run("client", "nc nowhere 80") == ("", "nc: bad address 'nowhere'\n", 1)


def test_nc_listens_once(lab: Lab) -> None:
    exec_id = lab.begin("client", "echo hello | nc -l -p 5000 -v")
    assert lab.out("net", f"nc {lab.ip('client')} 5000 < /dev/null") == "hello\n"
    out, err, code = lab.end("client", exec_id)
    assert (out, code) == ("", 0)
    assert err.startswith("listening on [::]:5000 ...\nconnect to [::ffff:")
    assert lab.run("net", f"nc -zvv {lab.ip('client')} 5000")[2] == 1


def test_nc_runs_a_program_for_every_caller(lab: Lab) -> None:
    lab.begin("client", "nc -lk -p 5001 -e cat")
    lab.settle(0.1)
    for word in ("one", "two"):
        assert lab.out("net", f"echo {word} | nc {lab.ip('client')} 5001") == f"{word}\n"


def test_nc_cannot_have_a_port_twice(lab: Lab) -> None:
    lab.begin("client", "nc -l -p 5002")
    assert lab.run("client", "nc -l -p 5002") == ("", "nc: bind: Address already in use\n", 1)


def test_a_loop_of_nc_serves_http() -> None:
    lab = Lab()
    lab.pod("loop", command=["sh", "-c", 'while true; do echo -e "HTTP/1.1 200 OK\\n\\nhi" | nc -l -p 8080; done'])
    lab.client()
    lab.settle()
    assert lab.out("client", f"for i in 1 2 3; do wget -qO- {lab.ip('loop')}:8080; sleep 1; done") == "hi\n" * 3
    assert lab.logs("loop").count("GET / HTTP/1.1") == 3


def test_telnet_says_why_not(lab: Lab) -> None:
    assert lab.run("client", "telnet none 80")[1:] == (f"telnet: can't connect to remote host ({cluster_ip(lab, 'none')}): Connection refused\n", 1)


# ---- names and packets


def test_nslookup_asks_for_every_search_domain(lab: Lab) -> None:
    out, _err, code = lab.run("client", "nslookup web")
    missing = "** server can't find web.svc.cluster.local: NXDOMAIN\n\n** server can't find web.cluster.local: NXDOMAIN\n\n"
    assert (
        out == f"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tweb.default.svc.cluster.local\nAddress: "
        f"{cluster_ip(lab, 'web')}\n\n{missing}\n{missing}"
    )
    assert code == 1


def test_nslookup_of_a_full_name(lab: Lab) -> None:
    out = lab.out("client", "nslookup web.default.svc.cluster.local")
    assert out == f"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tweb.default.svc.cluster.local\nAddress: {cluster_ip(lab, 'web')}\n\n\n"


def test_nslookup_of_1_28(lab: Lab) -> None:
    ip = cluster_ip(lab, "web")
    assert lab.run("old", "nslookup web") == (
        "Server:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n"
        f"Name:      web\nAddress 1: {ip} web.default.svc.cluster.local\n",
        "",
        0,
    )
    assert lab.run("old", "nslookup nowhere")[1:] == ("nslookup: can't resolve 'nowhere'\n", 1)


def test_bind_tools(lab: Lab) -> None:
    ip = cluster_ip(lab, "web")
    assert (
        lab.out("net", "nslookup web") == f"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\tweb.default.svc.cluster.local\nAddress: {ip}\n\n"
    )
    assert lab.run("net", "nslookup nowhere")[2] == 1
    assert lab.out("net", "dig +short web.default.svc.cluster.local") == f"{ip}\n"
    assert lab.out("net", "dig +short SRV web.default.svc.cluster.local") == "0 100 80 web.default.svc.cluster.local.\n"
    assert f"ADDITIONAL SECTION:\nweb.default.svc.cluster.local.\t30\tIN\tA\t{ip}" in lab.out("net", "dig SRV web.default.svc.cluster.local")
    assert "status: NXDOMAIN" in lab.out("net", "dig web")
    assert lab.out("net", "host web") == f"web.default.svc.cluster.local has address {ip}\n"
    assert lab.run("net", "host nowhere") == ("Host nowhere not found: 3(NXDOMAIN)\n", "", 1)


def test_ping_counts(lab: Lab) -> None:
    ip = lab.ip("web")
    out, _, code = lab.run("client", f"ping -c 2 {ip}")
    lines = out.splitlines()
    assert lines[0] == f"PING {ip} ({ip}): 56 data bytes"
    assert lines[1].startswith(f"64 bytes from {ip}: seq=0 ttl=62 time=0.")
    assert lines[3:6] == ["", f"--- {ip} ping statistics ---", "2 packets transmitted, 2 packets received, 0% packet loss"]
    assert lines[6].startswith("round-trip min/avg/max = 0.")
    assert code == 0


def test_a_services_address_answers_no_ping(lab: Lab) -> None:
    out, _, code = lab.run("client", "ping -c 1 -W 2 web")
    assert (
        out == f"PING web ({cluster_ip(lab, 'web')}): 56 data bytes\n\n--- web ping statistics ---\n1 packets transmitted, 0 "
        f"packets received, 100% packet loss\n"
    )
    assert code == 1
    assert lab.run("client", "ping nowhere") == ("", "ping: bad address 'nowhere'\n", 1)


def test_sockets_are_listed(lab: Lab) -> None:
    lab.begin("client", "nc -l -p 5005")
    lab.settle(0.1)
    out = lab.out("client", "netstat -tln")
    assert out.startswith(
        "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       \n"
    )
    assert "tcp        0      0 0.0.0.0:5005            0.0.0.0:*               LISTEN      \n" in out
    lab.begin("net", "nc -l -p 5006")
    lab.settle(0.1)
    assert "0.0.0.0:5006" in lab.out("net", "ss -tln")


# ---- httpd


def test_busybox_httpd_serves_a_directory() -> None:
    lab = Lab()
    lab.pod("files", command=["sh", "-c", "mkdir -p /www/sub; echo front > /www/index.html; echo deep > /www/sub/a.txt; httpd -f -v -p 8080 -h /www"])
    lab.pod("daemon", command=["sh", "-c", "cd /tmp; echo there > index.html; httpd -p 8080; sleep 10000"])
    lab.client()
    lab.settle()
    ip = lab.ip("files")
    assert lab.out("client", f"wget -qO- {ip}:8080; wget -qO- {ip}:8080/sub/a.txt") == "front\ndeep\n"
    assert lab.run("client", f"wget -qO- {ip}:8080/none")[1] == "wget: server returned error: HTTP/1.1 404 Not Found\n"
    assert lab.logs("files").splitlines()[0] == f"[::ffff:{lab.ip('client')}]: response:200"
    assert lab.out("client", f"wget -qO- {lab.ip('daemon')}:8080") == "there\n"
    assert lab.run("files", "httpd -f -p 8080") == ("", "httpd: bind: Address already in use\n", 1)
