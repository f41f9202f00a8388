"""`manage.py ask MANIFESTS.json --out ANSWERS.json`: what the API server says to each of a list of {name, object}."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from podlab.kubernetes import ask


class Command(BaseCommand):
    help = "Answer a list of manifests as the API server does; no server or database is needed"
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("manifests", type=Path)
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *, manifests: Path, out: Path, **options: Any) -> None:
        try:
            questions = json.loads(manifests.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{manifests}: {error}") from error
        cluster = ask.cluster()
        answers = [ask.ask(cluster, question["name"], question["object"]) for question in questions]
        out.write_text(json.dumps(answers, ensure_ascii=False, indent=1), encoding="utf-8")
        self.stdout.write(f"{len(answers)} answered")
