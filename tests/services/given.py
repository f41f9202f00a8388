"""`python -m tests.services.given`: a learner with a cluster in the database of a running server. Prints the cluster's API token.

Run in a process of its own, with the server's PODLAB_DATA.
"""

import os
import secrets

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
django.setup()

from lessons import library  # noqa: E402
from podlab.api import tokens  # noqa: E402
from podlab.labs.births import EPOCH_MS, birth  # noqa: E402
from podlab.labs.models import Cluster, Learner  # noqa: E402
from podlab.labs.storage import ENGINE_VERSION  # noqa: E402

RATE = 4.0  # virtual seconds a real second: tests wait less


def make() -> str:
    lesson = library.lessons()[0].slug
    learner = Learner.objects.create(nickname="학습자", resume_code_hash=secrets.token_hex(32))
    facts = {"seed": birth(lesson).seed, "epoch_ms": EPOCH_MS, "now_ms": EPOCH_MS, "engine_version": ENGINE_VERSION, "rate": RATE}
    return tokens.issue(Cluster.objects.create(learner=learner, lesson=lesson, **facts))


if __name__ == "__main__":
    print(make())
