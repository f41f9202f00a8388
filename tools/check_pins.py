"""Check what a fresh machine would fetch: versions exact, locks complete, no package registry named in a tracked file."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXACT_PYTHON = re.compile(r"[a-z0-9-]+(\[[a-z,]+\])?==[0-9][0-9a-z.]*")
EXACT_NPM = re.compile(r"\d+\.\d+\.\d+")
REGISTRY_HOST = re.compile(r"registry\.npmj[s]\.org|pypi\.or[g]|pythonhosted\.or[g]|deb\.debian\.or[g]|registry\.yarnpkg\.co[m]")


def requirement_lines(name: str) -> list[str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("-r ")]


def python_problems() -> list[str]:
    problems = []
    locked: dict[str, str] = {}
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-node.txt"):
        for line in requirement_lines(name):
            if not EXACT_PYTHON.fullmatch(line):
                problems.append(f"{name}: {line!r} is not one exact version")
            package, _, version = line.partition("==")
            if locked.setdefault(package, version) != version:
                problems.append(f"{name}: {package} is pinned to {version} and to {locked[package]}")
    for name in ("requirements.in", "requirements-dev.in"):
        for line in requirement_lines(name):
            package = re.split(r"[\[=<>]", line)[0].lower()
            version = line.partition("==")[2]
            if package not in locked or (version and locked[package] != version):
                problems.append(f"{name}: {line} differs from the compiled file; run `make lock`")
    return problems


def npm_problems() -> list[str]:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    wished = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    problems = [
        f"package.json: {name} {version} is not exact" for name, version in wished.items() if not EXACT_NPM.fullmatch(version)
    ]
    for name, version in wished.items():
        if lock["packages"].get(f"node_modules/{name}", {}).get("version") != version:
            problems.append(f"package-lock.json: {name} is not at {version}; run `make lock`")
    for path, entry in lock["packages"].items():
        if "resolved" in entry:
            problems.append(f"package-lock.json: {path} names the host it came from")
        if path and "integrity" not in entry:
            problems.append(f"package-lock.json: {path} has no integrity hash")
    return problems


def registry_problems() -> list[str]:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    problems = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and REGISTRY_HOST.search(path.read_text(errors="ignore")):
            problems.append(f"{name}: names a package registry's host")
    return problems


def main() -> int:
    problems = python_problems() + npm_problems() + registry_problems()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"pins: {len(problems)} problems" if problems else "pins: every version exact, no registry named")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
