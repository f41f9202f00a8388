"""The forms of a teacher's pages and of joining."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from podlab.classroom.models import NAME_MAX, NUMBER_MAX, TITLE_MAX, Classroom


class SignInForm(AuthenticationForm):
    error_messages = {"invalid_login": "이름이나 비밀번호가 맞지 않습니다.", "inactive": "쓸 수 없게 된 계정입니다."}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["username"].label, self.fields["password"].label = "이름", "비밀번호"


class ClassroomForm(forms.Form):
    title = forms.CharField(label="교실 이름", max_length=TITLE_MAX, error_messages={"required": "교실 이름을 적어 주세요."})


class JoinForm(forms.Form):
    code = forms.CharField(label="참여 코드", max_length=40, error_messages={"required": "칠판에 적힌 참여 코드를 적어 주세요."})
    name = forms.CharField(label="이름이나 별명", max_length=NAME_MAX, required=False)
    number = forms.CharField(label="번호", max_length=NUMBER_MAX, required=False)


class SettingsForm(forms.ModelForm):
    """What a teacher may tune of a class."""

    class Meta:
        model = Classroom
        fields = ("title", "roster_only", "stuck_minutes", "stuck_checks", "stuck_hints", "stuck_errors", "keep_days")
        labels = {"title": "교실 이름", "roster_only": "명단에 있는 사람만 들어올 수 있게 합니다", "stuck_minutes": "한 걸음에 머문 시간(분)",
                  "stuck_checks": "‘확인하기’ 실패(번)", "stuck_hints": "연 힌트(개)", "stuck_errors": "잇따른 오류(번)",
                  "keep_days": "수업을 마친 뒤 기록을 남겨 둘 날수(일)"}
