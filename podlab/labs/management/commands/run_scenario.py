"""`manage.py run_scenario FILE.yaml... --out DIR`: run scenarios in virtual time and write traces in the recordings' format."""

import json
import traceback
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError

from podlab.kubernetes import scenario


class Command(BaseCommand):
    help = "Run scenarios on a simulated cluster of the recorded shape; no server or database is needed"
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--out", type=Path, required=True, help="directory for NAME.json")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *, files: list[Path], out: Path, seed: int, **options: Any) -> None:
        out.mkdir(parents=True, exist_ok=True)
        failed: list[str] = []
        for file in files:
            try:
                wanted = yaml.safe_load(file.read_text(encoding="utf-8"))
            except (OSError, yaml.YAMLError) as error:
                raise CommandError(f"{file}: {error}") from error
            try:
                trace = scenario.run(wanted, seed)
            except Exception:  # one that cannot be run costs its own trace, not those of the others
                self.stderr.write(traceback.format_exc())
                failed.append(str(file))
                continue
            (out / f"{wanted['name']}.json").write_text(json.dumps(trace, ensure_ascii=False), encoding="utf-8")
            self.stdout.write(f"{wanted['name']}: {len(trace['watch'])} changes, {len(trace['steps'])} steps")
        if failed:
            raise CommandError(f"not run: {', '.join(failed)}")
