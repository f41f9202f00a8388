"""The laptop's files as kubectl sees them: text by path, as its working directory makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..runtime.process import Errno
from ..runtime.system import Sys

HOME = "/root"
MAX_FILES = 500


class Disk(Mapping[str, str]):
    """Files by relative or absolute path; iterating gives those below the working directory, then the home's by absolute path."""

    def __init__(self, sys: Sys, cwd: str) -> None:
        self._sys, self._cwd = sys, cwd

    def _path(self, path: str) -> str:
        if path.startswith("~/"):
            return HOME + path[1:]
        return path if path.startswith("/") else f"{self._cwd}/{path}"

    def __getitem__(self, path: str) -> str:
        try:
            return self._sys.read_file(self._path(path))
        except Errno as error:
            raise KeyError(path) from error

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.get(path) is not None

    def __iter__(self) -> Iterator[str]:
        yield from self.below(self._cwd)
        yield from (f"{HOME}/{path}" for path in self.below(HOME))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def inside(self, directory: str) -> dict[str, str]:
        """The files in and under a directory that a command names, by their paths relative to it."""
        return {name: self[f"{directory}/{name}"] for name in self.below(self._path(directory))}

    def below(self, directory: str) -> list[str]:
        """Paths of the files in and under a directory, relative to it."""
        found: list[str] = []
        todo = [""]
        while todo and len(found) < MAX_FILES:
            prefix = todo.pop(0)
            try:
                names = sorted(self._sys.listdir(f"{directory}/{prefix}"))
            except Errno:
                continue
            for name in names:
                where = self._sys.find(f"{directory}/{prefix}{name}")
                if where is not None and where.is_dir:
                    todo.append(f"{prefix}{name}/")
                elif where is not None and where.inode["t"] == "f":
                    found.append(prefix + name)
        return found

    def write(self, path: str, text: str) -> None:
        """Put a file there, making directories on the way."""
        whole = self._path(path)
        steps = whole.split("/")[1:-1]
        for i in range(1, len(steps) + 1):
            directory = "/" + "/".join(steps[:i])
            if self._sys.find(directory) is None:
                self._sys.mkdir(directory)
        self._sys.write_file(whole, text)
