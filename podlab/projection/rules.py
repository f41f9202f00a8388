"""The catalogue of Korean words: a sentence for every rule code, a name for every component and for the reasons of Kubernetes events.
A controller says a code and facts; only this file says it in Korean. Data only: reasons.py tells it, which is why it is long.

Each rule has templates, tried in order until the facts suffice (korean.sentence has their language); a record whose facts
suffice for none gets `reasons.plain`'s sentence. `quiet` rules are bookkeeping: they are told only where nothing else is known.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    templates: tuple[str, ...]
    severity: str = "info"  # info, good, warn or bad
    quiet: bool = False


def _r(*templates: str, severity: str = "info", quiet: bool = False) -> Rule:
    return Rule(templates, severity, quiet)


RULES: dict[str, Rule] = {
    # people. facts: verb, command; a fault's own members
    "request": _r("{command}", "{did}"),
    # an account of the cluster through the API, from inside a Pod. facts: verb, account
    "account-request": _r("{command}", "{did}"),
    "fault": _r(
        "{node} 노드의 전원: {power}",
        "컨테이너 {container}에 신호 {signal:을/를} 보냈습니다",
        "고장을 일으켰습니다",
        severity="warn",
    ),
    "bootstrap": _r("클러스터를 처음 켰습니다"),
    "write": _r("{object:것 을/를} 고쳤습니다", quiet=True),
    "event": _r("사건을 적었습니다", quiet=True),
    # api server
    # deployment. facts: replicaset, from, to; size, revision
    "deployment-new-replicaset": _r(
        "이 템플릿의 레플리카셋이 아직 없어 {replicaset:을/를} 만들었습니다 ({revision}판, {size}개로 시작)",
        "이 템플릿의 레플리카셋이 아직 없어 새로 만들었습니다",
    ),
    "deployment-scaled": _r(
        "바라는 수에 맞춰 {replicaset:을/를} {from}개에서 {to}개로 바꿨습니다", "바라는 수에 맞춰 레플리카셋의 크기를 바꿨습니다"
    ),
    "deployment-rolling-up": _r("새 판 {replicaset:을/를} {from}개에서 {to}개로 늘렸습니다", "새 판을 늘렸습니다"),
    "deployment-rolling-down": _r("옛 판 {replicaset:을/를} {from}개에서 {to}개로 줄였습니다", "옛 판을 줄였습니다"),
    "deployment-status": _r(
        "지금 상태를 적었습니다 (새 판 {updated}개, 쓸 수 있는 파드 {available}개)", "지금 상태를 적었습니다", quiet=True
    ),
    "deployment-revision": _r("{revision}판으로 적었습니다", "판 번호를 적었습니다", quiet=True),
    "deployment-paused": _r("굴리기를 멈췄습니다"),
    "deployment-resumed": _r("굴리기를 다시 시작했습니다"),
    "deployment-history": _r("옛 레플리카셋을 {limit}개만 남기고 지웠습니다", "옛 레플리카셋을 지웠습니다", quiet=True),
    "deployment-hash-collision": _r("레플리카셋 이름이 겹쳐 다시 지었습니다", quiet=True),
    # replicaset, and whatever counts Pods. facts: have, want; owner
    "replicaset-too-few": _r("파드가 {have}개뿐이라 {want}개가 되도록 새로 만들었습니다", "파드가 모자라 새로 만들었습니다"),
    "replicaset-too-many": _r("파드가 {have}개라 {want}개가 되도록 지웠습니다", "파드가 남아 지웠습니다"),
    "replicaset-status": _r("지금 수를 적었습니다 (파드 {replicas}개, 준비 {ready}개)", "지금 수를 적었습니다", quiet=True),
    "adopt": _r("레이블이 셀렉터에 맞아 {owner:이/가} 거두었습니다", "레이블이 셀렉터에 맞아 거두었습니다"),
    "release": _r("레이블이 셀렉터에서 벗어나 {owner:이/가} 놓아주었습니다", "레이블이 셀렉터에서 벗어나 놓아주었습니다"),
    # statefulset, daemonset
    "statefulset-next-pod": _r("앞 번호가 모두 준비되어 {ordinal}번 파드를 만들었습니다", "차례가 된 파드를 만들었습니다"),
    "statefulset-restart": _r(
        "끝나 버린 {ordinal}번 파드를 지우고 같은 이름으로 다시 만듭니다", "끝나 버린 파드를 지우고 다시 만듭니다"
    ),
    "statefulset-claim": _r("{pod}의 볼륨 요청 {claim:을/를} 만들었습니다", "볼륨 요청을 만들었습니다"),
    "statefulset-claim-owner": _r("보존 정책에 맞게 볼륨 요청 {claim}의 소유자를 적었습니다", "볼륨 요청의 소유자를 적었습니다"),
    "statefulset-identity": _r("{pod}에서 지워진 레이블을 다시 붙였습니다", "지워진 레이블을 다시 붙였습니다"),
    "statefulset-status": _r("지금 수를 적었습니다 (파드 {replicas}개, 준비 {ready}개)", "지금 수를 적었습니다", quiet=True),
    "revision-new": _r("{revision}번째 판을 적었습니다", "새 판을 적었습니다", quiet=True),
    "revision-again": _r("예전 판을 {revision}번째로 다시 적었습니다", "예전 판을 다시 적었습니다", quiet=True),
    "revision-history": _r("옛 판을 {limit}개만 남기고 지웠습니다", "옛 판을 지웠습니다", quiet=True),
    "statefulset-waits": _r(
        "{pod:이/가} 준비되기를 기다립니다. 그 전에는 다음 번호로 넘어가지 않습니다", "앞 번호가 준비되기를 기다립니다"
    ),
    "statefulset-too-many": _r("번호가 가장 큰 {ordinal}번 파드부터 지웠습니다", "번호가 큰 파드부터 지웠습니다"),
    "statefulset-update": _r("새 판으로 바꾸려고 {ordinal}번 파드를 지웠습니다", "새 판으로 바꾸려고 파드를 지웠습니다"),
    "daemonset-missing": _r("노드 {node}에 파드가 없어 하나 만들었습니다", "파드가 없는 노드에 하나 만들었습니다"),
    "daemonset-finished": _r("노드 {node}의 파드가 끝나 버려 지웁니다", "끝나 버린 파드를 지웁니다"),
    "daemonset-status": _r("지금 수를 적었습니다 (바라는 {desired}개, 준비 {ready}개)", "지금 수를 적었습니다", quiet=True),
    "daemonset-extra": _r("노드 {node}에는 있을 까닭이 없어 지웠습니다", "있을 까닭이 없는 파드를 지웠습니다"),
    "daemonset-update": _r("새 판으로 바꾸려고 노드 {node}의 파드를 지웠습니다", "새 판으로 바꾸려고 파드를 지웠습니다"),
    # job, cronjob, hpa
    "job-too-few": _r("아직 {succeeded}/{want}개만 끝나 파드를 더 만들었습니다", "더 해야 할 일이 있어 파드를 만들었습니다"),
    "job-too-many": _r("동시에 {parallelism}개까지만 돌리므로 남는 파드를 지웠습니다", "남는 파드를 지웠습니다"),
    "job-backoff": _r(
        "파드가 실패해 {delay_ms:시간} 기다린 뒤 다시 만듭니다", "파드가 실패해 기다린 뒤 다시 만듭니다", severity="warn"
    ),
    "job-complete": _r("{succeeded}개가 모두 잘 끝나 잡이 끝났습니다", "잡이 끝났습니다", severity="good"),
    "job-failed": _r("잡이 실패했습니다 ({reason})", "잡이 실패했습니다", severity="bad"),
    "cronjob-due": _r("정해진 때({schedule})가 되어 잡을 만들었습니다", "정해진 때가 되어 잡을 만들었습니다"),
    "cronjob-skipped": _r("앞의 잡이 아직 돌고 있어 이번은 건너뛰었습니다 ({policy})", "이번은 건너뛰었습니다"),
    "cronjob-history": _r("옛 잡을 {limit}개만 남기고 지웠습니다", "옛 잡을 지웠습니다", quiet=True),
    "job-pod-counted": _r("끝난 파드를 셈에 넣었습니다", quiet=True),
    "job-pod-released": _r("잡이 사라져 파드를 놓아주었습니다", quiet=True),
    "job-status": _r(
        "지금 수를 적었습니다 (도는 중 {active}, 끝남 {succeeded}, 실패 {failed})", "지금 수를 적었습니다", quiet=True
    ),
    "cronjob-replaced": _r("새 잡을 만들려고 앞의 잡을 지웠습니다 (Replace)"),
    "cronjob-status": _r("지금 상태를 적었습니다", quiet=True),
    "ttl-expired": _r("끝난 지 {seconds}초가 지나 지웠습니다", "끝난 지 오래되어 지웠습니다"),
    "hpa-scaled": _r(
        "{metric} {current} (목표 {target})에 맞춰 {from}개에서 {to}개로 바꿨습니다", "측정값에 맞춰 파드 수를 바꿨습니다"
    ),
    # services
    "endpoints-sync": _r("엔드포인트를 고쳤습니다 (준비됨 {ready}개)", "엔드포인트를 고쳤습니다", quiet=True),
    "endpoints-service-gone": _r("서비스가 사라져 엔드포인트를 지웠습니다", quiet=True),
    "endpointslice-sync": _r(
        "서비스 {service} 뒤의 파드 목록을 고쳤습니다: 준비됨 {ready}개, 아님 {not_ready}개", "서비스 뒤의 파드 목록을 고쳤습니다"
    ),
    # volumes, disruption budgets
    "volume-bound": _r("볼륨 요청 {claim:을/를} 볼륨 {volume}에 묶었습니다", "볼륨 요청을 볼륨에 묶었습니다"),
    "volume-node-refused": _r(
        "볼륨 요청 {claim:을/를} 위한 볼륨을 만들지 못해, 노드 {node:을/를} 다시 고르게 했습니다", "노드를 다시 고르게 했습니다"
    ),
    "volume-finalizers": _r("반환 정책이 {policy:이라/라} 볼륨의 파이널라이저를 그에 맞추었습니다", "볼륨의 파이널라이저를 맞추었습니다", quiet=True),
    "volume-claim-class": _r("클래스를 적지 않은 볼륨 요청에 기본 스토리지클래스 {class:을/를} 적었습니다", "기본 스토리지클래스를 적었습니다"),
    "volume-provisioned": _r(
        "볼륨 요청 {claim:을/를} 위해 볼륨 {volume:을/를} 만들었습니다", "볼륨 요청을 위해 볼륨을 만들었습니다"
    ),
    "volume-provisioner-asked": _r("{provisioner}에 볼륨을 만들어 달라고 했습니다", "볼륨을 만들어 달라고 했습니다", quiet=True),
    "volume-reclaimed": _r("쓰던 볼륨 요청이 사라져 볼륨 {volume:을/를} 지웠습니다", "볼륨을 지웠습니다"),
    "api-service-available": _r("애그리게이션 서버가 디스커버리 요청에 답해, 그 서버의 API를 함께 제공합니다"),
    "api-service-unavailable": _r("애그리게이션 서버가 답하지 않아, 그 서버의 API를 제공하지 않습니다 ({reason})"),
    "api-service-storage-gone": _r("애그리게이션 서버의 저장소가 파드와 함께 사라졌습니다"),
    "service-cidr-ready": _r("서비스 주소 범위를 쓸 준비가 되었습니다", quiet=True),
    "service-cidr-kept": _r("이 범위의 주소를 쓰는 서비스가 있어 주소 범위를 지우지 않고 둡니다", quiet=True),
    "service-cidr-unused": _r("이 범위의 주소를 쓰는 서비스가 없어 주소 범위를 지워도 되게 했습니다", quiet=True),
    "service-address-released": _r("서비스가 없어져 그 주소를 돌려받았습니다", quiet=True),
    "volume-unused": _r("아무도 쓰지 않아 볼륨을 지워도 되게 했습니다", quiet=True),
    "volume-phase": _r("볼륨의 상태를 적었습니다 ({phase})", "볼륨의 상태를 적었습니다", quiet=True),
    "volume-claim-status": _r("볼륨 요청의 상태를 적었습니다 ({phase})", "볼륨 요청의 상태를 적었습니다", quiet=True),
    "claim-resizer": _r("볼륨을 늘려 줄 드라이버({driver})를 볼륨 요청에 적었습니다", "볼륨을 늘려 줄 드라이버를 적었습니다", quiet=True),
    "claim-unused": _r("아무도 쓰지 않아 볼륨 요청을 지워도 되게 했습니다", quiet=True),
    "resource-claim": _r("파드가 적은 템플릿대로 ResourceClaim을 만들고 그 이름을 파드에 적었습니다", "ResourceClaim을 만들었습니다"),
    "ephemeral-claim": _r("파드의 임시 볼륨을 위해 볼륨 요청 {claim:을/를} 만들었습니다", "임시 볼륨 요청을 만들었습니다"),
    "hpa-status": _r("측정값을 적었습니다", quiet=True),
    "quota-used": _r("쿼터에서 쓴 만큼을 적었습니다", quiet=True),
    "pdb-status": _r("내보내도 되는 파드 수를 적었습니다 ({allowed}개)", "내보내도 되는 파드 수를 적었습니다", quiet=True),
    # nodes
    "node-not-ready": _r(
        "노드 {node:이/가} {silent_ms:시간} 동안 소식이 없어 NotReady로 적었습니다",
        "노드에서 소식이 없어 NotReady로 적었습니다",
        severity="bad",
    ),
    "node-taint": _r("노드에 테인트 {taint:을/를} 붙였습니다", "노드에 테인트를 붙였습니다", severity="warn"),
    "node-untaint": _r("노드에서 테인트 {taint:을/를} 떼었습니다", "노드에서 테인트를 떼었습니다", severity="good"),
    "pod-node-not-ready": _r(
        "노드 {node:이/가} NotReady라서 이 파드를 준비 안 됨으로 적었습니다",
        "노드가 NotReady라서 준비 안 됨으로 적었습니다",
        severity="warn",
    ),
    "taint-evict": _r(
        "테인트 {taint:을/를} {after_ms:시간} 동안 견딘 뒤라 파드를 내보냅니다",
        "테인트를 견디는 시간이 지나 파드를 내보냅니다",
        severity="warn",
    ),
    "taint-evict-planned": _r(
        "테인트 {taint} 때문에 {after_ms:시간} 뒤 파드를 내보내기로 했습니다",
        "테인트 때문에 파드를 곧 내보냅니다",
        severity="warn",
    ),
    "taint-evict-cancelled": _r("테인트가 사라져 내보내기를 그만두었습니다", severity="good"),
    "podgc-orphaned": _r("노드 {node:이/가} 사라져 남은 파드를 지웠습니다", "노드가 사라져 남은 파드를 지웠습니다"),
    # garbage collector, namespace
    "gc-owner-gone": _r("주인 {owner:이/가} 사라져 함께 지웠습니다", "주인이 사라져 함께 지웠습니다"),
    "gc-dangling-reference": _r("사라진 주인 {owners:을/를} 목록에서 뺐습니다", "사라진 주인을 목록에서 뺐습니다", quiet=True),
    "gc-dependents-gone": _r("딸린 것이 모두 지워져 이제 지웁니다"),
    "gc-orphaned": _r("딸린 것을 모두 놓아주고 지웁니다"),
    "podgc-too-many": _r("끝난 파드가 {limit}개를 넘어 오래된 것을 지웠습니다", "끝난 파드가 너무 많아 지웠습니다"),
    "podgc-unscheduled": _r("노드에 놓이기 전에 지우라고 해서 바로 지웠습니다"),
    "podgc-out-of-service": _r("노드 {node:이/가} 쓰이지 않아 파드를 강제로 지웠습니다", "쓰이지 않는 노드의 파드를 지웠습니다"),
    "crd-established": _r("정의한 종류의 이름을 받아들여 이제 쓸 수 있습니다", severity="good"),
    "crd-names-refused": _r("다른 정의가 이미 쓰는 이름이 있어 받아들이지 않았습니다"),
    "crd-deleting": _r("정의를 지우기 전에 그 종류의 객체를 지웁니다"),
    "crd-emptied": _r("그 종류의 객체가 모두 지워져 정의를 지웁니다"),
    "namespace-emptied": _r("안의 것이 모두 지워져 네임스페이스를 지웁니다"),
    "namespace-status": _r("남은 것을 적었습니다", quiet=True),
    "clusterrole-aggregated": _r("다른 클러스터롤의 규칙을 모았습니다", quiet=True),
    "admission-policy-checked": _r("정책의 식에 쓴 필드와 타입이 맞는지 살펴 상태에 적었습니다", quiet=True),
    "certificate-issued": _r("승인된 요청의 인증서를 발급했습니다"),
    "certificate-refused": _r("승인되었지만 서명자가 발급할 수 없는 쓰임새를 요청했습니다"),
    "own-service-kept": _r("API 서버가 자기 서비스를 다시 만들었습니다", quiet=True),
    "root-ca-published": _r("인증서 컨피그맵을 넣었습니다", quiet=True),
    "serviceaccount-default": _r("기본 서비스어카운트를 만들었습니다", quiet=True),
    "account-token-filled": _r("서비스어카운트 {account}의 토큰을 넣었습니다", "서비스어카운트의 토큰을 넣었습니다", quiet=True),
    "bootstrap-token-expired": _r("만료 시각이 지나 부트스트랩 토큰을 지웠습니다"),
    "account-token-without-account": _r("가리키는 서비스어카운트가 없어 토큰 시크릿을 지웠습니다"),
    "gc-orphan": _r("주인 {owner:을/를} 지우되 이것은 남겼습니다", "주인을 지우되 이것은 남겼습니다"),
    "gc-foreground": _r("딸린 것을 먼저 지우고 있습니다"),
    "gc-circle": _r("주인 {owner} 쪽과 서로 기다리지 않도록 기다림을 풀었습니다", "서로 기다리지 않도록 기다림을 풀었습니다", quiet=True),
    "namespace-deleting": _r(
        "네임스페이스 {namespace:을/를} 지우면서 그 안의 것을 모두 지웁니다", "네임스페이스를 지우면서 그 안의 것을 모두 지웁니다"
    ),
    # scheduler. facts: node, feasible, total, score; message
    "scheduler-bound": _r(
        "놓을 수 있는 노드 {feasible}개 가운데 {node:을/를} 골랐습니다",
        "노드 {node:을/를} 골랐습니다",
        "노드를 골랐습니다",
    ),
    "scheduler-unschedulable": _r("놓을 노드를 찾지 못했습니다: {message}", "놓을 노드를 찾지 못했습니다", severity="bad"),
    "scheduler-bind-volume": _r("볼륨 요청 {claim:을/를} 노드 {node}에 묶었습니다", "볼륨 요청을 묶었습니다", quiet=True),
    "scheduler-preempted": _r(
        "우선순위가 더 높은 {for}에 자리를 내주려고 내보냈습니다",
        "우선순위가 더 높은 파드에 자리를 내주었습니다",
        severity="warn",
    ),
    # kubelet. facts: container, image, exitCode, reason, seconds, restarts, probe, failures, threshold, message, why, grace (s)
    "kubelet-rejected": _r(
        "파드를 받지 않았습니다: {message}", "파드를 받지 않았습니다 ({reason})", "파드를 받지 않았습니다", severity="bad"
    ),
    "kubelet-sandbox": _r("파드의 네트워크를 만들고 IP {ip:을/를} 받았습니다", "파드의 네트워크를 만들었습니다"),
    "kubelet-image-pull": _r("이미지 {image:을/를} 받기 시작했습니다", "이미지를 받기 시작했습니다"),
    "kubelet-image-pulled": _r("이미지 {image:을/를} 다 받았습니다", "이미지를 다 받았습니다"),
    "kubelet-image-pull-failed": _r(
        "이미지 {image:을/를} 받지 못했습니다: {message}",
        "이미지 {image:을/를} 받지 못했습니다",
        "이미지를 받지 못했습니다",
        severity="bad",
    ),
    "kubelet-image-never": _r(
        "이미지 {image:이/가} 노드에 없는데 받지 않기로(imagePullPolicy: Never) 되어 있습니다",
        "이미지가 노드에 없고 받지 않기로 되어 있습니다",
        severity="bad",
    ),
    "kubelet-container-created": _r("컨테이너 {container:을/를} 만들었습니다", "컨테이너를 만들었습니다", quiet=True),
    "kubelet-container-started": _r("컨테이너 {container:을/를} 시작했습니다", "컨테이너를 시작했습니다"),
    "kubelet-container-start-failed": _r(
        "컨테이너 {container:을/를} 시작하지 못했습니다: {message}", "컨테이너를 시작하지 못했습니다", severity="bad"
    ),
    "kubelet-container-exited": _r(
        "컨테이너 {container:이/가} 코드 {exitCode:으로/로} 끝났습니다 ({reason})",
        "컨테이너 {container:이/가} 코드 {exitCode:으로/로} 끝났습니다",
        "컨테이너가 끝났습니다",
        severity="bad",
    ),
    "kubelet-config-error": _r(
        "설정이 모자라 컨테이너 {container:을/를} 만들지 못했습니다: {message}",
        "설정이 모자라 컨테이너를 만들지 못했습니다",
        severity="bad",
    ),
    "kubelet-volume-missing": _r("볼륨 {volume:을/를} 붙이지 못했습니다: {message}", "볼륨을 붙이지 못했습니다", severity="bad"),
    "kubelet-volume-refreshed": _r("볼륨 {volume}의 파일을 새 내용으로 바꿨습니다", "볼륨의 파일을 새 내용으로 바꿨습니다"),
    "kubelet-oom": _r(
        "컨테이너 {container:이/가} 메모리 한도를 넘어 커널이 죽였습니다", "메모리 한도를 넘어 커널이 죽였습니다", severity="bad"
    ),
    "kubelet-backoff": _r(
        "{delay_ms:시간} 기다린 뒤 이미지 {image:을/를} 다시 받습니다 ({ladder})",
        "{delay_ms:시간} 기다린 뒤 이미지 {image:을/를} 다시 받습니다",
        "{delay_ms:시간} 기다린 뒤 {container:을/를} 다시 시작합니다 ({ladder})",
        "{delay_ms:시간} 기다린 뒤 {container:을/를} 다시 시작합니다",
        "{delay_ms:시간} 기다린 뒤 다시 시작합니다",
        "기다린 뒤 다시 시작합니다",
        severity="warn",
    ),
    "kubelet-probe-failed": _r(
        "{container}의 {probe:프로브 이/가} 실패했습니다 (잇달아 {failures}번, 한도 {threshold}번): {message}",
        "{container}의 {probe:프로브 이/가} 실패했습니다 (잇달아 {failures}번)",
        "{probe:프로브 이/가} 실패했습니다",
        "프로브가 실패했습니다",
        severity="warn",
    ),
    "kubelet-probe-succeeded": _r("{container}의 {probe:프로브 이/가} 성공했습니다", "프로브가 성공했습니다", severity="good"),
    "kubelet-killing": _r(
        "{why} 컨테이너 {container:을/를} 끝냅니다 (유예 {grace}초)",
        "컨테이너 {container:을/를} 끝냅니다 (유예 {grace}초)",
        "컨테이너를 끝냅니다",
    ),
    "kubelet-kill-forced": _r(
        "정해진 시간 안에 끝나지 않아 {container}에 KILL을 보냈습니다",
        "정해진 시간 안에 끝나지 않아 KILL을 보냈습니다",
        severity="warn",
    ),
    "kubelet-prestop": _r("컨테이너 {container}의 preStop을 먼저 돌립니다", "preStop을 먼저 돌립니다"),
    "kubelet-prestop-failed": _r("{container}의 preStop이 실패했습니다: {message}", "preStop이 실패했습니다", severity="warn"),
    "kubelet-poststart-failed": _r(
        "{container}의 postStart가 실패해 컨테이너를 죽였습니다: {message}",
        "postStart가 실패해 컨테이너를 죽였습니다",
        severity="bad",
    ),
    "kubelet-restart-all": _r(
        "{container:이/가} 끝난 방식 때문에 모든 컨테이너를 다시 시작합니다", "모든 컨테이너를 다시 시작합니다"
    ),
    "kubelet-resized": _r("컨테이너 {container}의 자원 한도를 바꿨습니다", "컨테이너의 자원 한도를 바꿨습니다"),
    "kubelet-evicted": _r(
        "노드의 자원이 모자라 파드를 내쫓았습니다: {message}", "노드의 자원이 모자라 파드를 내쫓았습니다", severity="bad"
    ),
    "kubelet-deadline": _r(
        "{seconds}초 시한을 넘겨 파드를 실패로 끝냈습니다", "시한을 넘겨 파드를 실패로 끝냈습니다", severity="bad"
    ),
    "kubelet-pod-done": _r("컨테이너가 모두 멈춰 파드를 지웠습니다"),
    "kubelet-status": _r("파드의 상태를 알렸습니다 ({phase})", "파드의 상태를 알렸습니다", quiet=True),
    "kubelet-node-status": _r("노드의 상태를 알렸습니다", quiet=True),
    # network and processes
    "network-port-in-use": _r(
        "{container:이/가} {port}번 포트를 열지 못했습니다. {holder:이/가} 이미 쓰고 있었습니다 "
        "(한 파드의 컨테이너는 포트를 나눠 씁니다)",
        "{port}번 포트를 이미 다른 컨테이너가 쓰고 있었습니다",
        "포트를 이미 다른 컨테이너가 쓰고 있었습니다",
        severity="bad",
    ),
    "network-no-endpoints": _r(
        "서비스 {service} 뒤에 준비된 파드가 없어 {port}번 연결을 거절했습니다",
        "서비스 뒤에 준비된 파드가 없어 연결을 거절했습니다",
        severity="bad",
    ),
    "proxy-host-ejected": _r(
        "프록시가 {cluster}의 {host:을/를} {seconds}초 동안 뺐습니다. 거푸 실패한 상대에게는 한동안 보내지 않습니다",
        "프록시가 거푸 실패한 상대를 한동안 뺐습니다",
        severity="warn",
    ),
    "network-policy-dropped": _r(
        "네트워크폴리시가 {port}번 포트로 온 연결을 막았습니다", "네트워크폴리시가 연결을 막았습니다", severity="warn"
    ),
}

VERBS = {
    "create": "만들었습니다",
    "update": "고쳤습니다",
    "patch": "고쳤습니다",
    "apply": "적용했습니다",
    "delete": "지웠습니다",
    "deletecollection": "모두 지웠습니다",
}
KILLS = {
    "pod": "파드를 끝내려고",
    "liveness": "활성 프로브가 실패해",
    "startup": "시작 프로브가 실패해",
    "definition": "정의가 바뀌어",
    "resize": "자원을 바꾸려고",
}
POWER = {"off": "끔", "on": "켬", "silent": "소식 끊김"}

# Who acts: by the component's name, the part before a slash
ACTORS: dict[str, str] = {
    "user": "나",
    "learner": "나",
    "teacher": "선생님",
    "apiserver": "API 서버",
    "scheduler": "스케줄러",
    "default-scheduler": "스케줄러",
    "kubelet": "kubelet",
    "deployment-controller": "디플로이먼트 컨트롤러",
    "replicaset-controller": "레플리카셋 컨트롤러",
    "statefulset-controller": "스테이트풀셋 컨트롤러",
    "daemonset-controller": "데몬셋 컨트롤러",
    "job-controller": "잡 컨트롤러",
    "cronjob-controller": "크론잡 컨트롤러",
    "replicationcontroller-controller": "레플리케이션 컨트롤러",
    "replication-controller": "레플리케이션 컨트롤러",
    "endpoint-slice-controller": "엔드포인트 컨트롤러",
    "endpoint-controller": "엔드포인트 컨트롤러",
    "endpoint-slice-mirroring-controller": "엔드포인트 컨트롤러",
    "service-account-controller": "서비스어카운트 컨트롤러",
    "root-ca-certificate-publisher": "인증서 배포 컨트롤러",
    "ttl-after-finished-controller": "TTL 컨트롤러",
    "event-recorder": "사건 기록",
    "kubernetes-admin": "나",
    "node-controller": "노드 컨트롤러",
    "node-lifecycle-controller": "노드 컨트롤러",
    "taint-eviction-controller": "테인트 축출 컨트롤러",
    "garbage-collector": "가비지 컬렉터",
    "garbage-collector-controller": "가비지 컬렉터",
    "pod-garbage-collector": "파드 가비지 컬렉터",
    "namespace-controller": "네임스페이스 컨트롤러",
    "horizontal-pod-autoscaler": "HPA 컨트롤러",
    "horizontal-pod-autoscaler-controller": "HPA 컨트롤러",
    "horizontalpodautoscaler-controller": "HPA 컨트롤러",
    "resourcequota-controller": "쿼터 컨트롤러",
    "hpa-controller": "HPA 컨트롤러",
    "network": "네트워크",
    "kube-proxy": "kube-proxy",
    "runtime": "컨테이너 런타임",
    "disruption-controller": "PDB 컨트롤러",
    "pvc-protection-controller": "볼륨 보호 컨트롤러",
    "pv-protection-controller": "볼륨 보호 컨트롤러",
    "ephemeral-volume-controller": "임시 볼륨 컨트롤러",
    "bootstrap": "클러스터",
    "persistentvolume-controller": "볼륨 컨트롤러",
    "volume_expand": "볼륨 확장 컨트롤러",
}
ACCOUNT = "system:serviceaccount:"  # before namespace:name
PEOPLE = ("request", "fault")  # rules of what people do

# Reasons of Kubernetes events, for the time track: (Korean, severity)
EVENTS: dict[str, tuple[str, str]] = {
    "Scheduled": ("노드에 놓임", "info"),
    "FailedScheduling": ("놓을 노드를 찾지 못함", "bad"),
    "Pulling": ("이미지 받기 시작", "info"),
    "Pulled": ("이미지 준비됨", "info"),
    "Created": ("컨테이너 만듦", "info"),
    "Started": ("컨테이너 시작", "good"),
    "Killing": ("컨테이너 끝내는 중", "info"),
    "BackOff": ("다시 하기까지 기다림", "warn"),
    "FailedPull": ("이미지를 받지 못함", "bad"),  # this and the next are Failed, told apart by the time track
    "FailedStart": ("컨테이너를 시작하지 못함", "bad"),
    "Unhealthy": ("프로브 실패", "warn"),
    "NodeNotReady": ("노드가 NotReady", "bad"),
    "NodeReady": ("노드 준비됨", "good"),
    "ScalingReplicaSet": ("레플리카셋 크기 바꿈", "info"),
    "SuccessfulCreate": ("파드 만듦", "info"),
    "SuccessfulDelete": ("파드 지움", "info"),
    "FailedCreate": ("파드를 만들지 못함", "bad"),
    "TaintManagerEviction": ("테인트로 내보냄", "warn"),
    "Evicted": ("내쫓김", "bad"),
    "Preempted": ("자리를 내줌", "warn"),
    "FailedMount": ("볼륨을 붙이지 못함", "bad"),
    "FailedAttachVolume": ("볼륨을 노드에 연결하지 못함", "bad"),
    "EvictionThresholdMet": ("노드의 자원이 모자람", "bad"),
    "Completed": ("잡 끝남", "good"),
    "BackoffLimitExceeded": ("잡이 너무 많이 실패함", "bad"),
    "DeadlineExceeded": ("시한을 넘김", "bad"),
    "FailedPreStopHook": ("preStop 실패", "warn"),
    "FailedPostStartHook": ("postStart 실패", "bad"),
    "ExceededGracePeriod": ("유예 시간을 넘김", "warn"),
    "SawCompletedJob": ("잡이 끝난 것을 봄", "info"),
    "SuccessfulRescale": ("파드 수 바꿈", "info"),
    "AmbiguousSelector": ("한 파드를 여러 HPA가 맡음", "bad"),
    "ExternalExpanding": ("볼륨을 늘릴 컨트롤러를 기다림", "warn"),
    "SandboxChanged": ("파드의 네트워크가 바뀜", "warn"),
    "Rebooted": ("노드가 다시 켜짐", "warn"),
    "NodeNotSchedulable": ("노드가 새 파드를 받지 않음", "info"),
    "NodeSchedulable": ("노드가 새 파드를 받음", "info"),
    "OOMKilling": ("메모리 초과", "bad"),
    "NodeHasSufficientMemory": ("노드의 메모리가 넉넉함", "info"),
    "RegisteredNode": ("노드가 등록됨", "info"),
    "Starting": ("kubelet 시작", "info"),
}
