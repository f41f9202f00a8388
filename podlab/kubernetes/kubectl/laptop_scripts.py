"""Scripts on a laptop, in virtual time: for recordings, exercises' solutions and tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .disk import HOME
from .laptop import Laptop

if TYPE_CHECKING:
    from ..engine import Engine


def run_script(cluster: Engine, text: str, *, files: dict[str, str] | None = None, limit_seconds: float = 3600) -> tuple[int, str]:
    """Run a shell script on a laptop while virtual time passes: (exit code, output); 124 when not over in `limit_seconds`."""
    code, output = run_lines(cluster, text, files=files, limit_seconds=limit_seconds)
    return code, "".join(part for _, part in output)


def run_lines(cluster: Engine, text: str, *, files: dict[str, str] | None = None, limit_seconds: float = 3600,
              namespace: str = "default") -> tuple[int, list[tuple[str, str]]]:
    """As `run_script`, with the output in its two streams: ("out" or "err", text), in order."""
    laptop = Laptop(cluster, lambda entry: cluster.apply({"at": cluster.now, **entry}), files, namespace=namespace, interactive=False)
    laptop.write_file(".script.sh", text)
    script = laptop.spawn(["bash", f"{HOME}/.script.sh"])
    deadline = cluster.now + round(limit_seconds * 1000)
    for _ in _driven(cluster, laptop, deadline):
        if laptop.ended(script) is not None:
            break
    code = laptop.ended(script)
    if code is None:
        laptop.node.forget_exec(script)
        laptop.advance()
    return 124 if code is None else code, laptop.take_output()


def _driven(cluster: Engine, laptop: Laptop, deadline: int) -> Iterator[None]:
    """Let time pass from one happening to the next, in the cluster or on the laptop, looking in between."""
    while True:
        laptop.advance()
        yield
        times = [at for at in (cluster.clock.next_at(), laptop.next_at()) if at is not None]
        if not times or min(times) > deadline:
            cluster.run_until(deadline)
            laptop.advance()
            yield
            return
        if cluster.clock.next_at() == min(times):
            cluster.step()
        else:
            cluster.run_until(max(cluster.now, min(times)))
