"""awk: patterns and actions, fields, variables, arrays, user functions, printf, the string and number functions of POSIX.

Without getline, pipes and system(). The program text is parsed anew when needed (and remembered by text); variables and arrays
are data. One record that takes more than MAX_STEPS is taken for an endless loop: the process then burns a core for ever, as it
would.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ..filesystem import text_bytes
from ..linear import Match, Regex, compiled
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, TEXT_MAX, Event, tool
from ..shell.escapes import backslashes
from ..shell.printing import printf_text
from ..system import Sys
from .awk_syntax import AwkFault, Node, parse
from .common import begin, complain, lines, options, ordered, usage
from .regex import extended

MAX_STEPS = 200_000
ELEMENTS_MAX = 100_000
"""Elements of one array; a real awk is bounded by its memory."""


def fitting(text: str) -> str:
    """A string that awk has made. Raises AwkFault when it is too long to keep."""
    if len(text) > TEXT_MAX:
        raise AwkFault("out of memory")
    return text


class _Next(Exception):
    pass


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Exit(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _Endless(Exception):
    pass


def number_text(value: float, form: str = "%.6g") -> str:
    """A number as awk makes it a string: integers whole."""
    if value == int(value) and abs(value) < 1e16 if not (math.isinf(value) or math.isnan(value)) else False:
        return str(int(value))
    return form % value


def to_number(value: Any) -> float:
    if isinstance(value, float):
        return value
    match = re.match(r"\s*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)", value)
    return float(match[0]) if match else 0.0


def looks_numeric(text: str) -> bool:
    return re.fullmatch(r"\s*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)\s*", text) is not None


class _Awk:
    """Runs a program; `state` holds vars, arrays, fields. Values: float numbers, str strings, ["n", text] input that looks
    like a number."""

    def __init__(self, sys: Sys, state: Data) -> None:
        self.sys, self.state = sys, state
        self.rules, self.functions = parse(state["source"])
        self.vars: Data = state["vars"]
        self.arrays: Data = state["arrays"]
        self.frames: list[dict[str, Any]] = []
        self.steps = 0
        self.out: list[str] = []

    def text(self, value: Any) -> str:
        return value if isinstance(value, str) else number_text(value, str(self.vars.get("CONVFMT", "%.6g")))

    def get(self, name: str) -> Any:
        if self.frames and name in self.frames[-1]:
            return self.frames[-1][name]
        if name == "NF":
            return float(len(self.state["fields"]))
        return self.vars.get(name, "")

    def put(self, name: str, value: Any) -> None:
        if self.frames and name in self.frames[-1]:
            self.frames[-1][name] = value
        elif name == "NF":
            count = int(to_number(value))
            fields = self.state["fields"]
            self.state["fields"] = (fields + [""] * count)[:count]
            self._rebuild()
        else:
            self.vars[name] = value

    def array(self, name: str) -> dict[str, Any]:
        if self.frames and name in self.frames[-1]:
            held = self.frames[-1][name]
            if not isinstance(held, dict):
                held = self.frames[-1][name] = {}
            return held
        found: dict[str, Any] = self.arrays.setdefault(name, {})
        return found

    def record(self, text: str) -> None:
        """A new $0."""
        self.state["record"] = text
        separator = self.text(self.get("FS"))
        if separator == " ":
            fields = text.split()
        elif not text:
            fields = []
        elif separator == "":
            fields = list(text)
        elif len(separator) == 1 and separator not in "\\^$.[]|()*+?{}":
            fields = text.split(separator)
        else:
            fields = re.split(re.sub(r"\((?!\?)", "(?:", extended(separator)) if separator != "\\|" else r"\|", text)
        self.state["fields"] = fields

    def _rebuild(self) -> None:
        self.state["record"] = self.text(self.get("OFS")).join(self.state["fields"])

    def field(self, index: int) -> str:
        if index == 0:
            return str(self.state["record"])
        fields = self.state["fields"]
        return str(fields[index - 1]) if 0 < index <= len(fields) else ""

    def set_field(self, index: int, text: str) -> None:
        if index == 0:
            self.record(text)
            return
        fields = self.state["fields"]
        fields += [""] * (index - len(fields))
        fields[index - 1] = text
        self._rebuild()

    def key(self, args: list[Node]) -> str:
        return "\x1c".join(self.text(self.value(arg)) for arg in args)

    def truth(self, node: Node) -> bool:
        value = self.value(node)
        if isinstance(value, float):
            return value != 0
        if node[0] == "field" and looks_numeric(value):
            return to_number(value) != 0
        return bool(value != "")

    def number(self, node: Node) -> float:
        return to_number(self.value(node))

    def regex(self, node: Node) -> Regex:
        return compiled(extended(node[1] if node[0] == "re" else self.text(self.value(node))))

    def value(self, node: Node) -> Any:
        """An expression's value: float or str."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise _Endless
        kind = node[0]
        if kind in ("num", "str"):
            return node[1]
        if kind == "var":
            return self.get(node[1])
        if kind == "field":
            return self.field(int(self.number(node[1])))
        if kind == "paren":
            return self.value(node[1])
        if kind == "index":
            return self.element(node).setdefault(self.key(node[2]), "")
        if kind == "re":
            return float(self.regex(node).search(self.field(0)) is not None)
        if kind == "assign":
            value = self.value(node[3]) if not node[2] else self.math(node[2], self.number(node[1]), self.number(node[3]))
            self.assign(node[1], value)
            return value
        if kind == "?":
            return self.value(node[2] if self.truth(node[1]) else node[3])
        if kind == "||":
            return float(self.truth(node[1]) or self.truth(node[2]))
        if kind == "&&":
            return float(self.truth(node[1]) and self.truth(node[2]))
        if kind == "in":
            key = self.key(node[1][1] if node[1][0] == "group" else [node[1]])
            return float(key in self.array(node[2]))
        if kind in ("~", "!~"):
            found = self.regex(node[2]).search(self.text(self.value(node[1]))) is not None
            return float(found == (kind == "~"))
        if kind == "compare":
            return float(self.compare(node[1], node[2], node[3]))
        if kind == "concat":
            return fitting(self.text(self.value(node[1])) + self.text(self.value(node[2])))
        if kind == "math":
            return self.math(node[1], self.number(node[2]), self.number(node[3]))
        if kind == "unary":
            if node[1] == "!":
                return float(not self.truth(node[2]))
            return -self.number(node[2]) if node[1] == "-" else self.number(node[2])
        if kind in ("pre", "post"):
            old = self.number(node[2])
            new = old + (1 if node[1] == "++" else -1)
            self.assign(node[2], new)
            return new if kind == "pre" else old
        if kind == "call":
            return self.call(node[1], node[2])
        return self.key(node[1])

    def compare(self, operator: str, left: Node, right: Node) -> bool:
        a, b = self.value(left), self.value(right)
        inputs = ("field", "var", "index", "paren")
        numeric = all(
            isinstance(v, float) or (n[0] in inputs and looks_numeric(v)) or (v == "" and n[0] in ("var", "index"))
            for v, n in ((a, left), (b, right))
        )
        if numeric:
            return ordered(operator, to_number(a), to_number(b))
        return ordered(operator, self.text(a), self.text(b))

    def math(self, operator: str, a: float, b: float) -> float:
        if operator in ("/", "%") and b == 0:
            raise AwkFault("division by zero")
        if operator == "%":
            return math.fmod(a, b)
        if operator == "^":
            try:
                return math.pow(a, b)
            except OverflowError:
                return math.inf
            except ValueError:
                return math.nan
        return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else 0.0}[operator]

    def element(self, node: Node) -> Data:
        """The array that an element stands in, or is to."""
        array = self.array(node[1])
        if len(array) > ELEMENTS_MAX:
            raise AwkFault("out of memory")
        return array

    def assign(self, target: Node, value: Any) -> None:
        if target[0] == "var":
            self.put(target[1], value)
        elif target[0] == "field":
            self.set_field(int(self.number(target[1])), self.text(value))
        elif target[0] == "index":
            self.element(target)[self.key(target[2])] = value
        else:
            raise AwkFault("assignment to what is no variable")

    def call(self, name: str, args: list[Node]) -> Any:
        if name in self.functions:
            names, body = self.functions[name]
            frame: dict[str, Any] = {}
            for index, parameter in enumerate(names):
                if index >= len(args):
                    frame[parameter] = ""
                elif args[index][0] == "var" and (
                    args[index][1] in self.arrays or (self.frames and isinstance(self.frames[-1].get(args[index][1]), dict))
                ):
                    frame[parameter] = self.array(args[index][1])
                else:
                    frame[parameter] = self.value(args[index])
            if len(self.frames) > 100:
                raise AwkFault("function calls too deep")
            self.frames.append(frame)
            try:
                self.run(body)
            except _Return as returned:
                return returned.value
            finally:
                self.frames.pop()
            return ""
        if name == "length":
            if args and args[0][0] == "var" and args[0][1] in self.arrays:
                return float(len(self.arrays[args[0][1]]))
            return float(text_bytes(self.text(self.value(args[0])) if args else self.field(0)))  # bytes, as strlen counts
        if name == "split":
            text, array = self.text(self.value(args[0])), self.array(args[1][1])
            separator = (
                self.text(self.value(args[2]))
                if len(args) > 2 and args[2][0] != "re"
                else args[2][1]
                if len(args) > 2
                else self.text(self.get("FS"))
            )
            parts = text.split() if separator == " " else list(text) if separator == "" else [] if not text else (
                text.split(separator) if len(separator) == 1 else compiled(extended(separator)).split(text))  # fmt: skip
            array.clear()
            array.update({str(i): part for i, part in enumerate(parts, 1)})
            return float(len(parts))
        if name in ("sub", "gsub"):
            target = args[2] if len(args) > 2 else ("field", ("num", 0.0))
            template = self.text(self.value(args[1]))
            limit = 0 if name == "gsub" else 1
            result, count = self.regex(args[0]).sub(lambda m: _replacement(template, m), self.text(self.value(target)), limit)
            if count:
                self.assign(target, fitting(result))
            return float(count)
        if name == "match":
            match = self.regex(args[1]).search(self.text(self.value(args[0])))
            self.vars["RSTART"] = float(match.start() + 1 if match else 0)
            self.vars["RLENGTH"] = float(match.end() - match.start() if match else -1)
            return self.vars["RSTART"]
        if name in ("system", "close", "fflush"):
            if name == "system":
                raise AwkFault("system() is not supported by this awk")
            return 0.0
        values = [self.value(arg) for arg in args]
        if name == "substr":
            text, start = self.text(values[0]), round(to_number(values[1]))
            end = start + round(to_number(values[2])) if len(values) > 2 else len(text) + 1
            return text[max(1, start) - 1 : max(0, end - 1)]
        if name == "index":
            return float(self.text(values[0]).find(self.text(values[1])) + 1)
        if name == "sprintf":
            return self.format(values)
        if name in ("tolower", "toupper"):
            text = self.text(values[0])
            return text.lower() if name == "tolower" else text.upper()
        if name == "systime":
            return float(self.sys.now // 1000)
        if name == "rand":
            self.state["random"] = (self.state["random"] * 1103515245 + 12345) % (1 << 31)
            return self.state["random"] / (1 << 31)
        if name == "srand":
            old, self.state["random"] = self.state["random"], int(to_number(values[0])) if values else self.sys.now // 1000
            return float(old)
        if name in ("and", "or", "xor"):
            a, b = int(to_number(values[0])), int(to_number(values[1]))
            return float({"and": a & b, "or": a | b, "xor": a ^ b}[name])
        if name in ("int", "sin", "cos", "exp", "log", "sqrt", "atan2"):
            numbers = [to_number(v) for v in values]
            try:
                return float(getattr(math, {"int": "trunc"}.get(name, name))(*numbers))
            except (ValueError, OverflowError):
                return math.nan
        raise AwkFault("cmd. line:1: Call to undefined function")

    def format(self, values: list[Any]) -> str:
        form = self.text(values[0])
        kinds = re.findall(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+)?)?(.)", form.replace("%%", ""))
        args = []
        for index, value in enumerate(values[1:]):
            kind = kinds[index] if index < len(kinds) else "s"
            if kind in "dixXou":
                args.append(str(int(to_number(value))))
            elif kind in "feEgG":
                args.append(repr(to_number(value)))
            elif kind == "c":
                args.append(chr(int(value) % 256) if isinstance(value, float) else value)
            else:
                args.append(self.text(value))
        return printf_text(form, args[: max(1, len(kinds))] if args else [])[0]

    def run(self, node: Node) -> None:
        """A statement."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise _Endless
        kind = node[0]
        if kind == "block":
            for item in node[1]:
                self.run(item)
        elif kind == "do_expression":
            self.value(node[1])
        elif kind in ("print", "printf"):
            args = node[1]
            if kind == "print":
                output = str(self.vars.get("OFMT", "%.6g"))
                parts = (
                    [v if isinstance(v := self.value(arg), str) else number_text(v, output) for arg in args]
                    if args
                    else [self.field(0)]
                )
                text = self.text(self.get("OFS")).join(parts) + self.text(self.get("ORS"))
            else:
                text = self.format([self.value(arg) for arg in args])
            self.write(text, node[2])
        elif kind == "if":
            if self.truth(node[1]):
                self.run(node[2])
            elif node[3] is not None:
                self.run(node[3])
        elif kind in ("while", "do", "for"):
            self.loop(node)
        elif kind == "forin":
            for key in list(self.array(node[2])):
                self.put(node[1], key)
                try:
                    self.run(node[3])
                except _Continue:
                    continue
                except _Break:
                    break
        elif kind == "delete":
            if node[2] is None:
                self.array(node[1]).clear()
            else:
                self.array(node[1]).pop(self.key(node[2]), None)
        elif kind in ("next", "nextfile"):
            raise _Next
        elif kind == "break":
            raise _Break
        elif kind == "continue":
            raise _Continue
        elif kind == "return":
            raise _Return("" if node[1] is None else self.value(node[1]))
        elif kind == "exit":
            if node[1] is not None:
                self.state["code"] = int(self.number(node[1])) & 255
            raise _Exit

    def loop(self, node: Node) -> None:
        kind = node[0]
        condition, body = (node[1], node[2]) if kind == "while" else (node[2], node[1]) if kind == "do" else (node[2], node[4])
        if kind == "for" and node[1] is not None:
            self.value(node[1])
        first = kind == "do"
        while first or condition is None or self.truth(condition):
            first = False
            try:
                self.run(body)
            except _Continue:
                pass
            except _Break:
                break
            if kind == "for" and node[3] is not None:
                self.value(node[3])

    def write(self, text: str, target: Any) -> None:
        if target is None:
            self.out.append(text)
            return
        how, node = target
        path = self.text(self.value(node))
        opened = self.state["opened"]
        mode = "a" if how == ">>" or path in opened else "w"
        opened[path] = 1
        self.sys.write_file(path, text, mode)

    def rule(self, kind: str) -> None:
        """All rules of a kind, for the present record."""
        for index, (which, pattern, action) in enumerate(self.rules):
            if which == "range" and kind == "each":
                active = self.state["ranges"]
                if str(index) not in active:
                    if not self.truth(pattern[0]):
                        continue
                    active[str(index)] = 1
                if self.truth(pattern[1]):
                    del active[str(index)]
            elif which != kind or (pattern is not None and not self.truth(pattern)):
                continue
            if action is None:
                self.write(self.field(0) + self.text(self.get("ORS")), None)
            else:
                self.run(action)


def _replacement(template: str, match: Match) -> str:
    return re.sub(r"\\\\|\\&|&", lambda m: {"\\\\": "\\", "\\&": "&", "&": match[0]}[m[0]], template)


@tool("awk", "gawk", "mawk", memory=MEBIBYTE)
def awk(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        words = list(proc["argv"][1:])
        assigns = [words[i + 1] if word == "-v" else word[2:] for i, word in enumerate(words) if word.startswith("-v")]
        given, names = options(proc, sys, "+F:v:f:e:")
        source = sys.read_file(given["f"]) if "f" in given else given.get("e")
        if source is None:
            if not names:
                usage(proc, sys, "")
            source = names.pop(0)
        variables: Data = {
            "FS": " ",
            "OFS": " ",
            "ORS": "\n",
            "RS": "\n",
            "NR": 0.0,
            "FNR": 0.0,
            "SUBSEP": "\x1c",
            "FILENAME": "",
            "CONVFMT": "%.6g",
        }
        if "F" in given:
            variables["FS"] = "\t" if given["F"] == "t" else backslashes(given["F"])[0]
        for assign in assigns:
            name, _, value = assign.partition("=")
            variables[name] = backslashes(value)[0]
        arguments = [name for name in names if not re.match(r"[A-Za-z_]\w*=", name)]
        for name in names:
            if name not in arguments:
                key, _, value = name.partition("=")
                variables[key] = backslashes(value)[0]
        data.update(source=source, vars=variables, arrays={"ENVIRON": dict(proc["env"]), "ARGV": {"0": "awk", **{str(i): n for i,
            n in enumerate(names, 1)}}},
                    fields=[], record="", ranges={}, opened={}, code=0, random=1, phase="BEGIN", file="",
                    paragraph=[])  # fmt: skip
        variables["ARGC"] = float(len(names) + 1)
        begin(proc, arguments)
    try:
        runner = _Awk(sys, data)
        return _run(proc, sys, data, runner)
    except AwkFault as error:
        complain(proc, sys, str(error))
        return 1
    except Errno as error:
        complain(proc, sys, f"{error.text}")
        return 1
    except RecursionError:
        complain(proc, sys, "function calls too deep")
        return 2


def _run(proc: Process, sys: Sys, data: Data, runner: _Awk) -> int:
    def guarded(kind: str) -> bool:
        """Runs rules; True when the program is to stop reading."""
        runner.steps = 0
        try:
            runner.rule(kind)
        except _Next:
            pass
        except _Exit:
            data["phase"] = "done" if kind == "END" or data["phase"] == "done" else "END"
            return True
        except _Endless:
            sys.out("".join(runner.out))
            runner.out.clear()
            sys.burn(1000)
            data["phase"] = "burn"
            return True
        finally:
            if runner.out:
                sys.out("".join(runner.out))
                runner.out.clear()
            sys.charge(runner.steps)
        return False

    if data["phase"] == "BEGIN":
        data["phase"] = "read"
        guarded("BEGIN")
        if data["phase"] == "read" and not any(kind in ("each", "range", "END") for kind, _, _ in runner.rules):
            return int(data["code"])
    if data["phase"] == "burn":
        sys.pause()

    def one(text: str) -> bool:
        data["vars"]["NR"] = to_number(data["vars"]["NR"]) + 1
        data["vars"]["FNR"] = to_number(data["vars"]["FNR"]) + 1
        runner.record(text)
        return guarded("each")

    def line(text: str, name: str) -> bool:
        if name != data["file"]:
            data["file"] = name
            data["vars"].update(FILENAME="" if name == "-" else name, FNR=0.0)
        text = text.removesuffix("\n")
        separator = data["vars"]["RS"]
        if separator == "\n":
            return one(text)
        data["paragraph"].append(text)
        if separator == "" and text == "":
            rows, data["paragraph"] = data["paragraph"][:-1], []
            return one("\n".join(rows)) if rows else False
        return False

    if data["phase"] == "read":
        status = lines(proc, sys, line, "{}: {}")
        if status:
            data["code"] = 2
        if data["paragraph"] and data["phase"] == "read":
            separator = str(data["vars"]["RS"])
            whole = "\n".join(data["paragraph"])
            data["paragraph"] = []
            for part in [whole] if separator == "" else whole.removesuffix(separator).split(separator):
                if one(part):
                    break
        if data["phase"] == "read":
            data["phase"] = "END"
    if data["phase"] == "burn":
        sys.pause()
    if data["phase"] == "END":
        guarded("END")
    if data["phase"] == "burn":
        sys.pause()
    return int(data["code"])
