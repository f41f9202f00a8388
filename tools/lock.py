"""Compile requirements*.in to requirements*.txt: every package they bring, each at one exact version.

Run by `make lock` with the project's own interpreter. Asks pip to resolve without installing, so the result is what a fresh
environment would get today.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Compiled by `make lock` from {source}: edit that file instead.\n"


def resolve(source: Path, constraint: Path | None = None) -> dict[str, str]:
    """Names and versions that pip would install for `source`, kept to the pins of `constraint` if given."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", report.name, "-r", str(source)]
        if constraint:
            command += ["-c", str(constraint)]
        subprocess.run(command, check=True, cwd=ROOT)
        installs = json.loads(Path(report.name).read_text())["install"]
    found = {item["metadata"]["name"]: item["metadata"]["version"] for item in installs}
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found.items()}


def write(target: Path, source: Path, packages: dict[str, str], first_line: str = "") -> None:
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
    target.write_text(HEADER.format(source=source.name) + first_line + lines)
    print(f"{target.name}: {len(packages)} packages")


def main() -> None:
    runtime_source, runtime_target = ROOT / "requirements.in", ROOT / "requirements.txt"
    runtime = resolve(runtime_source)
    write(runtime_target, runtime_source, runtime)
    dev_source = ROOT / "requirements-dev.in"
    everything = resolve(dev_source, runtime_target)
    dev = {name: version for name, version in everything.items() if name not in runtime}
    write(ROOT / "requirements-dev.txt", dev_source, dev, "-r requirements.txt\n")


if __name__ == "__main__":
    main()
