"""luksa/kiada, the application of Kubernetes in Action's second edition, as its sources tell it version by version.

    0.1        one line of text; 0.2 also takes a status message from its standard input; 0.3 also ends on TERM
    0.4        --listen-port, what it is told of its Pod and node in the environment
    0.5 - 0.9  log lines with a time; a quote (QUOTE_URL) and a question (QUIZ_URL), asked of their services for every page; 0.8 fails
               FAIL_AFTER_SECONDS (30) after its start, 0.9 asks NODE_AGENT_URL besides

Below 0.3 node is process 1 without a handler, so TERM does not end it. Source: app.js and Dockerfile of each version in the book's
repository (luksa/kubernetes-in-action-2nd-edition). The pages are our own words round the same values.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from .. import http
from ..asking import Learned, Wish, serve_asking
from ..http import text_answer
from ..image import Entry, Image, add, canonical
from ..process import TERM, Errno, Process
from ..program import MEBIBYTE, PROGRAMS, Event, Program, register
from ..serving import Answer, Waits, listen_on
from ..system import Sys
from .base import PATH, base_tree
from .languages import typed_lines
from .log_parsers import iso

LINE = 'Kiada version {{version}}. Request processed by "{{hostname}}". Client IP: {{clientIP}}\n'
POD = (
    'Request processed by Kiada {{version}} running in pod "{{podName}}" on node "{{nodeName}}".\n'
    "Pod hostname: {{hostname}}; Pod IP: {{podIP}}; Node IP: {{nodeIP}}; Client IP: {{clientIP}}\n"
)
WHOLE = (
    "KUBERNETES IN ACTION DEMO APPLICATION v{{version}}\n\n==== TIP OF THE MINUTE\n{{quote}}\n\n==== POP QUIZ\n{{quizQuestion}}\n{{quizAnswers}}\n"
    "Submit your answer to /question/{{quizQuestionId}}/answers/<index of answer> using the POST method.\n\n==== REQUEST INFO\n"
)
PAGE = '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="UTF-8"><title>Kiada v{{version}}</title></head>\n<body>\n<pre>\n'
DUMMY_QUESTION = {"id": 0, "text": "What's the correct pronunciation of kubectl?",
                  "answers": [{"id": number, "text": text} for number, text in enumerate(("Kube-cuddle", "Kube-C-T-L", "Kube-control"))]}  # fmt: skip
DUMMIES = {
    "/dummy/quote": ("text/plain", "Thou shall read the entire Kubernetes in Action Second Edition!"),
    "/dummy/quiz/questions/random": ("application/json", json.dumps(DUMMY_QUESTION, separators=(",", ":"))),
    "/healthz/ready": ("text/plain", "Ready"),
}


class Version(NamedTuple):
    """What one version does; `proxy` are the paths under which it passes the quote service and the quiz service on."""

    number: str
    text: str
    stdin: bool = True
    term: bool = True
    told: bool = True  # of its Pod and node; takes --listen-port
    proxy: tuple[str, str] | None = None
    fails: bool = False
    node_agent: bool = False


STATUS = "{{statusMessage}}"
UNCAUGHT = (
    "[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a "
    'promise which was not handled with .catch(). The promise rejected with the reason "{}".]'
)
VERSIONS = {
    "0.1": Version("0.1", LINE, stdin=False, term=False, told=False),
    "0.1-slim": Version("0.1", LINE, stdin=False, term=False, told=False),
    "0.2": Version("0.2", LINE + STATUS, term=False, told=False),
    "0.3": Version("0.3", LINE + STATUS, told=False),
    "0.4": Version("0.4", POD + STATUS),
    "0.5": Version("0.5", WHOLE + POD + STATUS, proxy=("/fetchQuote", "/fetchQuiz")),
    "0.5.1": Version("0.5.1", WHOLE + POD + STATUS, proxy=("/quote", "/quiz")),
    "0.6": Version("0.6", WHOLE + POD + STATUS, proxy=("/proxy/quote", "/proxy/quiz")),
    "0.7": Version("0.7", WHOLE + POD + STATUS, proxy=("/proxy/quote", "/proxy/quiz")),
    "0.8": Version("0.8", WHOLE + POD + STATUS, proxy=("/proxy/quote", "/proxy/quiz"), fails=True),
    "0.9": Version("0.9", WHOLE + POD + "Node info: {{nodeInfo}}\n" + STATUS, proxy=("/proxy/quote", "/proxy/quiz"), node_agent=True),
    "1.0": Version("1.0", WHOLE + POD + STATUS, proxy=("/proxy/quote", "/proxy/quiz")),
}
TAGS = (*VERSIONS, "latest")


def _version(sys: Sys) -> Version:
    return VERSIONS.get(canonical(sys.container["image"])[1], VERSIONS["0.1"])


def _log(sys: Sys, text: str) -> None:
    sys.out((f"{iso(sys.now)} " if _version(sys).proxy else "") + text + "\n")


def _settings(proc: Process) -> dict[str, str]:
    env = proc["env"]
    return {
        "{{podName}}": env.get("POD_NAME") or "unknown-pod",
        "{{nodeName}}": env.get("NODE_NAME") or "unknown-node",
        "{{podIP}}": env.get("POD_IP") or "0.0.0.0",
        "{{nodeIP}}": env.get("NODE_IP") or "0.0.0.0",
    }


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    """node [its own options] app.js [--listen-port N]; any other script is node's own affair."""
    if "listening" not in proc["data"]:
        words = proc["argv"][1:]
        at = next((number for number, word in enumerate(words) if not word.startswith("-")), len(words))
        if words[at : at + 1] not in (["app.js"], ["/app.js"]):
            return PROGRAMS["node"].start(proc, sys)
        done = _start(proc, sys, words[at + 1 :])
        if done is not None:
            return done
    return serve_asking(proc, sys, _wish, _answer, _listen_to_stdin)


def _start(proc: Process, sys: Sys, words: list[str]) -> int | None:
    version, env = _version(sys), proc["env"]
    if version.told and words == ["--help"]:
        _log(sys, f"Usage: {proc['argv'][0]} app.js [--listen-port <number>]")
        return 0
    port = words[1] if version.told and len(words) == 2 and words[0] == "--listen-port" else "8080"
    url = {"quote": env.get("QUOTE_URL") or f"localhost:{port}/quote", "quiz": env.get("QUIZ_URL") or f"localhost:{port}dummy/quiz",
           "node": env.get("NODE_AGENT_URL") or "undefined"}  # fmt: skip
    proc["data"].update(status=env.get("INITIAL_STATUS_MESSAGE", "") if version.told else "", url=url, began=sys.now, typed="")
    told = _settings(proc)
    lines = ["Kiada - Kubernetes in Action Demo Application", "-" * 45, f"Kiada {version.number} starting..."]
    lines += [f"Pod name is {told['{{podName}}']}"] if version.told else []
    lines += [f"Local hostname is {sys.hostname}"]
    if version.told:
        lines += [f"Local IP is {told['{{podIP}}']}", f"Running on node {told['{{nodeName}}']}", f"Node IP is {told['{{nodeIP}}']}",
                  f"Status message is {proc['data']['status']}"]  # fmt: skip
    if version.proxy:
        lines += [f"URL of the quote service is {url['quote']}", f"URL of the quiz service is {url['quiz']}"]
    lines += [f"URL of the node-agent service is {url['node']}"] if version.node_agent else []
    for line in (*lines, f"Listening on port {port}"):
        _log(sys, line)
    try:
        listen_on(proc, sys, [int(port) if port.isdigit() and int(port) < 65536 else 0])
    except Errno as error:
        sys.err(f"Error: listen {error.name}: {error.text.lower()} :::{port}\n")
        return 1
    return None


def _listen_to_stdin(proc: Process, sys: Sys) -> Waits:
    """readline: every line on standard input is the new status message, until standard input ends."""
    data = proc["data"]
    if not _version(sys).stdin:
        return Waits()
    lines, waits = typed_lines(proc, sys)
    for line in lines:
        if line.strip():
            data["status"] = line
            _log(sys, f"Status message set to: {line}")
        else:
            sys.err("Enter new status message and press ENTER.\n")
    return waits


def _is_text(request: http.Message) -> bool:
    return request.target == "/text" or (request.target == "/" and not request.get("Accept", "*/*").startswith("text/html"))


def _wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    version, url = _version(sys), proc["data"]["url"]
    if version.proxy is None or _failing(proc, sys):
        return None
    wanted: list[tuple[str, str]] = []
    if _is_text(request):
        wanted = [("quote", url["quote"]), ("quiz", url["quiz"] + "/questions/random")]
    elif request.target.startswith(version.proxy[0]):
        wanted = [("quote", url["quote"])]
    elif request.target.startswith(version.proxy[1]):
        wanted = [("quiz", url["quiz"] + request.target[len(version.proxy[1]) :])]
    if version.node_agent and (_is_text(request) or request.target == "/html"):
        wanted.append(("node", url["node"]))
    for name, where in wanted:
        if name in learned or not where.startswith("http://"):
            continue
        _, host, port, target = http.split_url(where)
        method = request.method if name == "quiz" and not _is_text(request) else "GET"
        headers = [("Content-Type", request.get("Content-Type"))] if request.body and request.get("Content-Type") else []
        shown = host if port == 80 else f"{host}:{port}"
        return Wish(name, host, port, http.request(method, target, shown, [*headers, ("Connection", "close")], request.body))
    return None


def _problem(name: str, proc: Process, learned: Learned) -> str:
    """Node's message for what could not be asked; "" when there is an answer."""
    if name not in learned:
        url = proc["data"]["url"][name]
        if ":" not in url:
            return "TypeError: Invalid URL"
        return f'TypeError [ERR_INVALID_PROTOCOL]: Protocol "{url.partition(":")[0]}:" not supported. Expected "http:"'
    error, address = learned[name]["error"], learned[name]["address"]
    if error == "no such host":
        return f"getaddrinfo ENOTFOUND {address}"
    return {"": "", "EOF": "socket hang up"}.get(error, f"connect {error} {address}")


def _failing(proc: Process, sys: Sys) -> bool:
    if not _version(sys).fails:
        return False
    seconds = proc["env"].get("FAIL_AFTER_SECONDS") or "30"
    return int(proc["data"]["began"]) < sys.now - (float(seconds) * 1000 if seconds.replace(".", "", 1).isdigit() else 30_000)


def _crash(sys: Sys, problem: str) -> None:
    """A promise that nobody catches ends node (--unhandled-rejections=throw, the default since 15)."""
    sys.err(f"node:internal/process/promises:288\n            triggerUncaughtException(err, true /* fromPromise */);\n            ^\n\n{problem}\n")
    sys.exit(1)


def _json(sys: Sys, body: str) -> object:
    try:
        return json.loads(body)
    except ValueError:
        _crash(sys, f"SyntaxError: Unexpected token {body[:1]} in JSON at position 0")
        return None


def _answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    version, path = _version(sys), request.target
    _log(sys, f"Received request for {path} from ::ffff:{peer}")
    if _failing(proc, sys):
        _log(sys, "Simulating failure. Returning 500 Internal Error.")
        return text_answer(f"This version of the app is configured to fail after {proc['env'].get('FAIL_AFTER_SECONDS') or '30'}s.", 500)
    if version.proxy is not None and path.startswith(version.proxy):
        name = "quote" if path.startswith(version.proxy[0]) else "quiz"
        if problem := _problem(name, proc, learned):
            _crash(sys, UNCAUGHT.format(problem))
        body = learned[name]["body"]
        if name == "quiz" and request.method == "POST":
            return text_answer(body, kind="application/json")
        return text_answer(json.dumps(body if name == "quote" else _json(sys, body), separators=(",", ":")), kind="application/json")
    if _is_text(request):
        return text_answer(_fill(proc, sys, version.text, learned, peer) + ("\n" if version.told else ""), kind="text/plain")
    if path == "/":
        return text_answer("Redirecting to the html version...", 302, headers=[("Location", "html")])
    if path == "/html":
        page = PAGE + (version.text if not version.proxy else POD + ("Node info: {{nodeInfo}}\n" if version.node_agent else "") + STATUS)
        return text_answer(_fill(proc, sys, page, learned, peer) + "</pre>\n</body>\n</html>\n", kind="text/html")
    if version.proxy is not None and path in DUMMIES:
        return text_answer(DUMMIES[path][1], kind=DUMMIES[path][0])
    if path == "/stylesheet.css":
        return text_answer("body { font-family: sans-serif }\n", kind="text/css")
    return text_answer(f"{path} not found", 404, kind="text/plain")


def _fill(proc: Process, sys: Sys, template: str, learned: Learned, peer: str) -> str:
    """The template with its values. What a service could not be asked for is said in its place."""
    status = proc["data"]["status"]
    values = {**_settings(proc), "{{hostname}}": sys.hostname, "{{clientIP}}": f"::ffff:{peer}", "{{version}}": _version(sys).number,
              STATUS: f"{status}\n" if status else ""}  # fmt: skip
    if "{{quote}}" in template:
        problem = _problem("quiz", proc, learned)
        question = {"text": f"ERROR: {problem}"} if problem else _json(sys, learned["quiz"]["body"])
        assert isinstance(question, dict)
        answers = question.get("answers") or []
        values.update({"{{quote}}": _said("quote", proc, learned), "{{quizQuestion}}": str(question.get("text", "undefined")),
                       "{{quizQuestionId}}": str(question.get("id", "undefined")),
                       "{{quizAnswers}}": "".join(f"{number}) {answer}\n" for number, answer in enumerate(answers))})  # fmt: skip
    if "{{nodeInfo}}" in template:
        values["{{nodeInfo}}"] = _said("node", proc, learned)
    for name, value in values.items():
        template = template.replace(name, value)
    return template


def _said(name: str, proc: Process, learned: Learned) -> str:
    problem = _problem(name, proc, learned)
    return f"ERROR: {problem}" if problem else str(learned[name]["body"])


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n == TERM and _version(sys).term:
        _log(sys, "Received SIGTERM. Server shutting down...")
        sys.exit(0)
    return False


register(Program("kiada", lambda proc, sys: run(proc, sys, None), run, on_signal, 32 * MEBIBYTE))
NODE = {"app.js": Entry("// see the log\n"), "html": {}, "usr": {"local": {"bin": {"node": Entry(program="kiada", size=93_000_000)}}}}
FULL = base_tree("debian", NODE, users={"node": 1000}, extra=("curl", "wget", "ps", "top", "free", "uptime", "pgrep", "pkill"))
for _tag in TAGS:
    _env = {"PATH": PATH}
    if _tag == "0.4":
        _env["INITIAL_STATUS_MESSAGE"] = "This is the default status message"
    if _tag >= "0.6" and _tag in VERSIONS:
        _env.update(POD_NAME="unknown", POD_IP="unknown", NODE_NAME="unknown", NODE_IP="unknown")
    _slim = _tag.endswith("-slim")
    _tree = base_tree("alpine", NODE, users={"node": 1000}) if _slim else FULL
    add(
        Image(
            "docker.io/luksa/kiada", (_tag,), _tree, 55_900_000 if _slim else 350_120_000, ("node", "app.js"),
            ("--listen-port", "8080") if VERSIONS.get(_tag, VERSIONS["0.1"]).told else (), _env, ports=(8080,),
        )
    )  # fmt: skip
