"""Resource quantities: `500m`, `64Mi`, `1.5`, `1e3` (apimachinery/pkg/api/resource/quantity.go)."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

# quantity.go, splitREString: the very text that the server quotes when a quantity does not parse
PATTERN_TEXT = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
PATTERN = re.compile(r"(?!\Z)([+-]?)(\d*(?:\.\d*)?)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+)?\Z")
BINARY = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4, "Pi": 1024**5, "Ei": 1024**6}
DECIMAL = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(10**3),
           "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12), "P": Fraction(10**15), "E": Fraction(10**18)}


DIGITS_MAX = 400
"""Digits and powers of ten of one number. Go's inf.Dec holds any; so long a number can only be meant to make a server count for ever."""
MAX_ALLOWED = 2**63 - 1  # maxAllowed: what ParseQuantity cuts a quantity with a binary suffix to


class QuantityError(ValueError):
    """Not a quantity; the text is the API server's."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Fraction:
    """The exact value in base units (cores, bytes, pieces). Raises QuantityError."""
    match = PATTERN.match(text)
    if not match:
        raise QuantityError(_complaint(text))
    suffix = match.group(3) or ""
    exponent = _exponent(suffix[1:]) if suffix[:1] in ("e", "E") and suffix not in BINARY and len(suffix) > 1 else 0
    if len(match.group(2)) > DIGITS_MAX or exponent > DIGITS_MAX:
        raise QuantityError("unable to parse numeric part of quantity")  # ErrNumeric
    sign, number = match.group(1), Fraction(0 if match.group(2) in ("", ".") else match.group(2))  # `Mi`: nothing at all
    if suffix in BINARY:
        number = min(number * BINARY[suffix], Fraction(MAX_ALLOWED))
    elif suffix[:1] in ("e", "E") and len(suffix) > 1:
        number *= Fraction(10) ** exponent
    else:
        number *= DECIMAL[suffix]
    return -number if sign == "-" else number


def _exponent(text: str) -> int:
    """A power of ten; one far below nano, the least that is held, is as good as another."""
    power = int(text.lstrip("+-0")[:6] or 0)
    return -min(power, 2 * DIGITS_MAX) if text.startswith("-") else power


def _complaint(text: str) -> str:
    """What ParseQuantity says of a text: ErrSuffix for a well-formed one whose suffix means nothing, else ErrFormatWrong."""
    if re.match(r"(?!\Z)[+-]?\d*(\.\d*)?[eEinumkKMGTP]*[-+]?[0-9]*\Z", text):
        return "unable to parse quantity's suffix"
    return f"quantities must match the regular expression '{PATTERN_TEXT}'"


def milli(text: str | int | None) -> int:
    """Thousandths, rounded up (Quantity.MilliValue); None is 0."""
    return 0 if text is None else -((-parse(str(text)) * 1000) // 1)


def value(text: str | int | None) -> int:
    """Whole units, rounded up (Quantity.Value); None is 0."""
    return 0 if text is None else -(-parse(str(text)) // 1)


def canonical(text: str) -> str:
    """The form that the server stores: `1000m` -> `1`, `0.5` -> `500m`, `1024Ki` -> `1Mi`; the suffix family is kept."""
    match = PATTERN.match(text)
    if not match:
        raise QuantityError(_complaint(text))
    suffix = match.group(3) or ""
    amount = parse(text)
    if _stays(match.group(2), suffix):
        return text
    if suffix in BINARY:
        return format_binary(amount)
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return format_exponent(amount)
    return format_decimal(amount)


INT64_FACTORS = 18  # maxInt64Factors, the digits that surely fit


def _stays(number: str, suffix: str) -> bool:
    """Whether ParseQuantity takes a text for canonical and keeps it, which it does of more than is: `1.250`, `+5`, `01`."""
    whole, _, part = number.partition(".")
    whole = whole.lstrip("0") or "0"
    if suffix in BINARY:
        power = 10 * (1 + [*BINARY].index(suffix))
        return not part and 15 - len(whole) - power * 3 // 10 - 1 >= 0 and int(whole) % 8 != 0
    digits = whole + part
    exponent = _exponent(suffix[1:]) if suffix[:1] in ("e", "E") and len(suffix) > 1 else SCALES[suffix]
    scale = exponent - len(part)
    return (len(digits) <= INT64_FACTORS and scale >= SCALES["n"] and scale % 3 == 0 and digits[0] != "0"
            and not digits.endswith("000"))


SCALES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def format_binary(amount: Fraction | int) -> str:
    amount = Fraction(amount)
    if amount.denominator != 1 or abs(amount) < 1024:
        return format_decimal(amount)
    number, best = amount.numerator, ""
    for suffix, factor in BINARY.items():
        if number % factor == 0:
            best = suffix
    return f"{number // BINARY[best]}{best}" if best and number else str(number)


def format_decimal(amount: Fraction | int) -> str:
    amount = Fraction(amount)
    if amount == 0:
        return "0"
    for suffix in ("E", "P", "T", "G", "M", "k", "", "m", "u", "n"):
        scaled = amount / DECIMAL[suffix]
        if scaled.denominator == 1:
            return f"{scaled.numerator}{suffix}"
    return f"{-(-(amount * 10**9) // 1)}n"  # finer than nano is rounded up


def format_exponent(amount: Fraction) -> str:
    for power in (18, 15, 12, 9, 6, 3):
        scaled = amount / 10**power
        if amount and scaled.denominator == 1:
            return f"{scaled.numerator}e{power}"
    return format_decimal(amount)
