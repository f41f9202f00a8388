"""Istio's Bookinfo: a page made of four services that ask each other (istio/istio samples/bookinfo; its docs, examples/bookinfo).

    productpage   /productpage  HTML of details and reviews; /api/v1/products[/ID[/reviews|/ratings]]  JSON; /login, /logout
    details       /details/ID   JSON            ratings   /ratings/ID   JSON, POST keeps it; v2 reads a database (MongoDB, or DB_TYPE=mysql)
    reviews       /reviews/ID   JSON; v2 and v3 ask ratings and colour their stars (ENABLE_RATINGS, STAR_COLOR)

All listen on 9080 (or the port of their command line) and answer /health. The texts of the reviews are our own.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import parse_qs

from ...times import stamp
from .. import http
from ..asking import Command, Learned, Wanted, Wish, serve_asking
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, Tree, add, find
from ..process import Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, ends_at_once, listen_on
from ..system import Sys
from . import mongo, mysql  # noqa: F401  (the databases' images stand on theirs)
from .base import PATH, base_tree, merge

Json = Any
PORT = 9080
BOOK = {"author": "William Shakespeare", "year": 1595, "type": "paperback", "pages": 200, "publisher": "PublisherA", "language": "English",
        "ISBN-10": "1234567890", "ISBN-13": "123-1234567890"}  # fmt: skip
TITLE = "The Comedy of Errors"
PRODUCTS = [{"id": 0, "title": TITLE, "descriptionHtml": "Two pairs of twins, mistaken for each other."}]
REVIEWS = {"Reviewer1": "A very funny play: short, quick and full of mistakes.", "Reviewer2": "Good fun, though not the deepest of them."}
RATINGS = {"Reviewer1": 5, "Reviewer2": 4}
NO_DATABASE = {"error": "could not connect to ratings database"}


def _json(body: Json, status: int = 200) -> http.Message:
    return text_answer(json.dumps(body, separators=(",", ":")), status, "application/json")


def _started(proc: Process, sys: Sys, told: str) -> int | None:
    """Listens, at the first turn; a code where the port is taken."""
    if "listening" in proc["data"]:
        return None
    words = [word.rpartition(":")[2] for word in proc["argv"][1:]]
    port = next((int(word) for word in words if word.isdigit() and 0 < int(word) < 65536), PORT)
    try:
        listen_on(proc, sys, [port])
    except Errno as error:
        sys.err(f"bind: {error.text.lower()}: 0.0.0.0:{port}\n")
        return 1
    sys.out(told.format(port=port, time=stamp(sys.now, "%Y-%m-%d %H:%M:%S")))
    return None


def _service(proc: Process, name: str, path: str) -> Wish:
    """A request to another of the four, where its name and port may be told (productpage.py: NAME_HOSTNAME, NAME_SERVICE_PORT)."""
    env = proc["env"]
    domain = f".{env['SERVICES_DOMAIN']}" if env.get("SERVICES_DOMAIN") else ""
    host, port = (env.get(f"{name.upper()}_HOSTNAME") or name) + domain, env.get(f"{name.upper()}_SERVICE_PORT") or str(PORT)
    return Wish(name, host, int(port) if port.isdigit() else PORT, http.request("GET", path, f"{host}:{port}", [("Connection", "close")]))


def _body(learned: Learned, name: str) -> Json:
    """What another service answered; None where it did not, or not well."""
    found = learned.get(name)
    if found is None or found["status"] != 200:
        return None
    try:
        return json.loads(found["body"])
    except (ValueError, RecursionError):
        return None


def _nothing(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wanted | None:
    return None


# ---- details


def _details_run(proc: Process, sys: Sys, event: Event) -> int:
    code = _started(proc, sys, "[{time}] INFO  WEBrick 1.8.1\n[{time}] INFO  ruby 3.3.0 (2023-12-25) [x86_64-linux]\n"
                               "[{time}] INFO  WEBrick::HTTPServer#start: pid=1 port={port}\n")  # fmt: skip
    return serve_asking(proc, sys, _nothing, _details) if code is None else code


def _details(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    last = request.path.rstrip("/").rpartition("/")[2]
    if request.path == "/health":
        found = _json({"status": "Details is healthy"})
    elif not request.path.startswith("/details"):
        found = text_answer("Not Found\n", 404)
    elif not last.isdigit():
        found = _json({"error": "please provide numeric product id"}, 400)
    else:
        found = _json({"id": int(last), **BOOK})
    when = stamp(sys.now, "%d/%b/%Y:%H:%M:%S UTC")
    sys.out(f'{peer} - - [{when}] "{request.start}" {found.status} {http.size(found.body)}\n- -> {request.path}\n')
    return found


# ---- ratings


def _ratings_run(proc: Process, sys: Sys, event: Event) -> int:
    code = _started(proc, sys, "Server listening on: http://0.0.0.0:{port}\n")
    return serve_asking(proc, sys, _from_database, _ratings) if code is None else code


def _from_database(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wanted | None:
    env = proc["env"]
    if env.get("SERVICE_VERSION") != "v2" or request.method != "GET" or not request.path.startswith("/ratings") or "database" in learned:
        return None
    if env.get("DB_TYPE") == "mysql":
        account = ("-h", env.get("MYSQL_DB_HOST", ""), "-P", env.get("MYSQL_DB_PORT") or "3306", "-u", env.get("MYSQL_DB_USER", ""),
                   f"-p{env.get('MYSQL_DB_PASSWORD', '')}")  # fmt: skip
        return Command("database", ("mysql", *account, "-N", "-e", "SELECT Rating FROM ratings", "test"))
    return Command("database", ("mongosh", "--quiet", env.get("MONGO_DB_URL", ""), "--eval", "db.ratings.find({}).toArray()"))


def _ratings(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    sys.out(f"{request.method} {request.target}\n")
    last = request.path.rpartition("/")[2]
    if request.path == "/health":
        return _json({"status": "Ratings is healthy"})
    if not request.path.startswith("/ratings/"):
        return text_answer("", 404)
    if not last.isdigit():
        return _json({"error": "please provide numeric product ID"}, 400)
    kept = proc["data"].setdefault("kept", {})
    version = proc["env"].get("SERVICE_VERSION", "v1")
    if request.method == "POST":
        if version == "v2":
            return _json({"error": "Post not implemented for database backed ratings"}, 501)
        try:
            given = json.loads(request.body)
        except (ValueError, RecursionError):
            return _json({"error": "please provide valid ratings JSON"}, 400)
        if len(kept) < 100:
            kept[last] = given
    elif version == "v2":
        database = learned.get("database")
        if database is None or database["status"]:
            return _json(NO_DATABASE, 500)
        one, two, *_ = [*(int(digits) for digits in re.findall(r"(?:rating\W+|^)(\d+)\b", database["body"], re.MULTILINE)), 0, 0]
        return _json({"id": int(last), "ratings": {"Reviewer1": one, "Reviewer2": two}})
    return _json({"id": int(last), "ratings": kept.get(last, RATINGS)})


# ---- reviews


def _reviews_run(proc: Process, sys: Sys, event: Event) -> int:
    code = _started(proc, sys, "Launching defaultServer (Open Liberty)\n[AUDIT   ] CWWKE0001I: The server defaultServer has been launched.\n"
                               "[AUDIT   ] CWWKF0011I: The defaultServer server is ready to run a smarter planet.\n")  # fmt: skip
    return serve_asking(proc, sys, _for_reviews, _reviews) if code is None else code


def _for_reviews(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wanted | None:
    if proc["env"].get("ENABLE_RATINGS") != "true" or not request.path.startswith("/reviews/") or "ratings" in learned:
        return None
    return _service(proc, "ratings", f"/ratings/{request.path.rpartition('/')[2]}")


def _reviews(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    if request.path == "/health":
        return _json({"status": "Reviews is healthy"})
    last = request.path.rpartition("/")[2]
    if not request.path.startswith("/reviews/") or not last.isdigit():
        return text_answer("", 404)
    rated, env = proc["env"].get("ENABLE_RATINGS") == "true", proc["env"]
    found = _body(learned, "ratings")
    given = found.get("ratings") if isinstance(found, dict) else None
    stars: dict[str, Json] = given if isinstance(given, dict) else {}
    reviews: list[Json] = []
    for name, text in REVIEWS.items():
        rating = {"stars": stars[name], "color": env.get("STAR_COLOR", "black")} if name in stars else {
            "error": "Ratings service is currently unavailable"}
        reviews.append({"reviewer": name, "text": text, **({"rating": rating} if rated else {})})
    if rated and found is None:
        sys.out("Error: unable to contact http://ratings:9080/ratings\n")
    return _json({"id": last, "podname": sys.hostname, "clustername": env.get("CLUSTER_NAME") or "null", "reviews": reviews})


# ---- productpage


def _page_run(proc: Process, sys: Sys, event: Event) -> int:
    code = _started(proc, sys, "[{time} +0000] [1] [INFO] Starting gunicorn 22.0.0\n[{time} +0000] [1] [INFO] Listening at: http://[::]:{port} (1)\n"
                               "[{time} +0000] [1] [INFO] Using worker: gevent\n")  # fmt: skip
    return serve_asking(proc, sys, _for_page, _page) if code is None else code


API = re.compile(r"/api/v1/products/(\d+)(?:/(reviews|ratings))?")


def _for_page(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wanted | None:
    asked = API.fullmatch(request.path)
    wanted = [asked[2] or "details"] if asked else ["details", "reviews"] if request.path == "/productpage" else []
    name = next((name for name in wanted if name not in learned), None)
    return _service(proc, name, f"/{name}/{asked[1] if asked else 0}") if name else None


def _page(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    if request.path == "/health":
        return text_answer("Product page is healthy", kind="text/html; charset=utf-8")
    if request.path == "/api/v1/products":
        return _json(PRODUCTS)
    if asked := API.fullmatch(request.path):
        name = asked[2] or "details"
        found = _body(learned, name)
        return _json(found) if found is not None else _json({"error": _sorry(name)}, (learned.get(name) or {}).get("status") or 500)
    if request.path in ("/login", "/logout"):
        user = parse_qs(request.body).get("username", [""])[0] if request.path == "/login" else ""
        cookie = ("Set-Cookie", f"user={user}; Path=/" if re.fullmatch(r"[\w.@-]+", user) else "user=; Max-Age=0; Path=/")
        return text_answer("", 302, headers=[("Location", request.get("Referer") or "/productpage"), cookie])
    if request.path in ("/", "/index.html"):
        return _html('<h3>Hello! This is a simple bookstore application.</h3>\n<p><a href="/productpage?u=normal">Normal user</a> '
                     '<a href="/productpage?u=test">Test user</a></p>\n')  # fmt: skip
    if request.path == "/productpage":
        return _html(f"<h1>{TITLE}</h1>\n" + _shown_details(_body(learned, "details")) + _shown_reviews(_body(learned, "reviews")))
    return text_answer("<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n", 404, "text/html; charset=utf-8")


def _sorry(name: str) -> str:
    return f"Sorry, product {name} are currently unavailable for this book."


def _shown_details(details: Json) -> str:
    if not isinstance(details, dict):
        return f"<p>Error fetching product details</p>\n<p>{_sorry('details')}</p>\n"
    rows = "".join(f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>\n" for name, value in details.items() if name != "id")
    return f"<h4>Book Details</h4>\n<table>\n{rows}</table>\n"


def _shown_reviews(found: Json) -> str:
    if not isinstance(found, dict) or not isinstance(found.get("reviews"), list):
        return f"<p>Error fetching product reviews</p>\n<p>{_sorry('reviews')}</p>\n"
    shown = ""
    for review in found["reviews"]:
        rating = review.get("rating") or {}
        stars = f'<p class="{escape(str(rating["color"]))}">{"★" * int(rating["stars"])}</p>\n' if "stars" in rating else (
            f"<p>{escape(str(rating['error']))}</p>\n" if "error" in rating else "")
        shown += (f"<blockquote>\n<p>{escape(str(review.get('text')))}</p>\n{stars}<small>{escape(str(review.get('reviewer')))}</small>\n"
                  f"<p>Reviews served by: {escape(str(found.get('podname')))}</p>\n</blockquote>\n")  # fmt: skip
    return f"<h4>Book Reviews</h4>\n{shown}"


def _html(body: str) -> http.Message:
    head = '<!doctype html>\n<html>\n<head><meta charset="utf-8">\n<title>Simple Bookstore App</title>\n</head>\n'
    return text_answer(f"{head}<body>\n{body}</body>\n</html>\n", kind="text/html; charset=utf-8")


# ---- images

register(Program("bookinfo-details", lambda proc, sys: _details_run(proc, sys, None), _details_run, ends_at_once, 30 * MEBIBYTE))
register(Program("bookinfo-ratings", lambda proc, sys: _ratings_run(proc, sys, None), _ratings_run, ends_at_once, 30 * MEBIBYTE))
register(Program("bookinfo-reviews", lambda proc, sys: _reviews_run(proc, sys, None), _reviews_run, ends_at_once, 160 * MEBIBYTE))
register(Program("bookinfo-productpage", lambda proc, sys: _page_run(proc, sys, None), _page_run, ends_at_once, 60 * MEBIBYTE))

STARS = {"reviews-v2": "black", "reviews-v3": "red"}
REPOSITORY = "docker.io/istio/examples-bookinfo-"
for _name in ("productpage-v1", "details-v1", "details-v2", "ratings-v1", "ratings-v2", "reviews-v1", "reviews-v2", "reviews-v3"):
    _kind, _, _version = _name.partition("-")
    _env = {"PATH": PATH, "SERVICE_VERSION": _version}
    if _kind == "reviews":
        _env |= {"ENABLE_RATINGS": str(_name in STARS).lower(), "STAR_COLOR": STARS.get(_name, "black")}
    _own: Tree = {"usr": {"local": {"bin": {_kind: Entry(program=f"bookinfo-{_kind}", size=9_000_000)}}}, "opt": {"microservices": {}}}
    add(Image(REPOSITORY + _name, (VERSIONS,), base_tree("debian", _own, extra=("curl", "mysql", "mongosh")), 120_000_000,
              cmd=(_kind, str(PORT)), env=_env, working_dir="/opt/microservices", user="1000", ports=(PORT,)))  # fmt: skip

TABLE = """CREATE DATABASE test;
USE test;
CREATE TABLE ratings (ReviewID INT NOT NULL, Rating INT, PRIMARY KEY (ReviewID));
INSERT INTO ratings (ReviewID, Rating) VALUES (1, 5);
INSERT INTO ratings (ReviewID, Rating) VALUES (2, 4);
"""
COLLECTION = 'db.ratings.insertMany([{"rating": 5}, {"rating": 4}])\n'
for _kind, _of, _first in (("mysqldb", "mysql:8.0", {"mysqldb-init.sql": TABLE}), ("mongodb", "mongo:7.0", {"ratings.js": COLLECTION})):
    if (_base := find(_of)) is not None:
        add(replace(_base, name=REPOSITORY + _kind, tags=(VERSIONS,), tree=merge(dict(_base.tree), {"docker-entrypoint-initdb.d": _first}),
                    env={**_base.env, **({"MYSQL_ROOT_PASSWORD": "password"} if _kind == "mysqldb" else {})}))  # fmt: skip
