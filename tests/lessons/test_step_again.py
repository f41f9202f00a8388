"""이 걸음 다시, over the page's websocket: the cluster as it stood when the learner came to the step, also after a reload, an undo, a reset."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from podlab.labs.live import CLUSTERS
from tests.lessons.test_incidents import Page, cookie, nothing_left

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["nothing_left"]  # a fixture for every test here too
BACK, NOTHING = "이 걸음에 왔을 때로 돌아왔습니다", "이 걸음에 온 뒤로 한 일이 없습니다"


class Learner(Page):
    async def open(self) -> "Learner":
        assert (await self.line.connect(timeout=60))[0]
        return self

    async def make(self, *names: str) -> None:
        for name in names:
            await self.send(action="terminal", line=f"kubectl create configmap {name}")
            await self.until(f"configmap/{name} created")

    async def again(self, told: str) -> None:
        await self.send(action="again")
        await self.until(told)

    def made(self) -> set[str]:
        live = next(iter(CLUSTERS._awake.values()))
        return {one["metadata"]["name"] for one in live.engine.etcd.list("configmaps", "default")} & set("abcd")


@pytest.fixture
async def value(settings: Any) -> str:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    return await database_sync_to_async(cookie)()


async def test_what_was_done_at_a_step_is_taken_back_and_what_was_done_before_stays(value: str) -> None:
    page = await Learner(value).open()
    await page.send(action="step", step="symptom")
    await page.make("a")
    await page.send(action="step", step="incident-typo")
    await page.again(NOTHING)
    await page.make("b", "c")
    await page.again(BACK)
    assert page.made() == {"a"}
    await page.make("d")
    await page.again(BACK)  # the step begins where it began the first time
    assert page.made() == {"a"}
    await page.send(action="step", step="symptom")
    await page.again(BACK)
    assert page.made() == set()
    await page.line.disconnect()


async def test_a_step_s_beginning_outlives_the_page_and_the_process(value: str) -> None:
    page = await Learner(value).open()
    await page.make("a")
    await page.send(action="step", step="symptom")
    await page.make("b")
    await page.line.disconnect()
    CLUSTERS._awake.clear()
    page = await Learner(value).open()
    await page.send(action="step", step="symptom")
    await page.make("c")
    assert page.made() == {"a", "b", "c"}
    await page.again(BACK)
    assert page.made() == {"a"}
    await page.line.disconnect()


async def test_undo_and_reset_do_not_count_a_moment_of_the_bookkeeping_as_an_act(value: str) -> None:
    page = await Learner(value).open()
    await page.make("a")
    await page.send(action="step", step="symptom")
    await page.send(action="undo")
    await page.until("되돌렸습니다: kubectl create configmap a")
    await page.make("b")
    await page.again(BACK)  # the step begins anew where the undo has led
    assert page.made() == set()
    await page.make("b")
    await page.send(action="reset")
    await page.until("처음으로 돌아왔습니다")
    await page.make("c")
    await page.again(BACK)
    assert page.made() == set()
    await page.send(action="undo")
    await page.until("되돌릴 일이 없습니다")
    await page.line.disconnect()


async def test_where_several_share_a_cluster_a_step_begins_anew_for_each_after_an_undo_of_another(value: str) -> None:
    one, two = await Learner(value).open(), await Learner(value).open()
    for page in (one, two):
        await page.send(action="step", step="symptom")
    await one.make("a")
    await two.send(action="reset")
    await two.until("처음으로 돌아왔습니다")
    await one.make("b")
    await one.again(BACK)
    assert one.made() == set()
    for page in (one, two):
        await page.line.disconnect()
