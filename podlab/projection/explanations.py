"""A Korean line for what the API server, kubectl or YAML refuses: what was wrong and what to do. The original words stand beside it."""

from __future__ import annotations

import re

from .korean import sentence

# The first pattern found in the text gives the line; groups fill {0}, {1}, with a particle as in {0:을/를}. From the special to the general.
LINES: tuple[tuple[str, str], ...] = (
    (r"document contains excessive aliasing", "YAML의 별칭(*이름)을 모두 풀어 쓰면 너무 커집니다. 몇 줄이 끝없이 불어나는 매니페스트는 실제 쿠버네티스도 받지 않습니다."),
    (r"aliases \(\*name\) are not accepted", "YAML의 별칭(*이름)은 여기에서 받지 않습니다. 몇 줄이 끝없이 불어날 수 있기 때문입니다. 값을 그대로 적어 주세요."),
    (r"nested deeper than (\d+)", "{0}단계보다 깊게 겹친 YAML은 받지 않습니다. 들여쓰기가 잘못되지 않았는지 보세요."),
    (r"Request entity too large|request is too large", "매니페스트가 너무 큽니다. 실제 쿠버네티스도 크기를 제한합니다. 여러 파일로 나누어 주세요."),
    (r"larger than (\d+) bytes", "매니페스트가 너무 큽니다. 실제 쿠버네티스도 오브젝트 하나에 1.5 MiB쯤까지만 받습니다. 여러 파일로 나누어 주세요."),
    (r"more than (\d+) objects", "한 번에 오브젝트 {0}개까지 적용할 수 있습니다. 파일을 나누어 주세요."),
    (r'key "([^"]+)" already set in map', "같은 키 {0:을/를} 한 곳에 두 번 적었습니다. 하나만 남기세요."),
    (r"error converting YAML to JSON: yaml: line (\d+)", "YAML을 읽지 못했습니다. {0}번째 줄 둘레의 들여쓰기, 콜론, 따옴표를 살펴보세요."),
    (r"not valid UTF-8|invalid (?:leading |trailing )?utf-?8", "UTF-8이 아닌 글자가 들어 있습니다. 파일을 UTF-8로 저장해서 다시 해 보세요."),
    (r'strict decoding error: unknown field "([^"]+)"', "{0:이라/라}는 필드는 없습니다. 철자와 대소문자, 들여쓰기 위치를 확인하세요. kubectl explain으로 있는 필드를 볼 수 있습니다."),
    (r'duplicate field "([^"]+)"', "{0} 필드를 두 번 적었습니다. 하나만 남기세요."),
    (r"cannot unmarshal (\w+) into Go struct field \w+\.([\w.]+) of type (\S+)",
     "{1} 자리에 온 값은 {0} 꼴인데 {2} 꼴이어야 합니다. 숫자에 따옴표를 붙였거나 뺐는지 보세요."),
    (r"quantities must match the regular expression", "수량을 읽지 못했습니다. cpu는 500m이나 0.5, 메모리는 64Mi나 1Gi처럼 적습니다."),
    (r'no matches for kind "([^"]+)" in version "([^"]+)"', "{1}에는 {0:이라/라}는 종류가 없습니다. kind의 철자와 apiVersion을 확인하세요. kubectl api-resources로 볼 수 있습니다."),
    (r"lowercase RFC 1123", "이름에는 소문자, 숫자, 붙임표(-)만 쓸 수 있고, 글자나 숫자로 시작하고 끝나야 합니다."),
    (r"`selector` does not match template `labels`", "셀렉터가 파드 템플릿의 레이블을 고르지 않습니다. spec.selector.matchLabels와 template.metadata.labels를 같게 적으세요."),
    (r"field is immutable", "이 필드는 만든 뒤에 바꿀 수 없습니다. 지우고 새로 만들어야 합니다."),
    (r"pod updates may not change fields other than", "만들어진 파드의 spec은 이미지를 비롯한 몇 가지 말고는 바꿀 수 없습니다. 파드를 지우고 새로 만들거나, 디플로이먼트의 템플릿을 고치세요."),
    (r"spec\.template\.spec\.restartPolicy: Unsupported value", "디플로이먼트의 파드는 늘 다시 시작해야 하므로 restartPolicy에 Always만 쓸 수 있습니다. 한 번 하고 끝나는 일은 Job으로 만드세요."),
    (r"must be between (\d+) and (\d+)", "{0}부터 {1} 사이의 수여야 합니다."),
    (r"Required value", "꼭 있어야 할 값이 빠졌습니다. 메시지에 적힌 필드를 채우세요."),
    (r"Unsupported value", "쓸 수 없는 값입니다. 메시지의 supported values 가운데 하나를 고르세요."),
    (r"the object has been modified", "읽은 뒤에 다른 쪽에서 이 오브젝트를 바꾸었습니다. 최신 내용을 다시 읽어서 고쳐 보세요."),
    (r"exceeded quota: podlab, .* limited: pods=(\d+)",
     "이 클러스터에는 파드를 {0}개까지만 둘 수 있습니다. 여럿이 함께 쓰는 서버이기 때문입니다. 이미 있는 것은 그대로입니다. 복제본 수를 줄여 보세요."),
    (r"exceeded quota: podlab, .* limited: \w+=(\d+)",
     "이 클러스터에는 오브젝트를 모두 합해 {0}개까지만 둘 수 있습니다. 여럿이 함께 쓰는 서버이기 때문입니다. 쓰지 않는 것을 지우고 다시 해 보세요."),
    (r"Too many requests, please try again later", "요청이 한꺼번에 너무 많이 왔습니다. 되풀이하는 명령이라면 Ctrl-C로 멈추고, 잠시 뒤에 다시 해 보세요."),
    (r"exceeded quota", "네임스페이스의 할당량(ResourceQuota)을 넘었습니다. 요청을 줄이거나 다른 것을 지우세요."),
    (r"violate the pod's disruption budget", "파드 중단 예산(PDB)이 지금은 이 파드를 내보내지 못하게 합니다. 다른 파드가 준비될 때까지 기다려 보세요."),
    (r"namespaces? \"([^\"]+)\" not found", "네임스페이스 {0:이/가} 없습니다. 먼저 kubectl create namespace {0} 명령으로 만드세요."),
    (r"because it is being terminated", "지워지고 있는 네임스페이스에는 새로 만들 수 없습니다. 다 지워진 뒤에 다시 하세요."),
    (r"already exists", "같은 이름이 이미 있습니다. 고치려면 apply를, 새로 만들려면 다른 이름을 쓰세요."),
    (r'the server doesn\'t have a resource type "([^"]+)"', "{0:이라/라}는 종류를 모릅니다. 철자를 확인하거나 kubectl api-resources로 찾아보세요."),
    (r"apiVersion not set|kind not set", "매니페스트에는 apiVersion과 kind가 꼭 있어야 합니다. 파드라면 apiVersion: v1, kind: Pod로 시작합니다."),
    (r"json: cannot unmarshal|invalid character", "값의 꼴이 맞지 않습니다. 들여쓰기와 따옴표를 살펴보세요."),
    (r"invalid object to validate", "매니페스트는 이름: 값을 늘어놓은 맵이어야 합니다. apiVersion, kind부터 적어 보세요."),
    (r"the path \"([^\"]+)\" does not exist", "{0:이라/라}는 파일이 없습니다. ls로 파일 이름을 확인하세요. YAML 탭에서 만든 파일도 여기에 있습니다."),
    (r"unknown command|unknown flag|unknown shorthand flag", "kubectl에 그런 명령이나 옵션이 없습니다. 철자를 확인하세요."),
    (r"not found", "그런 이름의 오브젝트가 없습니다. kubectl get으로 이름과 네임스페이스를 확인하세요."),
)
REASONS = {"Invalid": "값이 규칙에 맞지 않아 받아들이지 않았습니다. 적힌 필드를 고쳐서 다시 적용하세요.",
           "Conflict": "다른 변경과 부딪혔습니다. 지금 상태를 다시 읽어 보세요.",
           "Forbidden": "허용되지 않는 요청입니다.",
           "TooManyRequests": "지금은 할 수 없습니다. 잠시 뒤에 다시 해 보세요.",
           "BadRequest": "요청을 이해하지 못했습니다."}
NUMBERED = re.compile(r"\{(?=\d)")  # str.format takes bare numbers for positions; korean.sentence has names only
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), line) for pattern, line in LINES)


def explain(reason: str, message: str) -> str | None:
    """The line for a refusal, or None where nothing helpful can be said. `reason` may be ''."""
    for pattern, line in _COMPILED:
        if found := pattern.search(message):
            return sentence(NUMBERED.sub("{_", line), {f"_{number}": group or "" for number, group in enumerate(found.groups())})
    return REASONS.get(reason)


# What kubectl and the shell begin a complaint with. Other lines on stderr are no refusals.
COMPLAINT = re.compile(r"^(?:Error from server|error:|Error:|The \S+ \"|The request is invalid)", re.MULTILINE)
NO_COMMAND = re.compile(r"^(?:ba)?sh: (?:line )?(?:\d+: )?(\S+): (?:command )?not found$", re.MULTILINE)


def of_output(text: str) -> str | None:
    """The line for what a command printed on stderr, or None."""
    if missing := NO_COMMAND.search(text):
        return sentence("{name:이라/라}는 명령이 없습니다. 철자를 확인하세요. 클러스터는 kubectl로 다룹니다.", {"name": missing[1]})
    return explain("", text) if COMPLAINT.search(text) else None
