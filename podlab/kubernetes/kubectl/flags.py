"""Command line flags as kubectl (pflag) takes them: `--name=value`, `--name value`, `-n value`, `-nvalue`, `-it`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..apiserver.errors import show
from ..times import parse_go_duration
from .terminal import KubectlError


@dataclass(frozen=True, slots=True)
class Flag:
    """`kind` is bool, str, int, duration (ms), list (repeatable, comma-separated), array (repeatable), opt (value optional) or modules (name=level,
    comma-separated: klog's --vmodule)."""

    name: str
    kind: str = "str"
    short: str = ""
    default: Any = None
    bare: str = ""  # kind opt: the value that the bare flag stands for
    hidden: bool = False  # not in the help
    deprecated: str = ""  # what is said of it when it is given


GLOBAL = (
    Flag("namespace", short="n"), Flag("context"), Flag("kubeconfig"), Flag("cluster"), Flag("user"), Flag("server", short="s"),
    Flag("request-timeout"), Flag("as-group", "array"), Flag("as-uid"), Flag("v", "int", short="v", default=0), Flag("token"), Flag("as"),
    Flag("warnings-as-errors", "bool"),
    Flag("insecure-skip-tls-verify", "bool"), Flag("help", "bool", short="h"),
    Flag("as-user-extra", "array"), Flag("cache-dir"), Flag("certificate-authority"), Flag("client-certificate"), Flag("client-key"),
    Flag("disable-compression", "bool"), Flag("kuberc"), Flag("log-flush-frequency", "duration", default=5_000), Flag("match-server-version", "bool"),
    Flag("password"), Flag("profile", default="none"), Flag("profile-output", default="profile.pprof"), Flag("tls-server-name"), Flag("username"),
    Flag("vmodule", "modules"),
)


def but(flags: tuple[Flag, ...], *names: str) -> tuple[Flag, ...]:
    """Flags that several commands share, without those that this one has not."""
    return tuple(flag for flag in flags if flag.name not in names)


class Flags:
    """Parsed flags: `flags["namespace"]`, and `flags.given("replicas")` for those that were typed."""

    def __init__(self, values: dict[str, Any], typed: list[tuple[str, str]], warnings: list[str]) -> None:
        self._values, self.typed, self.warnings = values, typed, warnings  # (name, text) as typed; what pflag says of them
        self._given = {name for name, _ in typed}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str, default: Any = None) -> Any:
        """A flag's value, or `default` where the command has no such flag."""
        return self._values.get(name, default)

    def given(self, name: str) -> bool:
        return name in self._given


def request_timeout(flags: Flags) -> int:
    """--request-timeout in ms; 0: none. A number without unit is seconds (clientcmd.ParseTimeout). Raises KubectlError."""
    text = flags["request-timeout"] or "0"
    try:
        return parse_go_duration(f"{text}s" if text.isdigit() else text)
    except ValueError:
        raise KubectlError("error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding "
                           "time unit (e.g. 1s | 2m | 3h)\n") from None


def _value(flag: Flag, text: str, held: Any) -> Any:
    """What a flag that `held` something says once `text` is given, too. Raises ValueError in Go's words."""
    if flag.kind == "bool":
        if text.lower() not in ("true", "false", "1", "0", "t", "f"):
            raise ValueError(f"strconv.ParseBool: parsing {show(text)}: invalid syntax")
        return text.lower() in ("true", "1", "t")
    if flag.kind == "int":
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"strconv.ParseInt: parsing {show(text)}: invalid syntax") from None
    if flag.kind == "duration":
        return parse_go_duration(text)
    if flag.kind == "modules":
        for part in filter(None, text.split(",")):
            name, equals, level = part.partition("=")
            if not name or not equals:
                raise ValueError("syntax error: expect comma-separated list of filename=N")
            if not level.isdigit():
                raise ValueError("syntax error: expect comma-separated list of filename=N")
        return text
    if flag.kind in ("list", "array"):
        return [*held, *(text.split(",") if flag.kind == "list" else (text,))]
    return text


def parse(command: str, words: list[str], known: tuple[Flag, ...]) -> tuple[list[str], Flags, list[str]]:
    """(arguments, flags, arguments after `--`). Raises KubectlError in pflag's words."""
    line = _Line(command, words, known)
    while line.rest:
        word = line.rest.pop()
        if word == "--":
            break
        if word.startswith("--"):
            line.long(word)
        elif word.startswith("-") and len(word) > 1:
            line.short(word)
        else:
            line.arguments.append(word)
    return line.arguments, Flags(line.values, line.typed, line.warnings()), line.rest[::-1]


class _Line:
    """A command line that is being read, as pflag reads it."""

    def __init__(self, command: str, words: list[str], known: tuple[Flag, ...]) -> None:
        self.command = command
        self.rest = words[::-1]  # the next word last
        self.by_name = {flag.name: flag for flag in (*GLOBAL, *known)}
        self.by_short = {flag.short: flag for flag in (*GLOBAL, *known) if flag.short}
        self.values: dict[str, Any] = {name: ([] if flag.kind in ("list", "array") and flag.default is None else
                                              False if flag.kind == "bool" and flag.default is None else flag.default)
                                       for name, flag in self.by_name.items()}
        self.typed: list[tuple[str, str]] = []
        self.arguments: list[str] = []

    def long(self, word: str) -> None:
        """--name, --name=value or --name value."""
        name, equals, text = word[2:].partition("=")
        flag = self.by_name.get(name)
        if flag is None:
            raise self.fail(f"unknown flag: --{name}")
        if not equals:
            text = "true" if flag.kind == "bool" else flag.bare if flag.kind == "opt" else self.argument(f"--{name}")
        self.put(flag, text, f"--{name}" if not flag.short else f"-{flag.short}, --{name}")

    def short(self, word: str) -> None:
        """-x, -xyz, -xvalue, -x=value or -x value."""
        letters = word[1:]
        while letters:
            flag = self.by_short.get(letters[0])
            if flag is None:
                raise self.fail(f"unknown shorthand flag: '{letters[0]}' in {word}")
            rest = letters[1:]
            if flag.kind in ("bool", "opt") and not rest.startswith("="):
                text, letters = "true" if flag.kind == "bool" else flag.bare, rest
            else:
                text, letters = rest.removeprefix("=") if rest else self.argument(f"'{letters[0]}' in {word}"), ""
            self.put(flag, text, f"-{flag.short}, --{flag.name}")

    def argument(self, whose: str) -> str:
        """The next word, which a flag needs."""
        if not self.rest:
            raise self.fail(f"flag needs an argument: {whose}")
        return self.rest.pop()

    def put(self, flag: Flag, text: str, spelled: str) -> None:
        self.typed.append((flag.name, text))
        try:
            self.values[flag.name] = _value(flag, text, self.values[flag.name])
        except ValueError as error:
            raise self.fail(f'invalid argument {show(text)} for "{spelled}" flag: {error}') from None

    def fail(self, text: str) -> KubectlError:
        return KubectlError(f"error: {text}\nSee 'kubectl {self.command} --help' for usage.\n")

    def warnings(self) -> list[str]:
        deprecated = [(name, self.by_name[name].deprecated) for name, _ in self.typed]
        return [f"Flag --{name} has been deprecated, {why}\n" for name, why in deprecated if why]
