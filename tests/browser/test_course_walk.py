"""Every lesson as a new learner goes through it, in a real browser: each step comes into view, each command of the prose goes into the
terminal by its button, each question is answered wrong and then right, each exercise is solved by typing; at the end every dot is on."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from lessons import library
from lessons.schema import Lesson, Step
from tests.browser.harness import HANG, PHONE, WIDE, allow_error, assert_fits
from tests.browser.lab_page import answered, begin, noticed

pytestmark = pytest.mark.browser
LESSONS = library.lessons()
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.slug for lesson in LESSONS])

ACTS_A_SECOND = 9  # that the page may send: a learner's limit is 10 (settings.py, LEARNER_ACTS_PER_SECOND)
BURST = 30  # of 40, so that what one act sends has room (LEARNER_ACTS_BURST)
ENDLESS = re.compile(r"\bget\b.*\s(-w|--watch)\b|\blogs\b.*\s(-f|--follow)\b")  # what only Ctrl C ends
CLOCK_MS = 240_000  # real time for what the simulated clock brings, a command's end or a step's: at sixteen times the pace, an hour


class Walker:
    """One page and what it has sent. A learner is slower than this test: it keeps to the pace that one page may have."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent: list[str] = []
        self.room, self.at, self.counted = float(BURST), time.monotonic(), 0
        self.seen = False  # what the first wrong choice offers to see
        page.on("websocket", lambda socket: socket.on("framesent", lambda payload: self.sent.append(str(payload))))

    def breathe(self) -> None:
        """Wait until the page may send more: what it did not send in a pause is not saved up, beyond a burst."""
        while True:
            now, sent = time.monotonic(), len(self.sent)
            self.room = min(BURST, self.room + ACTS_A_SECOND * (now - self.at)) - (sent - self.counted)
            self.at, self.counted = now, sent
            if self.room >= 0:
                return
            self.page.wait_for_timeout(50)

    def begin(self, lesson: Lesson) -> None:
        begin(self.page, lesson.slug)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(lesson.title)

    def reach(self, step: Step) -> None:
        """Scroll until the step is the one being read: again where the prose has grown above it before it was."""
        told = f'"step":"{step.id}"'
        deadline = time.monotonic() + HANG
        while True:
            self.page.evaluate("""(id) => {
                const prose = document.getElementById('main'), step = document.getElementById(id);
                prose.scrollTop += step.getBoundingClientRect().top - prose.getBoundingClientRect().top - prose.clientHeight * .3;
            }""", f"step-{step.id}")
            if any('"action":"step"' in frame and told in frame for frame in self.sent):
                return
            assert time.monotonic() < deadline, f"{step.id} was never the present step"
            self.page.wait_for_timeout(20)

    def enter(self, line: str) -> None:
        """What is in the prompt's line is entered, and has ended."""
        self.breathe()
        self.page.locator("#terminal-input").press("Enter")
        answered(self.page)
        if ENDLESS.search(line):
            self.page.wait_for_timeout(500)
            if self.page.locator("#terminal-prompt").get_attribute("data-busy"):
                self.page.locator("#terminal-input").press("Control+c")
        expect(self.page.locator("#terminal-prompt"), line).to_have_attribute("data-busy", "", timeout=CLOCK_MS)

    def take(self, button: Locator) -> None:
        """Press one of the prose's buttons and see what it does through."""
        self.breathe()
        attributes = button.evaluate("(e) => ({...e.dataset})")
        button.click()
        if "type" in attributes:
            expect(self.page.locator("#terminal-input")).to_have_value(attributes["type"])
            self.enter(attributes["type"])
        elif "yaml" in attributes:
            expect(self.page.locator("#yaml-file")).to_have_value(attributes["yamlName"])
            expect(self.page.locator("#yaml-editor .cm-content")).to_be_visible()
        elif "why" in attributes:
            expect(self.page.locator("#inspector .why h3")).not_to_be_empty()
        elif "open" in attributes:
            expect(self.page.locator("#browser-url")).to_have_value(re.compile("^http"))  # there, or where it was sent on to
        elif "send" in attributes:
            answered(self.page)

    def question(self, fieldset: Locator, right: int) -> None:
        """A wrong choice is told why, and the lesson's first one is seen in the cluster; then the right one."""
        for index in (1 - min(right, 1), right):
            self.breathe()
            choice = fieldset.locator(".choice").nth(index)
            choice.locator("> button").click()
            expect(choice).to_have_class(re.compile("right" if index == right else "wrong"))
            expect(choice.locator("> p")).not_to_be_empty()
            if index != right:
                show = choice.get_by_role("button", name="직접 보기")
                expect(show).to_be_visible()
                if not self.seen:
                    self.seen = True
                    self.take(show)
        expect(fieldset).to_have_class(re.compile("solved"))

    def exercise(self, step: Step) -> None:
        """Begun by its button if it has one, typed as solution.sh has it, and asked for until time has done the rest."""
        assert step.exercise
        found = self.page.locator(f"#exercise-{step.exercise.id}")
        if step.exercise.begins:
            self.breathe()
            found.get_by_role("button", name="사건 시작", exact=True).click()
            expect(found.get_by_role("button", name="확인하기")).to_be_visible()
        box = self.page.locator("#terminal-input")
        self.page.get_by_role("tab", name="터미널").click()
        box.fill(step.exercise.solution)
        self.enter(step.exercise.solution)
        self.until_solved(step)

    def until_solved(self, step: Step) -> None:
        assert step.exercise
        found = self.page.locator(f"#exercise-{step.exercise.id}")
        deadline = time.monotonic() + CLOCK_MS / 1000
        while not found.locator(".finish").count():
            self.breathe()
            found.get_by_role("button", name="확인하기").click()
            answered(self.page)
            assert time.monotonic() < deadline, self.told(step)
            self.page.wait_for_timeout(100)

    def do(self, step: Step) -> None:
        self.reach(step)
        section = self.page.locator(f"#step-{step.id}")
        for button in section.locator(".text :is([data-type], [data-yaml], [data-why], [data-open], [data-send])").all():
            self.take(button)
        for question in step.questions:
            right = next(index for index, choice in enumerate(question.choices) if choice.correct)
            self.question(section.locator(f"#question-{question.id}"), right)
        if step.exercise:
            self.exercise(step)
        if not (step.questions or step.exercise or step.conditions):
            section.locator("[data-reads]").evaluate("(mark) => mark.scrollIntoView({block: 'center'})")
        expect(self.page.locator(f"#done-{step.id}"), self.told(step)).to_have_class("on", timeout=CLOCK_MS)

    def told(self, step: Step) -> str:
        """What a step that is never done shows, for whoever reads the failure."""
        checks = self.page.locator(f"#step-{step.id} .checks li").all_inner_texts()
        return f"{step.id}: {checks}; the terminal ends in {self.page.locator('#terminal-log').inner_text()[-600:]!r}"


@every_lesson
def test_every_lesson_is_walked_to_its_end(lesson: Lesson, new_page: Callable[..., Page]) -> None:
    page = new_page(WIDE, reduced_motion="reduce")  # what nobody watches need not glide
    allow_error(page, "status of 404")  # the browser tab's frame, when it is sent on before it was fetched: a tab keeps its latest page only
    walker = Walker(page)
    walker.begin(lesson)
    page.get_by_role("button", name="16배로").click()
    for step in lesson.steps:
        walker.do(step)
    expect(page.locator("#dots i.on")).to_have_count(len(lesson.steps))
    noticed(page, "모든 걸음을 마쳤습니다")
    assert_fits(page)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the page itself scrolls beside its columns"


@every_lesson
def test_every_lesson_begins_well_on_a_phone(lesson: Lesson, new_page: Callable[..., Page]) -> None:
    page = new_page(PHONE)
    Walker(page).begin(lesson)
    assert_fits(page)
    first = page.locator(".text [data-type]").first
    line = first.get_attribute("data-type") or ""
    first.click()
    expect(page.locator("#terminal-input")).to_have_value(line)
    page.get_by_role("button", name="실행", exact=True).click()
    expect(page.locator("#terminal-log .t-in")).to_contain_text(line)
    expect(page.locator("#terminal-log :is(.t-out, .t-err)").first).to_be_attached()
    assert_fits(page)


def edit(page: Page, name: str, text: str) -> None:
    """The step's file is there in the YAML editor; it gets another text and is applied by its button."""
    page.get_by_role("tab", name="YAML").click()
    page.locator("#yaml-file").select_option(name)
    editor = page.locator("#yaml-editor .cm-content")
    editor.press("Control+a")
    editor.press("Delete")  # filled over coloured text, the browser would style what it puts there, and the page forbids that
    editor.fill(text)
    page.get_by_role("button", name="적용하기").click()
    expect(page.locator("#terminal-log")).to_contain_text(re.compile(r"pod/\w+ created"))


def pick(page: Page, ref: str, item: str) -> None:
    """What the diagram's menu offers for an object that runs."""
    drawn = page.locator(f'#board [data-ref="{ref}"]')
    expect(drawn).to_have_class(re.compile("is-running"))
    drawn.click(position={"x": 12, "y": 12})
    page.get_by_role("menu").get_by_role("menuitem", name=item).click()


BY_THE_DIAGRAM: list[tuple[str, str, Callable[[str], str], str, str]] = [  # lesson, exercise, how its file is mended, what is picked, its act
    ("what-is-a-container", "keeper", lambda text: re.sub(r".*command:.*\n", "", text), "pods/default/keeper#web", "프로세스 죽이기"),
    ("lifecycle", "closer",
     lambda text: text.replace("Seconds: 10", "Seconds: 30").replace("['sh', '-c', 'sh /app/serve.sh; echo 끝났습니다']", "['sh', '/app/serve.sh']"),
     "pods/default/closer", "파드 지우기"),
]


@pytest.mark.parametrize(("slug", "name", "mend", "ref", "act"), BY_THE_DIAGRAM, ids=[name for _, name, *_ in BY_THE_DIAGRAM])
def test_an_exercise_is_solved_by_the_editor_and_the_diagram_without_a_typed_command(
    slug: str, name: str, mend: Callable[[str], str], ref: str, act: str, new_page: Callable[..., Page]
) -> None:
    lesson = next(lesson for lesson in LESSONS if lesson.slug == slug)
    step = next(step for step in lesson.steps if step.exercise and step.exercise.id == name)
    assert step.exercise
    page = new_page(WIDE)
    walker = Walker(page)
    walker.begin(lesson)
    walker.reach(step)
    answered(page)
    edit(page, f"{name}.yaml", mend(step.exercise.files[f"{name}.yaml"]))
    pick(page, ref, act)
    page.get_by_role("button", name="16배로").click()
    walker.until_solved(step)


def test_a_node_is_turned_off_and_on_again_by_the_diagram(new_page: Callable[..., Page]) -> None:
    lesson = next(lesson for lesson in LESSONS if lesson.slug == "controllers")
    step = next(step for step in lesson.steps if step.id == "back")
    page = new_page(WIDE)
    walker = Walker(page)
    walker.begin(lesson)
    walker.reach(step)
    node = page.locator('#board [data-ref="nodes/node-2"]')
    for act in ("전원 끄기", "전원 켜기"):
        node.click(position={"x": 40, "y": 20})
        page.get_by_role("menu").get_by_role("menuitem", name=act).click()
        if act == "전원 끄기":
            page.get_by_role("button", name="16배로").click()
            hermit = page.locator('#board [data-ref="pods/default/hermit"]')
            expect(hermit).to_contain_text("Terminating", timeout=CLOCK_MS)  # after 50 + 300 seconds
    expect(hermit).to_have_count(0, timeout=CLOCK_MS)
    expect(page.locator(f"#step-{step.id} .checks li").first).to_have_class("yes", timeout=CLOCK_MS)
