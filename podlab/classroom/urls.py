"""Addresses of the classroom: the teacher's under /teacher/, and the one by which learners come in."""

from django.urls import path

from podlab.classroom import assignments, games, lti, people, privacy, views

urlpatterns = [
    path("teacher/", views.teacher, name="teacher"),
    path("teacher/sign-in/", views.SignIn.as_view(), name="teacher-sign-in"),
    path("teacher/sign-out/", views.sign_out, name="teacher-sign-out"),
    path("teacher/classes/<int:pk>/", views.classroom, name="classroom"),
    path("teacher/classes/<int:pk>/settings/", views.settings, name="classroom-settings"),
    path("teacher/classes/<int:pk>/code/", views.code, name="classroom-code"),
    path("teacher/classes/<int:pk>/close/", views.close, name="classroom-close"),
    path("teacher/classes/<int:pk>/record/", views.record, name="classroom-record"),
    path("teacher/classes/<int:pk>/look/<uuid:learner>/<slug:slug>/", views.look, name="classroom-look"),
    path("teacher/classes/<int:pk>/look/<uuid:learner>/<slug:slug>/terminal/", views.look_terminal, name="classroom-look-terminal"),
    path("teacher/classes/<int:pk>/replay/<uuid:learner>/<slug:slug>/", views.replay, name="classroom-replay"),
    path("teacher/classes/<int:pk>/fork/<uuid:learner>/<slug:slug>/", views.fork, name="classroom-fork"),
    path("teacher/classes/<int:pk>/results/", views.results_page, name="classroom-results"),
    path("teacher/classes/<int:pk>/results/<slug:name>/", views.results_file, name="classroom-results-file"),
    path("teacher/classes/<int:pk>/assignments/", assignments.page, name="classroom-assignments"),
    path("teacher/classes/<int:pk>/assignments/<int:number>/", assignments.one, name="classroom-assignment"),
    path("teacher/classes/<int:pk>/assignments/<int:number>/change/", assignments.change, name="classroom-assignment-change"),
    path("teacher/classes/<int:pk>/games/", games.page, name="classroom-games"),
    path("teacher/classes/<int:pk>/games/<int:number>/", games.one, name="classroom-game"),
    path("teacher/classes/<int:pk>/games/<int:number>/change/", games.change, name="classroom-game-change"),
    path("teacher/classes/<int:pk>/people/", people.people, name="classroom-people"),
    path("teacher/classes/<int:pk>/people/roster/", people.roster, name="classroom-roster"),
    path("teacher/classes/<int:pk>/people/<uuid:learner>/", people.person, name="classroom-person"),
    path("lti/login/", lti.login, name="lti-login"),
    path("lti/launch/", lti.launch, name="lti-launch"),
    path("lti/jwks.json", lti.jwks, name="lti-jwks"),
    path("my-data/", privacy.page, name="my-data"),
    path("my-data.json", privacy.download, name="my-data-file"),
    path("my-data/delete/", privacy.delete, name="my-data-delete"),
    path("join/", people.join, name="join"),
    path("join/<str:code>/", people.join, name="join-code"),
]
