"""Coming into a class: codes, rosters, second browsers."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from lessons.models import Answer, StepDone
from podlab.classroom import access, joining
from podlab.classroom.models import AuditEntry, Classroom, Membership
from podlab.labs import sessions
from podlab.labs.models import Cluster
from tests.classroom.conftest import PASSWORD, cookie_of, learner, seat, signed_in

pytestmark = pytest.mark.django_db


def join(code: str, name: str, number: str = "", client: Client | None = None):
    return (client or Client()).post("/join/", {"code": code, "name": name, "number": number})


def test_a_visitor_with_the_code_and_a_name_sits_in_the_class(classroom: Classroom) -> None:
    assert join(classroom.join_code, "하늘").status_code == 302
    assert [m.name for m in classroom.memberships.all()] == ["하늘"]


def test_a_learner_who_is_already_here_keeps_their_session(classroom: Classroom) -> None:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    join(classroom.join_code, "", client=client)
    assert Membership.objects.get().learner.nickname == "초록고래"
    assert Membership.objects.get().name == "초록고래"


@pytest.mark.parametrize("typed", ["{lower}", " {dashed} ", "{code}"])
def test_the_code_is_read_as_people_type_it(classroom: Classroom, typed: str) -> None:
    code = classroom.join_code
    assert join(typed.format(code=code, lower=code.lower(), dashed=f"{code[:3]}-{code[3:]}"), "하늘").status_code == 302


def test_wrong_expired_and_closed_codes_are_refused_alike(classroom: Classroom) -> None:
    wrong = join("ZZZZZZ", "하늘")
    classroom.join_until = timezone.now() - timedelta(seconds=1)
    classroom.save()
    expired = join(classroom.join_code, "하늘")
    classroom.join_until, classroom.closed = None, timezone.now()
    classroom.save()
    closed = join(classroom.join_code, "하늘")
    assert [one.status_code for one in (wrong, expired, closed)] == [422] * 3
    assert len({one.context["error"] for one in (wrong, expired, closed)}) == 1
    assert not Membership.objects.exists()


def test_guessed_codes_are_limited_by_address(classroom: Classroom) -> None:
    answers = [join(f"ZZZZ{n:02d}", "x").status_code for n in range(30)]
    assert answers[:20] == [422] * 20
    assert answers[-1] == 429
    assert join(classroom.join_code, "하늘").status_code == 429, "the right one is not told apart while the limit holds"


@pytest.mark.parametrize(("data", "lines"), [
    ("김하늘\n이바다\n", [("", "김하늘"), ("", "이바다")]),
    ("번호,이름\n1,김하늘\n2,이바다\n", [("1", "김하늘"), ("2", "이바다")]),
    ("\ufeff번호;이름\n1;김하늘\n", [("1", "김하늘")]),
    ("1\t김하늘\n\n2\t이바다", [("1", "김하늘"), ("2", "이바다")]),
    ("1,김하늘\r2,이바다\r", [("1", "김하늘"), ("2", "이바다")]),
    ("1\x00\u202e,김\x07하늘\n", [("1", "김하늘")]),
])
def test_a_roster_is_read_as_people_save_it(data: str, lines: list[tuple[str, str]]) -> None:
    assert [(line.number, line.name) for line in joining.read_roster(data.encode())] == lines


def test_a_roster_of_an_old_excel_is_read() -> None:
    assert joining.read_roster("1,김하늘".encode("cp949"))[0].name == "김하늘"


@pytest.mark.parametrize(("data", "word"), [
    (b"", "읽을 줄이 없습니다"), (b"\xff\xfe\x00\x01", "글자를 읽지 못했습니다"), (b"a,b,c,d\n", "1번째 줄"),
    (b'"' + b"x" * 150_000 + b'"', "1번째 줄을 읽지 못했습니다"),
    ("1,김\n1,김\n".encode(), "2번째 줄"), (b"x" * 300_000, "너무 큽니다"), ("\n".join(f"{n},n{n}" for n in range(600)).encode(), "너무 깁니다"),
])
def test_a_bad_roster_says_what_is_wrong_and_where(data: bytes, word: str) -> None:
    with pytest.raises(joining.RosterError, match=word):
        joining.read_roster(data)


def roster(classroom: Classroom, *lines: tuple[str, str], only: bool = True) -> None:
    classroom.roster_only = only
    classroom.save()
    joining.replace_roster(classroom, [joining.RosterLine(*line) for line in lines])


def test_with_a_roster_the_name_picks_the_seat(classroom: Classroom) -> None:
    roster(classroom, ("1", "김하늘"), ("2", "이바다"))
    assert join(classroom.join_code, "이바다").status_code == 302
    assert Membership.objects.get().number == "2"


def test_somebody_else_is_not_let_in_and_no_learner_is_made_for_them(classroom: Classroom) -> None:
    from podlab.labs.models import Learner

    roster(classroom, ("1", "김하늘"))
    assert join(classroom.join_code, "남").status_code == 422
    assert not Learner.objects.exists()


def test_a_seat_that_is_taken_is_not_given_twice(classroom: Classroom) -> None:
    roster(classroom, ("1", "김하늘"))
    join(classroom.join_code, "김하늘")
    assert "이미" in join(classroom.join_code, "김하늘").context["error"]


def test_two_of_one_name_are_told_apart_by_number(classroom: Classroom) -> None:
    roster(classroom, ("1", "김하늘"), ("2", "김하늘"))
    assert "번호" in join(classroom.join_code, "김하늘").context["error"]
    assert join(classroom.join_code, "김하늘", "2").status_code == 302


def test_a_new_roster_leaves_the_seats_of_those_who_stay(classroom: Classroom) -> None:
    roster(classroom, ("1", "김하늘"), ("2", "이바다"))
    join(classroom.join_code, "김하늘")
    roster(classroom, ("1", "김하늘"), ("3", "박솔"))
    assert [(e.name, e.membership is not None) for e in classroom.roster.all()] == [("김하늘", True), ("박솔", False)]


def test_who_was_removed_does_not_come_back_by_the_code(classroom: Classroom) -> None:
    found = seat(classroom, "하늘")
    joining.remove(found)
    assert access.present_membership(found.learner) is None
    with pytest.raises(joining.JoinRefused):
        joining.join(classroom, found.learner, "하늘")


def test_who_was_removed_is_let_in_again_by_the_teacher_alone(classroom: Classroom, teacher: User) -> None:
    roster(classroom, ("7", "하늘"))
    found = seat(classroom, "하늘")
    place, client = f"/teacher/classes/{classroom.pk}/people/{found.learner_id}/", signed_in(teacher)
    assert client.post(place, {"act": "readmit"}).status_code == 404, "who sits here was not removed"
    client.post(place, {"act": "remove"})
    assert "다시 들이기" in client.get(f"/teacher/classes/{classroom.pk}/people/").content.decode()
    assert client.post(place, {"act": "rename", "name": "바다"}).status_code == 404
    other = signed_in(User.objects.create_user("lee", password=PASSWORD))
    assert other.post(place, {"act": "readmit"}).status_code == 404
    assert client.post(place, {"act": "readmit"}).status_code == 302
    present = access.present_membership(found.learner)
    assert present == found
    assert classroom.roster.get().membership == found
    assert AuditEntry.objects.filter(what="readmitted", learner=found.learner, user=teacher).exists()


def test_people_stand_as_in_a_class_list_and_who_has_no_number_last(classroom: Classroom) -> None:
    roster(classroom, *((number, f"사람{number}") for number in ("10", "2", "2-10", "2-9", "1")), only=False)
    for name in ("하늘", "사람10", "사람2-10", "사람1", "바다", "사람2-9"):
        seat(classroom, name)
    assert [one.number for one in classroom.members()] == ["1", "2-9", "2-10", "10", "", ""]
    assert [one.name for one in classroom.members()][-2:] == ["바다", "하늘"]
    assert [one.number for one in classroom.missing()] == ["2"]


def test_a_person_who_came_twice_goes_on_as_one(classroom: Classroom) -> None:
    old, new = seat(classroom, "하늘"), seat(classroom, "하늘2")
    born = {"seed": 1, "epoch_ms": 0, "now_ms": 0, "engine_version": "1"}
    StepDone.objects.create(learner=old.learner, lesson="a", step="one")
    for step in ("one", "two"):
        StepDone.objects.create(learner=new.learner, lesson="a", step=step)
    Answer.objects.create(learner=new.learner, lesson="a", question="q", choice=0, correct=True)
    Cluster.objects.create(learner=old.learner, lesson="a", **born)
    later = Cluster.objects.create(learner=new.learner, lesson="a", **born)
    browser = Client()
    from django.conf import settings

    browser.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(new.learner)
    joining.merge(old, new)
    assert {s.step for s in StepDone.objects.filter(learner=old.learner)} == {"one", "two"}
    assert Answer.objects.get().learner == old.learner
    assert Cluster.objects.get().pk == later.pk
    assert browser.get("/").context["learner"] == old.learner, "the second browser goes on as the first"


def test_a_teacher_gives_somebody_a_new_resume_code(classroom: Classroom) -> None:
    found = learner("하늘")
    code = sessions.give_code(found)
    client = Client()
    client.post("/resume/", {"code": code})
    assert client.get("/").context["learner"] == found


def test_a_merge_hands_over_whatever_refers_to_the_second_seat_and_adds_up_what_both_have(classroom: Classroom) -> None:
    from lessons.models import Attempt, LessonTime
    from podlab.classroom.models import Assignment, Game, Suggestion, Team, TeamMember, Vote, Work
    from podlab.labs.models import Learner

    old, new = seat(classroom, "하늘"), seat(classroom, "하늘2")
    assignment = Assignment.objects.create(classroom=classroom, title="숙제", exercises="[]", opens=timezone.now())
    Work.objects.create(assignment=assignment, learner=old.learner, lesson="a", exercise="both", checks=2)
    Work.objects.create(assignment=assignment, learner=new.learner, lesson="a", exercise="both", checks=1, solved=timezone.now())
    Work.objects.create(assignment=assignment, learner=new.learner, lesson="a", exercise="only", checks=3)
    Attempt.objects.create(learner=old.learner, lesson="a", exercise="x", checks=1, hints=1)
    Attempt.objects.create(learner=new.learner, lesson="a", exercise="x", checks=1, hints=3, commands=7, solved=timezone.now())
    LessonTime.objects.create(learner=old.learner, lesson="a", seconds=10)
    LessonTime.objects.create(learner=new.learner, lesson="a", seconds=5)
    Suggestion.objects.create(membership=new, lesson="a", note="n")
    Vote.objects.create(classroom=classroom, learner=old.learner, lesson="a", question="q", choice=0)
    Vote.objects.create(classroom=classroom, learner=new.learner, lesson="a", question="q", choice=1)
    game = Game.objects.create(classroom=classroom, title="겨루기", lesson="a")
    team = Team.objects.create(game=game, name="고래", learner=Learner.objects.create(nickname="팀", resume_code_hash="t"))
    TeamMember.objects.create(game=game, team=team, membership=new)
    joining.merge(old, new)
    assert {(w.exercise, w.checks, w.solved is not None) for w in Work.objects.filter(learner=old.learner)} == {("both", 3, True), ("only", 3, False)}
    attempt = Attempt.objects.get()
    assert (attempt.learner, attempt.checks, attempt.hints, attempt.commands) == (old.learner, 2, 3, 7)
    assert LessonTime.objects.get().seconds == 15
    assert Suggestion.objects.get().membership == old
    assert Vote.objects.get().choice == 0, "the first vote counts"
    assert TeamMember.objects.get().membership == old
    assert list(classroom.memberships.all()) == [old]
