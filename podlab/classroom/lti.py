"""A learning platform sends its users: LTI 1.3 login, launch and our keys. PyLTI1p3 checks the launch; who it lets in, and how often, is ours.

State and nonce are one row that a launch takes away, so that the same launch never works twice, in this process or another. What is
refused is written down. Launches open in a window of their own (docs/decisions/lti.md says why).
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from pylti1p3.contrib.django import DjangoMessageLaunch, DjangoOIDCLogin
from pylti1p3.contrib.django.request import DjangoRequest
from pylti1p3.contrib.django.session import DjangoSessionService
from pylti1p3.deployment import Deployment
from pylti1p3.exception import LtiException
from pylti1p3.registration import Registration
from pylti1p3.tool_config.abstract import ToolConfAbstract

from podlab.classroom import access, grades, joining, rooms
from podlab.classroom.models import Assignment, Classroom, GradeLine, LaunchPass, Membership, Platform, PlatformUser
from podlab.classroom.platforms import SCORE_SCOPE, Patient, registration_of
from podlab.labs import limits, sessions
from podlab.labs.models import Learner

logger = logging.getLogger(__name__)

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
TEACHERS = ("#Instructor", "#Administrator", "#ContentDeveloper")
PASS_MINUTES = 10  # from the login to the launch
LOGINS_PER_MINUTE, REFUSED_PER_MINUTE = 600, 60  # from one address: a school comes in by one, and each login is a row for PASS_MINUTES
MUST_HAVE = {"verify_aud": False, "require": ["exp", "iat", "aud", "iss"]}  # PyLTI1p3 compares the audience itself


class Refused(Exception):
    """Why a launch that is genuine leads nowhere, as a Korean sentence."""


class Tool(ToolConfAbstract[DjangoRequest]):
    """The registrations as rows. One platform may have several client ids."""

    def check_iss_has_one_client(self, iss: str) -> bool:
        return False

    def check_iss_has_many_clients(self, iss: str) -> bool:
        return True

    def find_registration_by_issuer(self, iss: str, *arguments: Any, **options: Any) -> Registration:
        raise LtiException("client_id is missing")

    def find_registration_by_params(self, iss: str, client_id: str, *arguments: Any, **options: Any) -> Registration:
        found = Platform.objects.filter(issuer=iss, client_id=client_id or "").first()
        if found is None:
            raise LtiException("This platform is not registered")
        return registration_of(found)

    def find_deployment(self, iss: str, deployment_id: str) -> Deployment | None:
        return None

    def find_deployment_by_params(self, iss: str, deployment_id: str, client_id: str, *arguments: Any, **options: Any) -> Deployment | None:
        found = Platform.objects.filter(issuer=iss, client_id=client_id).first()
        known = found is not None and deployment_id in json.loads(found.deployments)
        return Deployment().set_deployment_id(deployment_id) if known else None


class Passes(DjangoSessionService):
    """State and nonce as rows instead of in the session; of a launch itself nothing is kept."""

    def __init__(self, request: HttpRequest, state: str, platform: Platform | None = None) -> None:
        super().__init__(DjangoRequest(request))
        self.state, self.platform = state, platform

    def save_nonce(self, nonce: str) -> None:
        assert self.platform is not None
        LaunchPass.objects.filter(created__lt=timezone.now() - timedelta(minutes=PASS_MINUTES)).delete()
        LaunchPass.objects.create(platform=self.platform, state=self.state, nonce=nonce)

    def check_nonce(self, nonce: str) -> bool:
        """Takes the row away: of two launches with the same one, the second finds nothing."""
        fresh = timezone.now() - timedelta(minutes=PASS_MINUTES)
        found = LaunchPass.objects.filter(state=self.state, nonce=str(nonce), created__gte=fresh).select_related("platform").first()
        if found is None or not LaunchPass.objects.filter(pk=found.pk).delete()[0]:
            return False
        self.platform = found.platform
        return True

    def check_state_is_valid(self, state: str, id_token_hash: str) -> bool:
        return False  # the cookie decides

    def set_state_valid(self, state: str, id_token_hash: str) -> None:
        """Nothing: a state is valid once."""

    def save_launch_data(self, key: str, jwt_body: Any) -> None:
        """Nothing: it would be personal data in a cookie."""


class Login(DjangoOIDCLogin):
    def __init__(self, request: HttpRequest, platform: Platform) -> None:
        self.key = str(uuid4())
        super().__init__(request, Tool(), session_service=Passes(request, f"state-{self.key}", platform))

    def _get_uuid(self) -> str:
        return self.key


@csrf_exempt
@require_http_methods(["GET", "POST"])
@never_cache
def login(request: HttpRequest) -> HttpResponse:
    """A platform announces a user; we send the browser back to it for the launch."""
    try:
        sessions.count_attempt(request, "lti-login", LOGINS_PER_MINUTE)
    except sessions.TooManyAttempts:
        return _too_many(request)
    told = request.POST if request.method == "POST" else request.GET
    platform = Platform.objects.filter(issuer=limits.writable(told.get("iss", "")))
    if told.get("client_id"):
        platform = platform.filter(client_id=limits.writable(told["client_id"]))
    found = platform.first() if platform.count() == 1 else None
    if found is None or not told.get("login_hint"):
        return _refuse(request, f"login from {told.get('iss', '')[:120]}", "등록되지 않은 학습 관리 시스템입니다.")
    if not told.get("client_id"):  # only one is meant
        told = request.GET.copy()
        told["client_id"] = found.client_id
        request.GET = told
    answer: HttpResponse = Login(request, found).redirect(request.build_absolute_uri(reverse("lti-launch")))
    return answer


@csrf_exempt
@require_POST
@never_cache
def launch(request: HttpRequest) -> HttpResponse:
    """The platform's word on who comes and where to. Checked, then the learner is signed in and seated."""
    try:
        sessions.check_attempts(request, "lti", REFUSED_PER_MINUTE)
    except sessions.TooManyAttempts:
        return _too_many(request)
    passes = Passes(request, request.POST.get("state", ""))
    checked = DjangoMessageLaunch(request, Tool(), session_service=passes, requests_session=Patient()).set_jwt_verify_options(MUST_HAVE)
    try:
        data = dict(checked.validate().get_launch_data())
        if passes.platform is None or (passes.platform.issuer, passes.platform.client_id) != (data["iss"], checked.get_client_id()):
            raise LtiException("The login was another platform's")
        if not checked.is_resource_launch():
            raise LtiException("Only resource links are launched here")
    except (LtiException, KeyError, ValueError, TypeError, AssertionError, AttributeError) as error:
        return _refuse(request, str(error), "이 요청을 확인하지 못했습니다. 학습 관리 시스템에서 링크를 다시 눌러 주세요.")
    try:
        return _enter(request, passes.platform, data)
    except (Refused, joining.JoinRefused) as refused:
        return _refuse(request, f"{passes.platform}: no seat", str(refused))


def _too_many(request: HttpRequest) -> HttpResponse:
    return render(request, "classroom/launch_refused.html", {"told": "잠시 너무 많이 시도했습니다. 1분 뒤에 다시 해 주세요."}, status=429)


def _refuse(request: HttpRequest, detail: str, told: str) -> HttpResponse:
    """Written down, but not without end: anybody may send anything here."""
    try:
        sessions.count_attempt(request, "lti", REFUSED_PER_MINUTE)
    except sessions.TooManyAttempts:
        return _too_many(request)
    logger.warning("An LTI request was refused: %s", detail[:200])
    access.audit(None, "launch-refused", detail=detail)
    return render(request, "classroom/launch_refused.html", {"told": told}, status=403)


def _enter(request: HttpRequest, platform: Platform, data: dict[str, Any]) -> HttpResponse:
    custom = data.get(CLAIM + "custom") or {}
    classroom = joining.find_open(str(custom.get("class", "")))
    if classroom is None:
        raise Refused("이 링크의 교실이 열려 있지 않습니다. 링크의 사용자 정의 값 class에 참여 코드를 적어야 합니다.")
    if any(str(role).endswith(TEACHERS) for role in data.get(CLAIM + "roles") or ()):
        return redirect("classroom", classroom.pk)  # which asks for the teacher's own sign-in
    assignment = _assignment(classroom, custom.get("assignment"))
    with transaction.atomic():
        member, user = _seat(platform, str(data["sub"]), str(data.get("name") or ""), classroom)
    _grade_line(user, member, assignment, data.get(AGS) or {})
    sessions.sign_in(request, member.learner)
    access.audit(classroom, "launched", learner=member.learner)
    rooms.tell(classroom)
    return redirect("lesson", assignment.items[0][0]) if assignment is not None and assignment.items else redirect("home")


def _assignment(classroom: Classroom, number: Any) -> Assignment | None:
    """The assignment that the link names, of this class."""
    if number in (None, ""):
        return None
    found = classroom.assignments.filter(pk=int(text)).first() if (text := str(number)[:18]).isdecimal() else None
    if found is None:
        raise Refused("이 링크의 과제가 이 교실에 없습니다.")
    return found


def _seat(platform: Platform, subject: str, name: str, classroom: Classroom) -> tuple[Membership, PlatformUser]:
    """The user's learner, made at their first launch, in the class. Raises JoinRefused."""
    user = PlatformUser.objects.select_related("learner__merged_into").filter(platform=platform, subject=subject).first()
    if user is None:
        nickname = sessions.clean_nickname(name) or sessions.suggest_nickname()
        entry = joining.line_of(classroom, nickname, "")
        if entry is None and classroom.roster_only:
            raise joining.JoinRefused(joining.NOT_LISTED)
        learner = Learner.objects.create(nickname=nickname, resume_code_hash=sessions.hash_code(sessions.new_code()))
        user = PlatformUser.objects.create(platform=platform, subject=subject, learner=learner)
    learner = user.learner.merged_into or user.learner
    if rooms.held(learner.pk, classroom.pk):
        raise joining.JoinRefused(rooms.HELD)
    return joining.join(classroom, learner, learner.nickname), user


def _grade_line(user: PlatformUser, member: Membership, assignment: Assignment | None, endpoint: dict[str, Any]) -> None:
    """Where this user's score of the assignment goes from now on."""
    line = str(endpoint.get("lineitem") or "")
    if assignment is None or SCORE_SCOPE not in (endpoint.get("scope") or ()) or not line.startswith(("https://", "http://")):
        return
    found, _ = GradeLine.objects.update_or_create(user=user, assignment=assignment, defaults={"membership": member, "lineitem": line})
    if not hasattr(found, "score") and assignment.works.filter(learner=member.learner).exclude(solved=None).exists():
        grades.queue(assignment, member.learner_id)


@require_GET
def jwks(request: HttpRequest) -> JsonResponse:
    """Our public keys, one a platform."""
    return JsonResponse({"keys": [Registration.get_jwk(one) for one in Platform.objects.values_list("public_key", flat=True)]})
