"""Renders docs/fidelity.md from podlab/projection/fidelity.yaml (`make fidelity`); tests/test_fidelity.py holds it to its proofs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "fidelity.md"
WORDS = {"exact": "같음", "simplified": "단순함", "absent": "없음"}
HEAD = """<!-- made by `make fidelity` from podlab/projection/fidelity.yaml; change that file -->
# 이 실습 환경은 실제 쿠버네티스와 얼마나 같은가

여기의 클러스터는 쿠버네티스(Kubernetes) 1.36을 흉내 낸 것입니다. 아래 표는 기능마다 실제와 **같음**, **단순함**, **없음** 가운데
무엇인지, 무엇이 다른지, 그리고 그 말을 무엇이 증명하는지를 적습니다. "기록"은 실제 클러스터에서 녹화한 시나리오로, 여기서 다시 돌려
100점 만점에 95점 이상이어야 합니다. "검사"는 이 저장소의 자동 검사 이름입니다.
"""


def render(features: list[dict[str, Any]]) -> str:
    """The page's whole text."""
    parts, area = [HEAD], None
    totals = {word: sum(one["is"] == word for one in features) for word in WORDS}
    parts.append("모두 " + ", ".join(f"{WORDS[word]} {count}가지" for word, count in totals.items()) + "입니다.\n")
    for one in features:
        if one["area"] != area:
            area = one["area"]
            parts.append(f"\n## {area}\n\n| 기능 | 실제와 | 다른 점 | 증명 |\n|---|---|---|---|\n")
        parts.append(f"| {one['name']} | {WORDS[one['is']]} | {one.get('differs', '')} | {_proof(one)} |\n".replace("|  |", "| |"))
    return "".join(parts)


def _proof(one: dict[str, Any]) -> str:
    recordings = [f"기록 `{name}`" for name in one.get("recordings", ())]
    tests = [f"검사 [`{test.partition('::')[2]}`](../{test.partition('::')[0]})" for test in one.get("tests", ())]
    return "<br>".join([*recordings, *tests])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from podlab.projection.fidelity import features

    PAGE.write_text(render(features()), encoding="utf-8")
