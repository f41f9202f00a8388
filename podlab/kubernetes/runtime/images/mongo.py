"""mongo, and luksa/quiz-api, which keeps its questions and answers in it.

The image's entry point runs the scripts of /docker-entrypoint-initdb.d against a server of its own when the data directory is fresh, as
docker-library/mongo's docker-entrypoint.sh does; a Pod that gives a `command` goes past it. The quiz service is the Go program of Kubernetes
in Action's second edition.
"""

from __future__ import annotations

import json
from typing import Any

from ...times import stamp
from .. import http
from ..asking import Learned, Wish, serve_asking
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, add, canonical
from ..process import Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, listen_on
from ..system import Sys
from . import mongosh  # noqa: F401  (registers the shell)
from .base import PATH, base_tree
from .flags import flag
from .kiada_suite import port_of
from .mongo_client import target
from .mongo_values import iso_date, jsonable
from .mongod import command, learn

ENTRYPOINT = """#!/bin/bash
case "$1" in -*) set -- mongod "$@";; esac
if [ "$1" = mongod ]; then
  if [ ! -e /data/db/WiredTiger ] && [ -n "$(ls /docker-entrypoint-initdb.d 2> /dev/null)" ]; then
    mongod --bind_ip 127.0.0.1 > /dev/null &
    server=$!
    until mongosh --quiet --eval 'quit(0)' 2> /dev/null; do sleep 0.2; done
    for f in /docker-entrypoint-initdb.d/*; do
      case "$f" in
        *.sh) echo "$0: running $f"; . "$f";;
        *.js) echo "$0: running $f"; mongosh --quiet "${MONGO_INITDB_DATABASE:-test}" "$f"; echo;;
        *) echo "$0: ignoring $f";;
      esac
    done
    kill $server
    wait $server
    echo
    echo 'MongoDB init process complete; ready for start up.'
    echo
  fi
  case " $* " in *" --bind_ip"*) ;; *) set -- "$@" --bind_ip_all;; esac
fi
exec "$@"
"""
TOOLS = {"mongod": "mongod", "mongosh": "mongosh", "mongoimport": "mongoimport"}
EARLY = ("2.6", "3.0", "3.2", "3.4")  # made on distributions whose images had ping still
OLD_SHELL = {"mongo": "mongosh"}  # the shell before mongosh came with MongoDB up to 5.0
for _tags, _tools in (
    (EARLY, TOOLS | OLD_SHELL),
    (("3", "3.6", "4", "4.0", "4.2", "4.4", "4.4.6", "4.4.29", "5", "5.0"), TOOLS | OLD_SHELL),
    (("latest", "6", "6.0", "7", "7.0", "8", "8.0"), TOOLS),
):
    add(
        Image(
            "docker.io/library/mongo",
            _tags,
            base_tree(
                "ubuntu",
                {
                    "usr": {"local": {"bin": {"docker-entrypoint.sh": Entry(ENTRYPOINT, mode=0o755)}},
                            "bin": {name: Entry(program=program, size=90_000_000) for name, program in _tools.items()}},
                    "data": {"db": {}, "configdb": {}},
                    "docker-entrypoint-initdb.d": {},
                },
                users={"mongodb": 999},
                extra=("ping",) if _tags is EARLY else (),
            ),
            310_270_000,
            ("docker-entrypoint.sh",),
            ("mongod",),
            {"PATH": PATH, "HOME": "/data/db"},
            ports=(27017,),
        )
    )  # fmt: skip


# ---- luksa/quiz-api: GET /, /healthz/ready, /questions/N or random; POST /questions/N/answers


def _log(sys: Sys, text: str) -> None:
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {text}\n")


def quiz(proc: Process, sys: Sys, event: Event) -> int | None:
    if "listening" not in proc["data"]:
        address, mongo = flag(proc, "listen-address", ":8080"), flag(proc, "mongo-address", "mongodb://127.0.0.1:27017")
        release = canonical(sys.container["image"])[1]
        for line in (f"Quiz API Server {release if release[:1].isdigit() else '0.2'} starting...", f'Listen address:  "{address}"',
                     f'MongoDB address: "{mongo}"', "Starting HTTP server..."):  # fmt: skip
            _log(sys, line)
        proc["data"]["mongo"] = target(mongo)["hosts"][0] if target(mongo)["hosts"] else "127.0.0.1:27017"
        try:
            listen_on(proc, sys, [port_of(address)])
        except Errno as error:
            sys.err(f"panic: listen tcp {address}: bind: {error.text.lower()}\n")
            return 2
    return serve_asking(proc, sys, _wish, _answer)


def _route(request: http.Message) -> tuple[str, str]:
    """(what is asked: root, ready, question, answer or nothing, the question's id)."""
    parts = request.path.strip("/").split("/")
    if request.method == "GET" and request.path in ("/", "/healthz/ready"):
        return ("root" if request.path == "/" else "ready"), ""
    known = parts[0] == "questions" and len(parts) > 1 and (parts[1].isdigit() or parts[1:] == ["random"])
    if known and request.method == "GET" and len(parts) == 2:
        return "question", parts[1]
    if known and request.method == "POST" and parts[2:] == ["answers"] and parts[1].isdigit():
        return "answer", parts[1]
    return "", ""


def _wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    """First who takes writes, as the driver finds out, then the question, then where the answer is kept."""
    what, number = _route(request)
    if what in ("", "root") or (what == "answer" and _given(request, number) is None):
        return None
    host = str(proc["data"]["mongo"])
    if "hello" not in learned:
        return _command("hello", host, {"op": "hello"})
    hello = learn(learned["hello"])
    if what == "ready" or not hello.get("ok") or not (hello.get("isWritablePrimary") or hello.get("primary")):
        return None
    host = host if hello.get("isWritablePrimary") else str(hello["primary"])
    place: dict[str, Any] = {"db": "kiada", "coll": "questions"}
    if "question" not in learned:
        sample = {"op": "aggregate", **place, "pipeline": [{"$sample": {"size": 1}}]}
        return _command("question", host, sample if number == "random" else {"op": "find", **place, "query": {"id": int(number)}})
    found = learn(learned["question"]).get("documents")
    if what == "answer" and found and "kept" not in learned:
        kept = {**_judged(sys, found[0], _given(request, number) or {}), "_id": {"$oid": f"{sys.now // 1000:08x}{sys.random(1 << 32):016x}"}}
        return _command("kept", host, {"op": "insert", "db": "kiada", "coll": "responses", "documents": [kept]})
    return None


def _command(name: str, host: str, body: dict[str, Any]) -> Wish:
    where, _, port = host.partition(":")
    return Wish(name, where, int(port or 27017), command(body, host))


def _given(request: http.Message, number: str) -> dict[str, Any] | None:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("questionId", 0) == int(number) else None


def _judged(sys: Sys, question: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    correct = question.get("correctAnswerIndex", 0)
    return {"timestamp": {"$date": sys.now}, "questionId": question["id"], "answerIndex": given.get("answerIndex", 0), "correctAnswerIndex": correct,
            "correct": given.get("answerIndex", 0) == correct}  # fmt: skip


def _answer(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    what, number = _route(request)
    if not what:
        return text_answer("404 page not found\n", 404)
    if what == "root":
        return text_answer(f"This is the quiz service running in pod {sys.hostname}\n")
    if what != "ready":
        _log(sys, f"Received {'request for' if what == 'question' else 'answer to'} question {number}")
    if what == "answer" and _given(request, number) is None:
        return text_answer("ERROR: questionId in payload doesn't match id in URL\n", 400)
    hello = learn(learned["hello"]) if "hello" in learned else {"ok": 0}
    if not hello.get("ok") or not (hello.get("isWritablePrimary") or hello.get("primary")):
        why = f"dial tcp {proc['data']['mongo']}: connect: connection refused" if not hello.get("ok") else f"{proc['data']['mongo']}, Type: RSGhost"
        return _failed(sys, f"connected to mongo, but couldn't execute the ping command: server selection error: server selection timeout, current "
                            f"topology: {{ Type: Unknown, Servers: [{{ Addr: {why} }}] }}")  # fmt: skip
    if what == "ready":
        return text_answer("Readiness check successful")
    found: dict[str, Any] = learn(learned["question"]) if "question" in learned else {"ok": 0}
    if not found.get("ok"):
        return _failed(sys, str(found.get("errmsg") or "connection() error occurred during connection handshake: connection refused"))
    if not found["documents"]:
        return text_answer(f"ERROR: Question {number} not found\n", 404)
    question = found["documents"][0]
    if what == "question":
        told = {"id": 0, "text": "", "correctAnswerIndex": 0, "answers": None}
        told.update({name: question[name] for name in told if name in question})
        answers = " ".join(question.get("answers") or ())
        _log(sys, f"Question: {{{told['id']} {told['text']} {told['correctAnswerIndex']} [{answers}]}}")
        return text_answer(json.dumps(told, separators=(",", ":"), ensure_ascii=False) + "\n")
    judged = _judged(sys, question, _given(request, number) or {})
    shown = f"{judged['questionId']} {judged['answerIndex']} {judged['correctAnswerIndex']} {str(judged['correct']).lower()}"
    _log(sys, f"Answer: {{{iso_date(sys.now)} {shown}}}")
    return text_answer(json.dumps(jsonable(judged), separators=(",", ":")) + "\n")


def _failed(sys: Sys, why: str) -> http.Message:
    _log(sys, f"INTERNAL ERROR: {why}")
    return text_answer(f"ERROR: {why}\n", 500)


register(Program("quiz-api", lambda proc, sys: quiz(proc, sys, None), quiz, memory=12 * MEBIBYTE))
add(
    Image(
        "docker.io/luksa/quiz-api", (VERSIONS,), base_tree("alpine", {"quiz-api": Entry(program="quiz-api", size=13_300_000)}), 14_900_000,
        ("/quiz-api",), env={"PATH": PATH}, ports=(8080,),
    )
)  # fmt: skip
