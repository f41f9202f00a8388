"""curl and wget on the laptop: HTTP from outside the cluster, through node ports and port-forwards."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

from ..runtime import http
from .terminal import Terminal, Wait

DEFAULT_TIMEOUT_MS = 127_000  # what Linux takes to give up on a connection that nobody answers (tcp_syn_retries 6)
Answer = dict[str, Any]
Connect = Callable[[int], "dict[str, Any] | None"]
"""Where a local port leads: {"uid", "port"} of a port-forward, or None."""
WITH_VALUE = {"-o": "output", "--output": "output", "-w": "write-out", "--write-out": "write-out", "-X": "method",
              "--request": "method",
              "-m": "max-time", "--max-time": "max-time", "--connect-timeout": "max-time", "-u": "user", "--user": "user",
              "-A": "agent",
              "--user-agent": "agent", "--resolve": "resolve", "-e": "referer", "-b": "cookie", "-O-": "output",
              "--retry": "retry", "-T": "max-time"}
REPEATED = {"-H": "headers", "--header": "headers", "-d": "data", "--data": "data", "--data-raw": "data", "--data-binary": "data"}
PLAIN = {"s": "silent", "S": "show-error", "i": "include", "I": "head", "v": "verbose", "f": "fail", "L": "location",
         "k": "insecure", "g": "globoff",
         "N": "no-buffer", "q": "silent", "4": "ipv4"}
LONG = {"--silent": "silent", "--show-error": "show-error", "--include": "include", "--head": "head", "--verbose": "verbose",
        "--fail": "fail",
        "--location": "location", "--insecure": "insecure"}
REDIRECTS = 50


def run(argv: list[str], terminal: Terminal, connect: Connect) -> Generator[Wait, None, int]:
    """The command `argv` ("curl" or "wget" first). Gives the exit code."""
    parsed = _parse(argv, terminal)
    if isinstance(parsed, int):
        return parsed
    options, urls = parsed
    if not urls:
        terminal.err("curl: (2) no URL specified\n" if argv[0] == "curl" else "wget: missing URL\n")
        return 2 if argv[0] == "curl" else 1
    code = 0
    for url in urls:
        if argv[0] == "wget":
            code = yield from _wget(url, options, terminal, connect)
        else:
            code = yield from _curl(url, options, terminal, connect)
    return code


def _parse(argv: list[str], terminal: Terminal) -> tuple[dict[str, Any], list[str]] | int:
    options: dict[str, Any] = {"headers": [], "data": []}
    urls: list[str] = []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word in WITH_VALUE or word in REPEATED or (equals and name in WITH_VALUE):
            text = value if equals else words.pop(0) if words else ""
            if name in REPEATED:
                options[REPEATED[name]].append(text)
            else:
                options[WITH_VALUE[name]] = text
        elif word in LONG:
            options[LONG[word]] = True
        elif word.startswith("--"):
            terminal.err(f"{argv[0]}: option {word}: is unknown\n{argv[0]}: try '{argv[0]} --help' for more information\n")
            return 2
        elif word.startswith("-") and len(word) > 1:
            if argv[0] == "wget" and word.startswith(("-O", "-qO")):
                options["output"] = word.partition("O")[2] or (words.pop(0) if words else "-")
                options["silent"] = options.get("silent") or "q" in word
                continue
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if "-" + letter in WITH_VALUE or "-" + letter in REPEATED:
                    text = letters or (words.pop(0) if words else "")
                    if "-" + letter in REPEATED:
                        options[REPEATED["-" + letter]].append(text)
                    else:
                        options[WITH_VALUE["-" + letter]] = text
                    letters = ""
                elif letter in PLAIN:
                    options[PLAIN[letter]] = True
                else:
                    terminal.err(f"{argv[0]}: option -{letter}: is unknown\n{argv[0]}: try '{argv[0]} --help' for more "
                                 f"information\n")
                    return 2
        else:
            urls.append(word)
    return options, urls


def _ask(url: str, options: dict[str, Any], terminal: Terminal, connect: Connect, agent: str) -> Generator[Wait, None, Answer]:
    """One request and its answer (network.py's result), with "url" as it was asked."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return {"error": "URL", "url": whole, "host": "", "port": 0, "ms": 0}
    asked = {"url": whole, "host": host, "port": port}
    if parts.scheme == "https":
        return {**asked, "error": "TLS", "ms": 0}
    if parts.scheme != "http":
        return {**asked, "error": "scheme", "scheme": parts.scheme, "ms": 0}
    body = "&".join(options["data"])
    method = options.get("method") or ("HEAD" if options.get("head") else "POST" if options["data"] else "GET")
    headers = [["User-Agent", options.get("agent") or agent], ["Accept", "*/*"]]
    headers += [[name.strip(), value.strip()] for name, _, value in (one.partition(":") for one in options["headers"])]
    if options["data"] and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(["Content-Type", "application/x-www-form-urlencoded"])
    if options.get("user"):
        import base64
        headers.append(["Authorization", "Basic " + base64.b64encode(options["user"].encode()).decode()])
    asked.update(method=method, headers=headers)
    visit: dict[str, Any] = {"url": whole, "method": method, "headers": headers, "body": body}
    if host in ("localhost", "127.0.0.1", "::1"):
        to = connect(port)
        if to is None:
            return {**asked, "error": "ECONNREFUSED", "ms": 0}
        visit.update(url=parts._replace(netloc=f"127.0.0.1:{to['port']}").geturl(), pod=to["uid"],
                     headers=[["Host", f"{host}:{port}"], *headers] if not any(n.lower() == "host" for n,
                         _ in headers) else headers)
    limit = round(float(options["max-time"]) * 1000) if options.get("max-time") else DEFAULT_TIMEOUT_MS
    result = yield from visited(terminal, visit, limit)
    if "pod" in visit and result.get("error") == "ECONNREFUSED":  # kubectl had taken the connection already
        result["error"] = "closed"
    return {**result, "sent": asked, **asked, "headers": result["headers"]}


def visited(terminal: Terminal, visit: dict[str, Any], limit_ms: int) -> Generator[Wait, None, Answer]:
    """What comes of one request into the cluster (network.py's result)."""
    network = terminal.api.engine.network
    visit_id = terminal.api.visit(**visit)
    began = terminal.api.now
    while True:
        result = network.state.get("visits", {}).get(visit_id)
        if result is not None:
            return dict(result)
        left = began + limit_ms - terminal.api.now
        if left <= 0:
            return {"ok": False, "error": "timeout", "ms": terminal.api.now - began, "headers": []}
        yield Wait(left, stir=True)


def _failure(answer: Answer) -> tuple[int, str]:
    host, port, ms = answer["host"], answer["port"], answer.get("ms", 0)
    return {
        "URL": (3, "URL using bad/illegal format or missing URL"),
        "TLS": (35, f"TLS connect error: this cluster's programs speak no TLS to {host}:{port}"),
        "scheme": (1, f"Protocol \"{answer.get('scheme')}\" not supported"),
        "no such host": (6, f"Could not resolve host: {host}"),
        "timeout": (28, f"Connection timed out after {ms} milliseconds" if not answer.get("connected") else
                    f"Operation timed out after {ms} milliseconds with 0 bytes received"),
        "ETIMEDOUT": (28, f"Failed to connect to {host} port {port} after {ms} ms: Couldn't connect to server"),
        "closed": (52, "Empty reply from server"),
        "ECONNRESET": (56, "Recv failure: Connection reset by peer"),
    }.get(answer["error"], (7, f"Failed to connect to {host} port {port} after {ms} ms: Couldn't connect to server"))


def _curl(url: str, options: dict[str, Any], terminal: Terminal, connect: Connect) -> Generator[Wait, None, int]:
    answer = yield from _ask(url, options, terminal, connect, "curl/7.88.1")
    hops = 0
    while options.get("location") and not answer.get("error") and 300 <= answer["status"] < 400 and hops < REDIRECTS:
        where = next((value for name, value in answer["headers"] if name.lower() == "location"), "")
        if not where:
            break
        hops += 1
        base = urlsplit(answer["url"])
        answer = yield from _ask(where if "://" in where else base._replace(path=where, query="").geturl(), options, terminal,
                                 connect, "curl/7.88.1")
    if answer.get("error"):
        code, text = _failure(answer)
        if not options.get("silent") or options.get("show-error"):
            terminal.err(f"curl: ({code}) {text}\n")
        _write_out(options, answer, terminal)
        return code
    head = f"HTTP/1.1 {answer['status']} {answer.get('reason') or http.REASONS.get(answer['status'], '')}\r\n" + \
        "".join(f"{name}: {value}\r\n" for name, value in answer["headers"])
    if options.get("verbose"):
        sent = answer["sent"]
        target = urlsplit(answer["url"])
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        terminal.err(f"*   Trying {answer['host']}:{answer['port']}...\n* Connected to {answer['host']} ({answer['host']}) port "
                     f"{answer['port']} (#0)\n"
                     f"> {sent['method']} {path} HTTP/1.1\n> Host: {target.netloc}\n" + "".join(f"> {name}: {value}\n" for name,
                         value in sent["headers"])
                     + "> \n" + "".join(f"< {line}\n" for line in head.split("\r\n")))
    if options.get("fail") and answer["status"] >= 400:
        if not options.get("silent") or options.get("show-error"):
            terminal.err(f"curl: (22) The requested URL returned error: {answer['status']}\n")
        return 22
    text = (head + "\r\n" if options.get("include") or options.get("head") else "") + ("" if options.get("head")
        else answer["body"])
    target_file = options.get("output")
    if target_file in (None, "-"):
        terminal.out(text)
    elif target_file != "/dev/null" and terminal.save is not None:
        terminal.save(target_file, text)
    _write_out(options, answer, terminal)
    return 0


def _write_out(options: dict[str, Any], answer: Answer, terminal: Terminal) -> None:
    form = options.get("write-out")
    if not form:
        return
    status = answer.get("status", 0)
    for name, value in (("%{http_code}", f"{status:03d}"), ("%{response_code}", f"{status:03d}"),
                        ("%{time_total}", f"{answer.get('ms', 0) / 1000:.6f}"),
                        ("%{size_download}", str(http.size(answer.get("body", "")))), ("%{url_effective}", answer["url"]),
                        ("\\n", "\n"), ("\\t", "\t"), ("%%", "%")):
        form = form.replace(name, value)
    terminal.out(form)


def _wget(url: str, options: dict[str, Any], terminal: Terminal, connect: Connect) -> Generator[Wait, None, int]:
    answer = yield from _ask(url, options, terminal, connect, "Wget")
    quiet = options.get("silent")
    if not quiet:
        terminal.err(f"Connecting to {answer['host']}:{answer['port']} ({answer['host']}:{answer['port']})\n")
    if answer.get("error"):
        words = {"no such host": f"bad address '{answer['host']}'", "timeout": "download timed out", "closed": "error getting response",
                 "ETIMEDOUT": f"can't connect to remote host ({answer['host']}): Connection timed out"}
        refused = f"can't connect to remote host ({answer['host']}): Connection refused"
        terminal.err(f"wget: {words.get(answer['error'], refused)}\n")
        return 1
    if answer["status"] >= 400:
        terminal.err(f"wget: server returned error: HTTP/1.1 {answer['status']} {http.REASONS.get(answer['status'], '')}\n")
        return 1
    name = options.get("output") or urlsplit(answer["url"]).path.rsplit("/", 1)[-1] or "index.html"
    if name == "-":
        terminal.out(answer["body"])
    elif terminal.save is not None:
        terminal.save(name, answer["body"])
    return 0
