"""Manifests as people write them: YAML or JSON, several documents, from files of the editor or standard input.

Bounded before anything is built: bytes, depth, what aliases stand for (a YAML bomb is a few lines that grow for ever).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from ..apiserver.json_faults import json_fault
from ..bounded_yaml import MAX_BYTES, MAX_DEPTH, Loader, Strict, as_libyaml, document
from .terminal import KubectlError

MAX_DOCUMENTS = 500


@dataclass(frozen=True, slots=True)
class Manifest:
    source: str  # file name, or STDIN
    object: dict[str, Any]


class Unreadable(KubectlError):
    """A file that cannot be read to its end; `before`: the objects that stand before the fault."""

    def __init__(self, text: str, before: list[Manifest]) -> None:
        super().__init__(text)
        self.before = before


def _deep(value: Any) -> bool:
    layer, depth = [value], 0
    while layer and depth <= MAX_DEPTH:
        layer = [item for one in layer if isinstance(one, (dict, list)) for item in (one.values() if isinstance(one, dict) else one)]
        depth += 1
    return bool(layer)


def parse(text: str, source: str, *, strict: bool = False) -> list[Manifest]:
    """The objects of a text; a List is opened. Raises KubectlError that says where and what.

    `strict`: a key that is there twice is refused, as kustomize does; kubectl takes the last (sigs.k8s.io/yaml, Unmarshal).
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise KubectlError(f"error: {source}: the manifest is larger than {MAX_BYTES} bytes\n")
    if any("\ud800" <= char <= "\udfff" for char in text):  # a byte that is no UTF-8, as the file system has it; go-yaml's words
        raise KubectlError(f"error: error parsing {source}: error converting YAML to JSON: yaml: invalid leading UTF-8 octet\n")
    found: list[Manifest] = []
    try:
        for document in _documents(text, source, Strict if strict else Loader):
            if document is None:
                continue
            if not isinstance(document, dict):
                raise KubectlError(f'error: error validating "{source}": error validating data: invalid object to validate; if you choose to '
                                   "ignore these errors, turn validation off with --validate=false\n")
            if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
                found += [Manifest(source, item) for item in document["items"]]
            else:
                found.append(Manifest(source, document))
            if len(found) > MAX_DOCUMENTS:
                raise KubectlError(f"error: {source}: more than {MAX_DOCUMENTS} objects in one file\n")
    except KubectlError as error:
        if len(found) > MAX_DOCUMENTS:
            raise
        raise Unreadable(error.text, found) from error
    return found


INK = re.compile(r"\S")
AFTER_THE_END = re.compile(r"^\.\.\.[ \t]*(?:#.*)?\n(?:(?!---).*\n)*(?:(?!---).+\Z)?", re.MULTILINE)
"""The end of a document, and what nobody reads: kubectl splits a file at `---`, and of each piece go-yaml reads the first document."""


def line_of(error: yaml.MarkedYAMLError) -> str:
    """go-yaml counts a parser's lines from 0 and a scanner's from 1, and falls back on the context (yaml.v2 decode.go, fail)."""
    at = error.problem_mark.line if error.problem_mark else 0
    if at:
        at += isinstance(error, yaml.scanner.ScannerError)
    elif error.context_mark:
        at = error.context_mark.line
    return f"line {at}: " if at else ""


def _pieces(text: str) -> Iterator[str]:
    """The documents of a file as kubectl splits it (apimachinery util/yaml decoder.go, YAMLReader). Raises ValueError at a bad separator."""
    held: list[str] = []
    for line in text.split("\n"):
        if line.startswith("---"):
            after = line[3:].strip()
            if after and not after.startswith("#"):
                raise ValueError(f"invalid Yaml document separator: {after}")
            if held:
                yield "\n".join(held)
                held.clear()
                continue
        held.append(line)
    yield "\n".join(held)


def _documents(text: str, source: str, loader: type[Loader]) -> Iterator[Any]:
    if text.lstrip().startswith("{"):
        decoder, at = json.JSONDecoder(), 0
        values: list[Any] = []  # all of them or none: what is not JSON to its end is read as YAML, from its beginning
        try:
            while (found := INK.search(text, at)) is not None:
                at = found.start()
                if text.startswith("---", at):
                    at += 3
                    continue
                value, at = decoder.raw_decode(text, at)
                if _deep(value):
                    raise KubectlError(f"error: error parsing {source}: json: nested deeper than {MAX_DEPTH} levels\n")
                values.append(value)
            yield from values
            return
        except (json.JSONDecodeError, RecursionError):
            pass  # flow-style YAML starts with a brace too
    cut_off = text.lstrip().startswith("{") and json_fault(text) == "unexpected end of JSON input"
    try:
        for piece in _pieces(text):
            yield document(as_libyaml(AFTER_THE_END.sub("...\n", piece)), loader, aliases=True)
    except yaml.MarkedYAMLError as error:
        if cut_off:
            raise KubectlError(f"error: error parsing {source}: unexpected EOF\n") from error
        line = line_of(error)
        raise KubectlError(f"error: error parsing {source}: error converting YAML to JSON: yaml: "
                           f"{line}{error.problem}\n") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise KubectlError(f"error: error parsing {source}: error converting YAML to JSON: yaml: {error}\n") from error
    except ValueError as error:
        told = str(error) if str(error).startswith("invalid Yaml") else f"error converting YAML to JSON: yaml: {error}"
        raise KubectlError(f"error: error parsing {source}: {told}\n") from error


def read(files: Mapping[str, str], names: list[str], stdin: str | None, *, recursive: bool = False) -> tuple[list[Manifest], list[str]]:
    """The objects of `-f` arguments: file names, `-` for `stdin`, a directory for the files in it (`recursive`: below it).

    With them what is wrong with files that cannot be read to their ends: what stands before is done all the same (ContinueOnError).
    """
    found: list[Manifest] = []
    wrong: list[str] = []

    def take(text: str, source: str) -> None:
        try:
            found.extend(parse(text, source))
        except Unreadable as error:
            found.extend(error.before)
            wrong.append(error.text.removeprefix("error: ").removesuffix("\n"))

    for name in (one for text in names for one in text.split(",")):
        if name == "-":
            take(stdin or "", "STDIN")
            continue
        path = clean(name)
        if path in files:
            take(files[path], name)
            continue
        here = path in ("", ".")  # the home's files are listed by their absolute paths too
        inside = sorted(file for file in files if (not file.startswith("/") if here else file.startswith(path + "/")) and file.endswith((".yaml",
            ".yml", ".json"))
                        and (recursive or "/" not in file[0 if here else len(path) + 1:]))
        if not inside:
            if name.startswith(("http://", "https://")):
                raise KubectlError(f"error: unable to read URL \"{name}\": this cluster has no way to the Internet\n")
            directory = here or any(file.startswith(path + "/") for file in files)
            raise KubectlError(f"error: error reading [{name}]: recognized file extensions are [.json .yaml .yml]\n"
                               if directory else
                               f'error: the path "{name}" does not exist\n')
        for file in inside:
            take(files[file], file)
    return found, wrong


def clean(path: str) -> str:
    """A path as the learner's files are keyed."""
    whole = posixpath.normpath(path) if path else path
    return whole.removeprefix("./")
