"""The manifests of a step are on the learner's machine once the step is reached: its commands and a wrong choice's show work at once."""

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from podlab.labs.live import CLUSTERS

pytestmark = pytest.mark.django_db(transaction=True)


def cookie() -> str:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


async def test_a_manifest_comes_with_its_step_and_not_before(settings: Any) -> None:
    from podlab.asgi import site

    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    value = await database_sync_to_async(cookie)()
    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}".encode()), (b"origin", b"http://127.0.0.1:8000"), (b"host", b"127.0.0.1:8000")]
    line = WebsocketCommunicator(site, "/ws/lessons/one-ip/", headers=headers)

    async def said(text: str, **message: Any) -> str:
        await line.send_to(json.dumps(message))
        shown = ""
        while text not in shown:
            shown += await line.receive_from(timeout=60)
        return shown

    assert (await line.connect(timeout=60))[0]
    await line.send_to(json.dumps({"action": "step", "step": "localhost"}))
    await said("does not exist", action="terminal", line="kubectl apply -f twins.yaml")
    await line.send_to(json.dumps({"action": "step", "step": "guess-clash"}))
    await said("pod/twins created", action="terminal", line="kubectl apply -f twins.yaml")
    await line.send_to(json.dumps({"action": "terminal", "line": "echo 내가 고친 것 > twins.yaml"}))
    await line.send_to(json.dumps({"action": "step", "step": "localhost"}))
    await line.send_to(json.dumps({"action": "step", "step": "guess-clash"}))
    await said("남은 줄 1", action="terminal", line="echo 남은 줄 $(grep -c 고친 twins.yaml)")  # what the learner wrote stays
    await line.disconnect()
    CLUSTERS._awake.clear()
