"""An exercise that breaks something, over the page's websocket: begun by its button, checked only then, timed, begun again after a reset."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from lessons.models import Attempt
from podlab.labs.live import CLUSTERS

pytestmark = pytest.mark.django_db(transaction=True)
STEP = "incident-typo"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    CLUSTERS._awake.clear()


def cookie() -> str:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Page:
    def __init__(self, value: str) -> None:
        from podlab.asgi import site

        headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}".encode()), (b"origin", b"http://127.0.0.1:8000"),
                   (b"host", b"127.0.0.1:8000")]
        self.line = WebsocketCommunicator(site, "/ws/lessons/incidents/", headers=headers)

    async def send(self, **message: Any) -> None:
        await self.line.send_to(json.dumps(message))

    async def until(self, text: str) -> str:
        shown = ""
        while text not in shown:
            shown += await self.line.receive_from(timeout=60)
        return shown


async def test_an_incident_begins_by_its_button_and_the_time_it_took_is_told(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    page = Page(await database_sync_to_async(cookie)())
    assert (await page.line.connect(timeout=60))[0]
    await page.send(action="step", step=STEP)
    await page.send(action="check", step=STEP)  # nothing to check yet
    await page.send(action="begin", step=STEP)
    assert "사건 다시 시작" in await page.until("확인하기")
    attempt = await Attempt.objects.aget(exercise="typo")
    assert (attempt.checks, attempt.solved) == (0, None)
    live = next(iter(CLUSTERS._awake.values()))
    assert live.engine.etcd.get("deployments", "default/cafe") is not None
    await page.send(action="reset")
    await page.until("처음으로 돌아왔습니다")
    assert live.engine.etcd.get("deployments", "default/cafe") is None
    await page.send(action="begin", step=STEP)
    await page.until("사건 다시 시작")
    assert live.engine.etcd.get("deployments", "default/cafe") is not None
    again = await Attempt.objects.aget(exercise="typo")
    assert again.started > attempt.started  # the clock stands at zero again
    await page.send(action="terminal", line="kubectl set image deployment/cafe web=podlab/web:1")
    await page.until("image updated")
    async with live.turn():
        live.engine.run_for(30)
    await page.send(action="check", step=STEP)
    assert "사건이 시작되고" in await page.until("해냈습니다")
    await page.line.disconnect()


async def test_one_undo_takes_back_the_whole_beginning_of_an_incident(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    page = Page(await database_sync_to_async(cookie)())
    assert (await page.line.connect(timeout=60))[0]
    step = "incident-config"  # it breaks by two objects
    await page.send(action="step", step=step)
    await page.send(action="terminal", line="kubectl create configmap mine")
    await page.until("configmap/mine created")
    await page.send(action="begin", step=step)
    await page.until("사건 다시 시작")
    await page.send(action="terminal", line="kubectl delete deployment menu")
    await page.until("deleted")
    await page.send(action="begin", step=step)  # once more: another act
    await page.until("사건 다시 시작")
    live = next(iter(CLUSTERS._awake.values()))
    for told, menu, settings_map in (("사건 시작", False, True), ("kubectl delete deployment menu", True, True), ("사건 시작", False, False)):
        await page.send(action="undo")
        await page.until(f"되돌렸습니다: {told}")
        assert (live.engine.etcd.get("deployments", "default/menu") is not None) == menu
        assert (live.engine.etcd.get("configmaps", "default/menu-settings") is not None) == settings_map
    assert live.engine.etcd.get("configmaps", "default/mine") is not None
    await page.line.disconnect()


async def test_what_was_typed_at_a_step_counts_when_the_learner_has_read_on_and_come_back(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    page = Page(await database_sync_to_async(cookie)())
    assert (await page.line.connect(timeout=60))[0]
    await page.send(action="step", step="symptom")
    await page.send(action="terminal", line="kubectl get nodes; kubectl get pods -o custom-columns=PHASE:.status.phase | head -n 1")
    await page.until("PHASE")
    await page.send(action="step", step=STEP)
    await page.send(action="begin", step=STEP)
    await page.until("사건 다시 시작")
    await page.send(action="terminal", line="kubectl set image deployment/cafe web=podlab/web:1")
    await page.until("image updated")
    await page.send(action="step", step="symptom")
    await page.send(action="step", step=STEP)
    async with next(iter(CLUSTERS._awake.values())).turn() as engine:
        engine.run_for(30)
    await page.send(action="step", step="symptom")  # read on once more before asking
    await page.send(action="check", step=STEP)
    assert "kubectl 명령 1번 만에" in await page.until("해냈습니다")
    await page.line.disconnect()
