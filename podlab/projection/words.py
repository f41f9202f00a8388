"""The looks a thing can have on the board, and the Korean word for each: a state is never told by colour alone."""

from __future__ import annotations

# look -> Korean word. svg.py draws one shape for each look; board.css gives each its hue.
LOOKS: dict[str, str] = {
    "running": "실행 중",
    "partial": "일부만 준비됨",
    "unready": "준비 안 됨",
    "starting": "시작 프로브 기다림",
    "pending": "배치 기다림",
    "creating": "만드는 중",
    "pulling": "이미지 받는 중",
    "queued": "차례 기다림",
    "backoff": "다시 시작 대기",
    "pullfail": "이미지 다시 받기 대기",
    "blocked": "시작하지 못함",
    "done": "완료",
    "failed": "실패",
    "terminating": "끝내는 중",
    "unknown": "알 수 없음",
    "stopped": "멈춤",
    "missing": "아직 없음",
}

# What a waiting reason says in a word; the reason itself stands beside it in English.
WAITING: dict[str, str] = {
    "CrashLoopBackOff": "backoff",
    "ImagePullBackOff": "pullfail",
    "ErrImagePull": "pullfail",
    "RegistryUnavailable": "pullfail",
    "ImageInspectError": "pullfail",
    "ErrImageNeverPull": "blocked",
    "InvalidImageName": "blocked",
    "CreateContainerConfigError": "blocked",
    "CreateContainerError": "blocked",
    "RunContainerError": "blocked",
    "PostStartHookError": "blocked",
    "ContainerCreating": "creating",
    "PodInitializing": "queued",
    "RestartingAllContainers": "backoff",
    "SignatureValidationFailed": "pullfail",
}

# Why a container stands still, for readers of the text twin and the tile's last line.
REASONS: dict[str, str] = {
    "ErrImageNeverPull": "이미지 없음, 받지 않기로 함",
    "InvalidImageName": "이미지 이름이 잘못됨",
    "CreateContainerConfigError": "설정을 찾지 못함",
    "CreateContainerError": "컨테이너를 만들지 못함",
    "RunContainerError": "명령을 실행하지 못함",
    "PostStartHookError": "postStart 실패",
    "ErrImagePull": "이미지를 받지 못함",
    "ImagePullBackOff": "이미지를 받지 못함",
    "OOMKilled": "메모리 초과로 죽음",
    "Error": "오류로 끝남",
    "Completed": "잘 끝남",
    "ContainerStatusUnknown": "어떻게 끝났는지 모름",
    "DeadlineExceeded": "시간 초과",
    "StartError": "명령을 실행하지 못함",
    "RegistryUnavailable": "레지스트리에 닿지 못함",
    "ContainerCannotRun": "명령을 실행하지 못함",
}

BAD = ("backoff", "pullfail", "blocked", "failed")


def tone(look: str) -> str:
    """The hue of a look: the name of a design token."""
    if look in ("running",):
        return "ok"
    if look in ("backoff", "pullfail", "partial"):
        return "warn"
    if look in ("blocked", "failed"):
        return "bad"
    if look == "done":
        return "done"
    if look in ("terminating", "unknown", "stopped"):
        return "gone"
    return "wait"
