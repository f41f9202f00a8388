"""A learner's session: started with a nickname and one click, kept in a signed cookie, resumed elsewhere by a code."""

import ipaddress
import logging
import secrets
import unicodedata
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from podlab.labs.models import Learner

logger = logging.getLogger(__name__)

LEARNER_KEY = "learner"
CODE_KEY = "resume_code"
CROWD = 10  # addresses that guess as much as they may: then somebody has many
NICKNAME_MAX = 20  # characters, as Learner.nickname

# Crockford's base 32: no I, L, O or U, so nothing is misread from a blackboard. Twelve symbols are 60 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
LOOKALIKES = str.maketrans("OIL", "011")

# A code typed with the Korean keyboard layout still on: NFKD parts of 두벌식 Hangul, and the keys that make them.
HANGUL_KEYS = str.maketrans(
    {
        **dict(zip("ᄀᄁᄂᄃᄄᄅᄆᄇᄈᄉᄊᄋᄌᄍᄎᄏᄐᄑᄒ", "r R s e E f a q Q t T d w W c z x v g".split(), strict=True)),
        **dict(zip("ᅡᅢᅣᅤᅥᅦᅧᅨᅩᅪᅫᅬᅭᅮᅯᅰᅱᅲᅳᅴᅵ", "k o i O j p u P h hk ho hl y n nj np nl b m ml l".split(), strict=True)),
        **dict(
            zip(
                "ᆨᆩᆪᆫᆬᆭᆮᆯᆰᆱᆲᆳᆴᆵᆶᆷᆸᆹᆺᆻᆼᆽᆾᆿᇀᇁᇂ",
                "r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g".split(),
                strict=True,
            )
        ),
    }
)

COLOURS = "초록 파란 노란 하얀 보라 주황 은빛 금빛 푸른 맑은 새벽 구름".split()
ANIMALS = "고래 돌고래 수달 물개 펭귄 해마 거북 문어 갈매기 고둥 참치 해파리 바다사자 물범 가오리 소라게".split()


class TooManyAttempts(Exception):
    """More starts or wrong codes from one address than settings allow in a minute."""


def suggest_nickname() -> str:
    """A friendly Korean nickname such as 초록고래; not unique, names need not be."""
    return secrets.choice(COLOURS) + secrets.choice(ANIMALS)


def clean_nickname(text: str) -> str:
    """The nickname as stored: composed Hangul, no control or direction marks, at most NICKNAME_MAX; '' if nothing is left."""
    return visible(text)[:NICKNAME_MAX].strip()


def visible(text: str) -> str:
    """The text as one line, composed, without control and direction marks."""
    return " ".join("".join(c for c in unicodedata.normalize("NFC", text) if c.isspace() or c.isprintable()).split())


def new_code() -> str:
    """A fresh resume code, printed as K7QM-2ZXP-94HD."""
    symbols = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(symbols[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def clean_code(text: str) -> str:
    """The symbols of a code as a person typed it: any case, any dashes or spaces, look-alikes, or the Korean layout left on."""
    keys = unicodedata.normalize("NFKD", text[:200]).translate(HANGUL_KEYS).upper().translate(LOOKALIKES)
    return "".join(c for c in keys if c in ALPHABET)


def hash_code(code: str, key: str | None = None) -> str:
    """64 hex digits. Keyed, so that a stolen database cannot be searched for codes; 60 random bits need no stretching."""
    return salted_hmac("podlab.resume-code", clean_code(code), secret=key, algorithm="sha256").hexdigest()


def start(request: HttpRequest, nickname: str) -> Learner:
    """Create a learner and sign this browser in as it; the resume code waits in `take_code`. Raises TooManyAttempts."""
    count_attempt(request, "start", settings.LEARNER_STARTS_PER_MINUTE)
    code = new_code()
    learner = Learner.objects.create(nickname=clean_nickname(nickname) or suggest_nickname(), resume_code_hash=hash_code(code))
    sign_in(request, learner)
    request.session[CODE_KEY] = code
    return learner


def resume(request: HttpRequest, code: str) -> Learner | None:
    """Sign this browser in as the learner of `code`; None if there is none. Raises TooManyAttempts after too many wrong ones."""
    check_attempts(request, "resume", settings.LEARNER_RESUME_FAILURES_PER_MINUTE)
    hashes = [hash_code(code, key) for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]]
    learner = Learner.objects.filter(resume_code_hash__in=hashes).first() if len(clean_code(code)) == CODE_LENGTH else None
    if learner is None:
        count_attempt(request, "resume", settings.LEARNER_RESUME_FAILURES_PER_MINUTE)
        return None
    sign_in(request, learner)
    return learner


def renew_code(request: HttpRequest, learner: Learner) -> None:
    """Give the learner a new resume code, to be shown by `take_code`; the old one stops working."""
    request.session[CODE_KEY] = give_code(learner)


def give_code(learner: Learner) -> str:
    """A new resume code; the old one stops working."""
    code = new_code()
    learner.resume_code_hash = hash_code(code)
    learner.save(update_fields=["resume_code_hash"])
    return code


def take_code(request: HttpRequest) -> str | None:
    """The resume code to show on this page, once: after it only the hash is left."""
    return request.session.pop(CODE_KEY, None)


def leave(request: HttpRequest) -> None:
    """Forget the learner on this browser; the code brings it back."""
    request.session.flush()


def sign_in(request: HttpRequest, learner: Learner) -> None:
    request.session.flush()
    request.session[LEARNER_KEY] = str(learner.pk)


def learner_of(session: Any) -> Learner | None:
    """The learner that a session (of a request or of a websocket scope) names; None without one or when it was removed."""
    try:
        learner_id = uuid.UUID(session.get(LEARNER_KEY))
    except (TypeError, ValueError, AttributeError):  # none, or a cookie that an older PodLab signed
        return None
    learner = Learner.objects.filter(pk=learner_id).first()
    if learner is not None and learner.merged_into is not None:
        learner = learner.merged_into
    if learner and timezone.now() - learner.last_seen > timedelta(minutes=1):
        Learner.objects.filter(pk=learner.pk).update(last_seen=timezone.now())
    return learner


def client_address(request: HttpRequest) -> str:
    """The visitor's address; behind our proxy, the last entry of X-Forwarded-For (the only one the proxy vouches for)."""
    if settings.BEHIND_PROXY:
        return request.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
    return request.META.get("REMOTE_ADDR", "")


def attempts_key(request: HttpRequest, action: str) -> str:
    return f"attempts:{action}:{network_of(client_address(request))}"


def network_of(address: str) -> str:
    """The address; of IPv6 the 64 bits that one household has all to itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def check_attempts(request: HttpRequest, action: str, limit: int) -> None:
    """Before a guess. While all addresses together guess wrong as much as CROWD of them may, each has few tries. Raises TooManyAttempts."""
    crowded = cache.get(f"attempts:{action}:", 0) >= limit * CROWD
    if cache.get(attempts_key(request, action), 0) >= (max(limit // CROWD, 2) if crowded else limit):
        raise TooManyAttempts(action)


def count_attempt(request: HttpRequest, action: str, limit: int) -> None:
    """One more in the minute that began with the first attempt. Raises TooManyAttempts."""
    _one_more(f"attempts:{action}:")
    tries = _one_more(attempts_key(request, action))
    if tries == limit:
        logger.warning("No more tries from one address for a minute: %s", action)
    if tries > limit:
        raise TooManyAttempts(action)


def _one_more(key: str) -> int:
    if cache.add(key, 1, timeout=60):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # the minute ended between the two calls
        cache.add(key, 1, timeout=60)
        return 1
