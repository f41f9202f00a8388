"""k8spatterns/random-generator, the service of the book Kubernetes Patterns: a Spring Boot program and a batch class, both run by `java`.

    java -jar random-generator.jar          serves / /info /logs /toggle-live /toggle-ready /memory-eater?mb=N /shutdown /actuator/health
    java RandomRunner FILE LINES [SECONDS]  appends lines of random numbers to a file, again and again where seconds are given

Settings are environment variables (LOG_FILE, LOG_URL, PATTERN, SEED, BUILD_TYPE, SERVER_PORT, VERSION, HEALTHY) or lines of
the file that SPRING_CONFIG_LOCATION names, which then stands for the program's own. DELAY_STARTUP and WAIT_FOR_POST_START hold the start back;
/opt/random-generator-ready is there while it is ready. What is told to LOG_URL is sent while the answer is already given: its failure is no
error of the request here. Source: k8spatterns/random-generator (RandomGeneratorApplication, RandomRunner, HealthToggleIndicator, Dockerfile);
what Spring Boot 2.1.4 and the JVM say is as the book's examples show it.
"""

from __future__ import annotations

import json
from typing import Any

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import Entry, Image, Tree, add, canonical
from ..numerals import is_whole, saturated
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, Late, Waits, listen_on, query, serve_http
from ..system import Sys
from .base import PATH, base_tree
from .log_parsers import iso
from .log_pipeline import advance, launch, post, waits_of

JAR = "/opt/random-generator.jar"
READY, POST_START = "/opt/random-generator-ready", ("/opt/postStart-done", "/tmp/postStart-done")
"""Where readiness is shown, and where the example's postStart hook says that it is done (the image and the manifest were changed apart)."""
WAIT_MS = 10_000  # waitForPostStart
BOOT_MS = 4_000
"""CPU time of Spring Boot's start; a limit makes it take longer (the book's example says about five seconds without one)."""
MEMORY = 110 * MEBIBYTE  # of a JVM with a small Spring Boot program
BURN_MAX, BURN_MS = 10_000, 10  # millions of numbers of java.util.Random; what each takes
LINES, LINES_MS = 500, 2_000
"""How many lines the runner writes at a time, and how long they take: each opens, locks and closes the file (10,000 take about 40 s)."""
FLIGHTS_MAX = 20
MASK = (1 << 48) - 1
CLASS = "io.k8spatterns.examples.RandomGeneratorApplication"
APPLICATION = "i.k.examples.RandomGeneratorApplication"
EXECUTOR = "o.s.s.concurrent.ThreadPoolTaskExecutor"
NAMES = {"log.file": "LOG_FILE", "log.url": "LOG_URL", "pattern": "PATTERN", "seed": "SEED", "build.type": "BUILD_TYPE",
         "server.port": "SERVER_PORT", "version": "VERSION", "healthy": "HEALTHY"}  # fmt: skip
READ_ONLY = """org.springframework.context.ApplicationContextException: Unable to start web server; nested exception is \
org.springframework.boot.web.server.WebServerException: Unable to create tempDir. java.io.tmpdir is set to /tmp
Caused by: java.io.IOException: {}
\tat java.base/java.io.UnixFileSystem.createFileExclusively(Native Method)
"""


def _early(sys: Sys, text: str) -> None:
    """A line of before Spring Boot's own logging."""
    sys.out(f"{stamp(sys.now, '%H:%M:%S')}.{sys.now % 1000:03d} [main] INFO {CLASS} - {text}\n")


def _log(sys: Sys, text: str, logger: str = APPLICATION, level: str = "INFO", thread: str = "main") -> None:
    now = f"{stamp(sys.now, '%Y-%m-%d %H:%M:%S')}.{sys.now % 1000:03d}"
    sys.out(f"{now} {level:>5} {sys.proc['pid']} --- [{thread:>15}] {logger:<40} : {text}\n")


def _uuid(sys: Sys) -> str:
    digits = f"{sys.random(1 << 62):016x}{sys.random(1 << 62):016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _next(data: Data) -> int:
    """java.util.Random's nextInt: a linear congruential generator of 48 bits."""
    data["random"] = (data["random"] * 0x5DEECE66D + 0xB) & MASK
    value = data["random"] >> 16
    return int(value - (1 << 32) if value >> 31 else value)


# ---- the start


def _settings(proc: Process, sys: Sys) -> dict[str, str]:
    """What the program was told, by the names of its properties."""
    env = proc["env"]
    found = {"version": canonical(sys.container["image"])[1]}
    if where := env.get("SPRING_CONFIG_LOCATION", ""):
        found = {}
        try:
            lines = sys.read_file(where.removeprefix("file:")).splitlines()
        except Errno:
            lines = []
        for line in lines:
            name, _, value = line.partition("=")
            if not line.startswith("#") and name.strip() in NAMES:
                found[name.strip()] = value.strip()
    return found | {name: env[word] for name, word in NAMES.items() if word in env}


def _hold(proc: Process, sys: Sys, key: str, ms: int) -> None:
    """Waits once, for so long in all."""
    until = proc["data"].setdefault(key, sys.now + ms)
    if sys.now < until:
        sys.sleep(until - sys.now)


def _begin(proc: Process, sys: Sys) -> int | None:
    """Everything up to listening. An exit code where it fails."""
    data, env = proc["data"], proc["env"]
    if data.get("stage") is None and env.get("WAIT_FOR_POST_START") == "true":
        done = next((path for path in POST_START if sys.find(path) is not None), "")
        if not done:
            if data.get("asked", 0) <= sys.now:
                _early(sys, "Waiting for postStart to be finished ....")
                data["asked"] = sys.now + WAIT_MS
            sys.sleep(data["asked"] - sys.now)
        _early(sys, f"postStart Message: {sys.read_file(done)}")
    elif data.get("stage") is None:
        _early(sys, "No WAIT_FOR_POST_START configured")
    if data.get("stage") is None:
        data["stage"] = "delay"
        _set_ready(sys, False)
    if is_whole(delay := env.get("DELAY_STARTUP", "0")):
        _hold(proc, sys, "delayed", saturated(delay) * 1000)
    if data["stage"] == "delay":
        data["stage"] = "boot"
        sys.out("\n :: Spring Boot ::        (v2.1.4.RELEASE)\n\n")
        user = "?" if proc["uid"] else "root"  # who has no name has none to the JVM
        whose = f"v{canonical(sys.container['image'])[1]} on {sys.hostname} with PID {proc['pid']} ({JAR} started by {user} in {proc['cwd']})"
        _log(sys, f"Starting RandomGeneratorApplication {whose}")
        _log(sys, "No active profile set, falling back to default profiles: default")
        sys.burn(1000)
        sys.allocate(0)  # the heap is there from now on, limit or not
    limit = min(1000, sys.container["limits"].get("cpu") or 1000)
    _hold(proc, sys, "booted", BOOT_MS * 1000 // limit)
    sys.burn(0)
    return _serve(proc, sys, BOOT_MS / limit)


def _serve(proc: Process, sys: Sys, took: float) -> int | None:
    told = _settings(proc, sys)
    problem = "" if "version" in told else 'java.lang.IllegalArgumentException: Could not resolve placeholder \'version\' in value "${version}"\n'
    try:
        sys.mkdir(work := f"/tmp/tomcat.{sys.now}.{told.get('server.port', '8080')}")
    except Errno as error:
        problem = READ_ONLY.format(error.text)
    port = told.get("server.port", "8080")
    if problem or not is_whole(port) or not 0 < saturated(port) < 65536:
        _log(sys, "Application run failed", "o.s.boot.SpringApplication", "ERROR")
        sys.out(f"\n{problem}")
        return 1
    tomcat = "o.s.b.w.embedded.tomcat.TomcatWebServer"
    _log(sys, f"Tomcat initialized with port(s): {port} (http)", tomcat)
    _log(sys, "Starting service [Tomcat]", "o.apache.catalina.core.StandardService")
    _log(sys, "Initializing ExecutorService 'applicationTaskExecutor'", EXECUTOR)
    _log(sys, "Exposing 2 endpoint(s) beneath base path '/actuator'", "o.s.b.a.e.web.EndpointLinksResolver")
    try:
        listen_on(proc, sys, [saturated(port)])
    except Errno:
        _log(sys, "\n\nThe Tomcat connector configured to listen on port "
                  f"{port} failed to start. The port may already be in use.\n", "o.s.b.d.LoggingFailureAnalysisReporter", "ERROR")  # fmt: skip
        return 1
    data = proc["data"]
    seed = told.get("seed", "0")
    data.update(told=told, id=_uuid(sys), healthy=told.get("healthy", "true") == "true", held=0, burning=[], flights=[], ends=None, work=work)
    number = int(seed) if is_whole(seed.removeprefix("-")) and len(seed) < 20 else 0
    data["random"] = ((number or sys.random(1 << 48)) ^ 0x5DEECE66D) & MASK
    _log(sys, f"Tomcat started on port(s): {port} (http) with context path ''", tomcat)
    _log(sys, f"Started RandomGeneratorApplication in {took:.3f} seconds (JVM running for {took + 0.6:.3f})")
    info = _heap(sys, data)
    for name, value in (("Max Heap Memory:  ", f"{info['memory.max']} MB"), ("Used Heap Memory: ", f"{info['memory.used']} MB"),
                        ("Free Memory:      ", f"{info['memory.free']} MB"), ("Processors:       ", info["cpu.procs"])):  # fmt: skip
        _log(sys, f"=== {name}{value}")
    try:
        _set_ready(sys, True)
    except Errno:
        _log(sys, f"Can't create 'ready' file {READY} used in readiness check. Possibly running locally, so ignoring it", level="WARN")
    return None


def _set_ready(sys: Sys, ready: bool) -> None:
    if ready:
        sys.write_file(READY, "")
    elif sys.find(READY) is not None:
        sys.unlink(READY)


# ---- what is asked of it


def _heap(sys: Sys, data: Data) -> dict[str, Any]:
    """The JVM's heap, MB: half of a small limit, a quarter of a larger one (MinRAMPercentage, MaxRAMPercentage)."""
    limits = sys.container["limits"]
    limit = (limits.get("memory") or 2048 * MEBIBYTE) // MEBIBYTE
    most = limit * 48 // 100 if limit < 250 else limit * 24 // 100
    used = min(most, 46 + data["held"] // MEBIBYTE)
    return {"memory.free": min(23, used // 3), "memory.used": used, "cpu.procs": -(-(limits.get("cpu") or 1000) // 1000), "memory.max": most}


def _info(proc: Process, sys: Sys) -> http.Message:
    data, env = proc["data"], proc["env"]
    told = data["told"]
    found = _heap(sys, data)
    found.update({name: env[name] for name in ("NODE_NAME", "POD_IP") if name in env})
    found.update(pattern=told.get("pattern", "None"), id=data["id"], version=told["version"])
    for name, key in (("logFile", "log.file"), ("logUrl", "log.url"), ("build-type", "build.type")):
        if key in told:
            found[name] = told[key]
    if told.get("seed", "0") != "0":
        found["seed"] = told["seed"]
    for name in ("annotations", "labels"):
        if sys.find(f"/pod-info/{name}") is not None:
            found[name] = sys.read_file(f"/pod-info/{name}")
    return _json({**found, "env": dict(env)})


def _json(value: Any, status: int = 200, kind: str = "application/json;charset=UTF-8") -> http.Message:
    return text_answer(json.dumps(value, ensure_ascii=False, separators=(",", ":")), status, kind)


def _error(sys: Sys, request: http.Message, status: int, message: str) -> http.Message:
    """Spring Boot's own page of an error, as clients that are no browser get it."""
    told = {"timestamp": iso(sys.now, end="+0000"), "status": status, "error": http.REASONS[status], "message": message, "path": request.path}
    return _json(told, status)


def _number(proc: Process, sys: Sys, request: http.Message) -> Answer:
    data = proc["data"]
    burn = query(request).get("burn", "")
    if burn and not is_whole(burn):
        return _error(sys, request, 400, "Failed to convert value of type 'java.lang.String' to required type 'java.lang.Long'; nested exception is "
                                         f'java.lang.NumberFormatException: For input string: "{burn}"')  # fmt: skip
    value, took = _next(data), 10_000 + sys.random(40_000)
    ms = min(saturated(burn), BURN_MAX) * BURN_MS if burn else 0
    if ms:
        ms = ms * 1000 // min(1000, sys.container["limits"].get("cpu") or 1000)
        data["burning"].append(sys.now + ms)
        sys.burn(1000 * len(data["burning"]))
    took += ms * 1_000_000
    if "log.file" in data["told"]:
        try:
            sys.write_file(data["told"]["log.file"], f"{_clock(sys)},{data['id']},{took},{value}\n", "a")
        except Errno as error:
            return _error(sys, request, 500, f"{data['told']['log.file']} ({error.text})")
    url = data["told"].get("log.url", "")
    if url and len(data["flights"]) < FLIGHTS_MAX:
        _, host, port, path = http.split_url(url)
        body = f'{{ "id": "{data["id"]}", "random": "{value}", "duration": "{took}" }}'
        _log(sys, f"Sending log to {url}", thread="nio-8080-exec-1")
        data["flights"].append(launch(sys, post(host, port, path, body, kind="application/x-www-form-urlencoded", agent="Java/11.0.3")))
    answered = _json({"random": value, "id": data["id"]})
    return Late(ms, answered) if ms else answered


def _clock(sys: Sys) -> str:
    return f"{stamp(sys.now, '%H:%M:%S')}.{sys.now % 1000:03d}"


def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    data, path = proc["data"], request.path
    if path == "/":
        return _number(proc, sys, request)
    if path == "/info":
        return _info(proc, sys)
    if path == "/actuator/health":
        kind = "application/vnd.spring-boot.actuator.v2+json;charset=UTF-8"
        return _json({"status": "UP" if data["healthy"] else "DOWN"}, 200 if data["healthy"] else 503, kind)
    if path == "/actuator/info":
        return _json({})
    if path == "/toggle-live":
        data["healthy"] = not data["healthy"]
        return text_answer("")
    try:
        if path == "/toggle-ready":
            _set_ready(sys, sys.find(READY) is None)
            return text_answer("")
        if path == "/logs":
            where = data["told"].get("log.file", "")
            return text_answer(sys.read_file(where).removesuffix("\n") if where else "", kind="text/plain;charset=UTF-8")
    except Errno as error:
        return _error(sys, request, 500, error.text)
    if path == "/memory-eater":
        megabytes = query(request).get("mb", "")
        if not is_whole(megabytes):
            return _error(sys, request, 400, "Required int parameter 'mb' is not present")
        if saturated(megabytes) > _heap(sys, {"held": 0})["memory.max"]:
            return _error(sys, request, 500, "Handler dispatch failed; nested exception is java.lang.OutOfMemoryError: Java heap space")
        data["held"] = saturated(megabytes) * MEBIBYTE
        sys.allocate(data["held"])
        return text_answer("")
    if path == "/shutdown":
        _log(sys, "SHUTDOWN NOW", thread="nio-8080-exec-1")
        data["ends"] = sys.now
        return text_answer("")
    return _error(sys, request, 404, "No message available")


def chores(proc: Process, sys: Sys) -> Waits:
    """Numbers that are told to a URL, work that ends, the end."""
    data = proc["data"]
    if data["ends"] is not None:
        _last_words(sys)
        sys.exit(0)
    times: list[int] = []
    fds: list[int] = []
    objs: list[str] = []
    for flight in list(data["flights"]):
        found = advance(sys, flight)
        if found is None:
            waits_of(proc, flight, times, fds, objs)
            continue
        data["flights"].remove(flight)
        if found[2]:
            _log(sys, f"java.net.ConnectException: {found[2]}", "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "ERROR", "nio-8080-exec-1")
        else:
            _log(sys, f"Log delegate response: {found[0]}", thread="nio-8080-exec-1")
    if data["burning"]:
        data["burning"] = [until for until in data["burning"] if until > sys.now]
        sys.burn(1000 * len(data["burning"]))
        times += data["burning"]
    return Waits(tuple(fds), tuple(objs), min(times) - sys.now if times else None)


def _last_words(sys: Sys) -> None:
    _log(sys, "Shutting down ExecutorService 'applicationTaskExecutor'", EXECUTOR, thread="Thread-2")
    _log(sys, ">>>> SHUTDOWN HOOK called. Possibly because of a SIGTERM from Kubernetes", thread="Thread-1")


# ---- java


def _runner(proc: Process, sys: Sys, words: list[str]) -> int:
    data = proc["data"]
    if len(words) not in (2, 3) or not all(is_whole(word) for word in words[1:]):
        sys.err("Usage: java -jar ... RandomRunner path-to-file number-lines-to-create [seconds-to-sleep]\n")
        return 1
    data.setdefault("id", _uuid(sys))
    data.setdefault("random", sys.random(1 << 48))
    while True:
        if "left" not in data:
            sys.out(f"Starting to create {words[1]} random numbers and store in {words[0]}\n")
            data.update(left=saturated(words[1]), began=sys.now)
        while data["left"] > 0:
            _hold(proc, sys, "due", LINES_MS)
            count = min(LINES, data["left"])
            try:
                held = sys.find(words[0])
                is_device = held is not None and held.inode["t"] not in ("f", "d")
                lines = [] if is_device else [f"{_clock(sys)},{data['id']},{1_500 + sys.random(3_000)},{_next(data)}\n" for _ in range(count)]
                sys.write_file(words[0], "".join(lines), "a")
            except Errno as error:
                sys.err(f'Exception in thread "main" java.io.FileNotFoundException: {words[0]} ({error.text})\n')
                return 1
            data["left"] -= count
            del data["due"]
        if "pause" not in data:
            sys.out(f"Finished after {sys.now - data['began']} ms\n")
        if len(words) == 2 or not int(words[2]):
            return 0
        _hold(proc, sys, "pause", 30_000)  # whatever number was given
        del data["pause"], data["left"]


def run(proc: Process, sys: Sys, event: Event) -> int:
    words = list(proc["argv"][1:])
    if words[:1] in (["-version"], ["--version"]):
        sys.err('openjdk version "11.0.3" 2019-04-16\n')
        return 0
    while words and (words[0].startswith("-X") or words[0].startswith("-D") or words[0] in ("-cp", "-classpath")):
        words = words[2:] if words[0] in ("-cp", "-classpath") else words[1:]
    if words[:1] == ["-jar"] and len(words) > 1:
        if sys.find(words[1]) is None:
            sys.err(f"Error: Unable to access jarfile {words[1]}\n")
            return 1
        if "told" not in proc["data"] and (code := _begin(proc, sys)) is not None:
            return code
        return serve_http(proc, sys, answer, chores)
    if words[:1] == ["RandomRunner"]:
        return _runner(proc, sys, words[1:])
    sys.err(f"Error: Could not find or load main class {words[0]}\nCaused by: java.lang.ClassNotFoundException: {words[0]}\n" if words
            else "Usage: java [options] <mainclass> [args...]\n")  # fmt: skip
    return 1


def _signal(proc: Process, sys: Sys, n: int) -> bool:
    """The JVM runs its hooks and ends with 128 + the signal's number."""
    if n in (TERM, INT):
        if "told" in proc["data"]:
            _last_words(sys)
        sys.exit(128 + n)
    return False


register(Program("random-generator", lambda proc, sys: run(proc, sys, None), run, _signal, MEMORY))

ENV = {"PATH": f"/usr/local/openjdk-11/bin:{PATH}", "JAVA_HOME": "/usr/local/openjdk-11", "JAVA_VERSION": "11.0.3", "LANG": "C.UTF-8"}
OPT: Tree = {"random-generator.jar": Entry("PK\n", size=19_400_000, uid=451900, mode=0o664),
             "RandomRunner.class": Entry("\n", uid=451900, mode=0o664)}  # fmt: skip
FILES: Tree = {"opt": Entry(children=OPT, uid=451900, mode=0o775),
               "usr": {"local": {"openjdk-11": {"bin": {"java": Entry(program="random-generator", size=13_000)}}}}}  # fmt: skip
add(Image("docker.io/k8spatterns/random-generator", ("1.0", "2.0", "latest"), base_tree("debian", FILES, extra=("curl", "dig", "host", "bash")),
          320_000_000, cmd=("java", "-jar", "random-generator.jar"), env=ENV, working_dir="/opt", ports=(8080,)))  # fmt: skip
