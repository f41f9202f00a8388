"""One file of a lesson, read strictly: what is missing, misspelt or of another type is a LessonError with file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lessons.prose import render, render_line, stray_marks
from lessons.schema import LessonError

NAME = re.compile(r"[a-z0-9-]+\Z")
Member = type | tuple[type, ...]


class Located(dict[Any, Any]):
    """A YAML map that remembers the line it began on, and the line of each key."""

    line = 1
    at: dict[Any, int]


class _Loader(yaml.CSafeLoader):  # libyaml: a tenth of the time
    first_line = 1  # of the text within its file

    def located(self, node: yaml.MappingNode) -> Located:
        found = Located()
        found.line, found.at = node.start_mark.line + self.first_line, {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in found:
                raise yaml.MarkedYAMLError(problem=f"키 {key!r}이(가) 두 번 나옵니다", problem_mark=key_node.start_mark)
            found[key] = self.construct_object(value_node, deep=True)
            found.at[key] = key_node.start_mark.line + self.first_line
        return found


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.located)


def _better_told(text: str, error: yaml.MarkedYAMLError) -> yaml.MarkedYAMLError:
    """PyYAML's own parser is slow, but tells the line of a mistake where libyaml tells the one after it."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as told:
        return told
    return error


class Source:
    """One file of a lesson, read strictly: `take` names every key that may be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, line: int, text: str) -> LessonError:
        return LessonError(f"{self.path.parent.name}/{self.path.name}", line, text)

    def text(self) -> str:
        """Raises LessonError for a file that is missing or no UTF-8."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise self.fail(1, "파일이 없습니다") from error
        except UnicodeDecodeError as error:
            raise self.fail(1, "UTF-8이 아닙니다") from error

    def yaml(self, text: str, first_line: int = 1) -> Any:
        loader = _Loader(text)
        loader.first_line = first_line
        try:
            return loader.get_single_data()
        except yaml.MarkedYAMLError as found:
            error = _better_told(text, found)
            line = error.problem_mark.line if error.problem_mark else 0
            raise self.fail(line + first_line, f"YAML이 아닙니다: {error.problem}") from error
        finally:
            loader.dispose()

    def entries(self) -> list[Any]:
        """The file's list of maps; a lesson may go without the file."""
        found = self.yaml(self.text()) if self.path.exists() else None
        if found is not None and not isinstance(found, list):
            raise self.fail(1, "목록(- 로 시작하는 줄들)이 와야 합니다")
        return found or []

    def take(self, entry: Any, required: Mapping[str, Member], optional: Mapping[str, Member], line: int = 1) -> Located:
        """A map whose members are of the types named; anything else is refused, at its line."""
        if not isinstance(entry, Located):
            raise self.fail(line, f"키와 값이 와야 할 곳에 {entry!r}이(가) 있습니다")
        known = {**required, **optional}
        for key, value in entry.items():
            if key not in known:
                raise self.fail(entry.at[key], f"모르는 키 {key!r}입니다. 쓸 수 있는 키: {', '.join(sorted(known))}")
            kinds = known[key] if isinstance(known[key], tuple) else (known[key],)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise self.fail(entry.at[key], f"{key}에는 {'/'.join(kind.__name__ for kind in kinds)} 값이 와야 합니다")
            if value == "":
                raise self.fail(entry.at[key], f"{key}이(가) 비어 있습니다")
        for key in required:
            if key not in entry:
                raise self.fail(entry.line, f"{key} 키가 빠졌습니다")
        return entry

    def html(self, line: int, text: str, *, block: bool = True) -> str:
        """Markdown as HTML. Raises LessonError for an emphasis that did not take."""
        html = render(text) if block else render_line(text)
        if stray := stray_marks(html):
            raise self.fail(line, f"강조(**)가 닫히지 않았습니다: '{stray}'. 닫는 ** 앞에 문장 부호를 두지 않습니다")
        return html

    def new_id(self, entry: Located, known: Mapping[str, Any]) -> None:
        """Raises LessonError for an id that is badly written or taken."""
        if not NAME.match(entry["id"]):
            raise self.fail(entry.at["id"], "id는 영어 소문자, 숫자, - 로 적습니다")
        if entry["id"] in known:
            raise self.fail(entry.at["id"], f"id {entry['id']}이(가) 겹칩니다")

    def files(self, entry: Located) -> dict[str, str]:
        """The member `files`: name -> text."""
        files = entry.get("files", {})
        for name, text in files.items():
            if not isinstance(name, str) or not isinstance(text, str):
                raise self.fail(entry.at["files"], "files는 파일 이름과 그 내용입니다")
        return dict(files)
