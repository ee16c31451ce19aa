"""The values that rules are made of, as people write them and as the engine counts them.

Each kind has a reader, used by the pydantic models; it refuses with `expected` (a wrong kind of value) or
`unfit` (the right kind, out of bounds). Where the engine's form differs there is a writer for the way back.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Any
from unicodedata import category

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from crowdroute.router.model.rules import MICROSECONDS
from crowdroute.workers.errors import WorkersError
from crowdroute.workers.ledger import Money, format_amount, parse_amount
from crowdroute.workers.profile import check_language
from crowdroute.workers.skill import check_name

UNITS_US = {"d": 86_400 * MICROSECONDS, "h": 3_600 * MICROSECONDS, "m": 60 * MICROSECONDS, "s": MICROSECONDS}

SHORTEST_US = MICROSECONDS
"""One second: below it, deadlines are shorter than a slow connection's round trip."""
LONGEST_US = 366 * UNITS_US["d"]
"""A year: a longer lease or period is a mistake in the unit."""

LONGEST_TEXT = 500
"""Characters of a title or of the guideline: they travel in every log record of the rules."""

_DURATION = r"([0-9]{1,9}(\.[0-9]{1,6})?[dhms]){1,4}"
_PERCENT = r"(100(\.0{1,12})?|[0-9]{1,2}(\.[0-9]{1,12})?)%"
_TEMPLATE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}@[0-9]{1,9}"

_INVISIBLE = frozenset({"Cc", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of controls, line breaks and no characters at all; joiners (Cf) belong to scripts."""

_duration = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?([dhms])", re.ASCII)
_percent = re.compile(_PERCENT, re.ASCII)
_template = re.compile(_TEMPLATE, re.ASCII)


def expected(wanted: str, advice: str = "") -> PydanticCustomError:
    """Say that a value is not of the kind that is wanted."""
    return PydanticCustomError("rules_expected", "not {wanted}", {"wanted": wanted, "advice": advice})


def unfit(what: str, advice: str, place: int | None = None) -> PydanticCustomError:
    """Say why a value is no good; `place` is the element of a list that it is about."""
    return PydanticCustomError("rules_unfit", "{what}", {"what": what, "advice": advice, "place": place})


def read_duration(value: object) -> int:
    """Give the microseconds of `10m`, `45s`, `1h30m` or `0.5s`."""
    wanted = "a duration"
    example = "write numbers with d, h, m or s, the largest unit first, such as 10m, 45s, 1h30m or 7d"
    if not isinstance(value, str):
        raise expected(wanted, example)
    position, total, last = 0, 0, 0
    while position < len(value):
        match = _duration.match(value, position)
        if match is None:
            raise expected(wanted, example)
        whole, decimals, unit = match.groups()
        factor = UNITS_US[unit]
        if last and factor >= last:
            raise expected(wanted, example)
        total += int(whole + (decimals or "").ljust(6, "0")) * factor // MICROSECONDS
        position, last = match.end(), factor
    if not SHORTEST_US <= total <= LONGEST_US:
        if not value:
            raise expected(wanted, example)
        raise unfit(f"{value[:64]} is not between 1s and 366d", "check the unit: d, h, m or s")
    return total


def write_duration(microseconds: int) -> str:
    """Write microseconds as the shortest text in falling units that `read_duration` reads back."""
    parts: list[str] = []
    rest = microseconds
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, UNITS_US[unit])
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(f"{format_amount(rest)}s")
    return "".join(parts)


def read_share(value: object) -> float:
    """Give a share from a number in 0..1, or from a percentage such as `5%`."""
    if isinstance(value, str) and _percent.fullmatch(value):
        return float(Decimal(value[:-1]) / 100)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise expected("a share", "write a number from 0 to 1 such as 0.05, or a percentage such as 5%")
    if not 0 <= value <= 1:
        hint = f"write {value:g}% or {value / 100:g}" if 1 < value <= 100 else "write a number from 0 to 1"
        raise unfit(f"the share {value:g} is not between 0 and 1", hint)
    return float(value) + 0.0  # -0.0 becomes 0.0


def read_amount(value: object) -> int:
    """Give the micro-units of a decimal text such as "0.05"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise expected("an amount of money", 'write it in quotes, so that it stays exact: "{written}"')
    if not isinstance(value, str):
        raise expected("an amount of money", 'write decimal digits in quotes, such as "0.05"')
    try:
        micros = parse_amount(value)
    except WorkersError:
        raise expected(
            "an amount of money", 'write digits with at most 6 decimals in quotes, such as "0.05"'
        ) from None
    if micros < 0:
        raise unfit(f"{value} is negative", "write what is paid, as a positive amount")
    return micros


def read_currency(value: object) -> str:
    """Give a currency of three capital letters."""
    try:
        return Money(0, value if isinstance(value, str) else "").currency
    except WorkersError:
        raise expected("a currency", "write its three capital letters (ISO 4217), such as USD") from None


def read_name(value: object) -> str:
    """Give the id or name of something: what `crowdroute.workers.skill.check_name` lets through."""
    text = _text(value)
    try:
        check_name(text)
    except WorkersError:
        raise unfit(
            f"{text[:64]!r} cannot be a name",
            "write 1 to 128 visible characters, without spaces around them",
        ) from None
    return text


def read_text(value: object) -> str:
    """Give a title or another short text of one line; it may be empty."""
    text = _text(value)
    if len(text) > LONGEST_TEXT or text != text.strip() or any(category(each) in _INVISIBLE for each in text):
        raise unfit(
            f"{text[:64]!r} is not one line of text",
            f"write at most {LONGEST_TEXT} characters, without spaces around them or line breaks among them",
        )
    return text


def read_language(value: object) -> str:
    """Give a language tag in lower case."""
    text = _text(value)
    try:
        check_language(text)
    except WorkersError:
        lower = text.lower().replace("_", "-")
        raise unfit(
            f"{text[:64]!r} is not a language tag in lower case",
            f"write {lower!r}" if _is_language(lower) else "write one such as 'de' or 'pt-br' (BCP 47)",
        ) from None
    return text


def is_template(text: str) -> bool:
    """Say whether a text names a template and its version."""
    return _template.fullmatch(text) is not None


def read_template(value: object) -> str:
    """Give the name and version of a template."""
    if not isinstance(value, str) or not is_template(value):
        raise expected("a template", "write its name and version, such as standard@3")
    return value


def read_window(value: object) -> int:
    """Give the size of the window of tasks under way, 0 for `automatic`."""
    if value == "automatic":
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected("a window", "write a whole number of tasks, or automatic")
    if not 1 <= value <= 1_000_000:
        raise unfit(f"{value} is not between 1 and 1000000", "write a number of tasks, or automatic")
    return value


def read_pause(value: object) -> int:
    """Give the microseconds of a duration, 0 for `never`."""
    return 0 if value == "never" else read_duration(value)


def _is_language(tag: str) -> bool:
    try:
        check_language(tag)
    except WorkersError:
        return False
    return True


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        raise expected("text", 'put it in quotes: "{written}"')
    raise expected("text")


def _without_repetition(values: tuple[str, ...]) -> tuple[str, ...]:
    refuse_repetition(values)
    return values


def refuse_repetition(values: Collection[str]) -> None:
    """Refuse a list that names something twice, at the place of the second."""
    seen: set[str] = set()
    for place, value in enumerate(values):
        if value in seen:
            raise unfit(f"{value!r} is named twice", "keep one of the two", place)
        seen.add(value)


def _schema(kind: str, **keywords: Any) -> WithJsonSchema:
    """Give the JSON Schema of a kind of value; `x-type` is what the reference page calls it."""
    return WithJsonSchema({**keywords, "x-type": kind})


def _string(kind: str, pattern: str) -> WithJsonSchema:
    return _schema(kind, type="string", pattern=f"^{pattern}$")


Duration = Annotated[
    int, BeforeValidator(read_duration), PlainSerializer(write_duration), _string("duration", _DURATION)
]
"""Microseconds."""

Share = Annotated[
    float,
    BeforeValidator(read_share),
    _schema(
        "share",
        anyOf=[
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": f"^{_PERCENT}$"},
        ],
    ),
]
"""In 0..1."""

Amount = Annotated[
    int,
    BeforeValidator(read_amount),
    PlainSerializer(format_amount),
    _string("amount", r"[0-9]{1,13}(\.[0-9]{1,6})?"),
]
"""Micro-units, not negative."""

Currency = Annotated[str, BeforeValidator(read_currency), _string("currency", "[A-Z]{3}")]
Name = Annotated[str, BeforeValidator(read_name), _schema("name", type="string", minLength=1, maxLength=128)]
Text = Annotated[str, BeforeValidator(read_text), _schema("text", type="string", maxLength=LONGEST_TEXT)]
Language = Annotated[
    str, BeforeValidator(read_language), _string("language tag", r"[a-z]{2,8}(-[a-z0-9]{1,8})*")
]
Template = Annotated[str, BeforeValidator(read_template), _string("template", _TEMPLATE)]
Window = Annotated[
    int,
    BeforeValidator(read_window),
    PlainSerializer(lambda window: window or "automatic"),
    _schema(
        "whole number or `automatic`",
        anyOf=[{"type": "integer", "minimum": 1, "maximum": 1_000_000}, {"const": "automatic"}],
    ),
]
Pause = Annotated[
    int,
    BeforeValidator(read_pause),
    PlainSerializer(lambda pause: write_duration(pause) if pause else "never"),
    _schema(
        "duration or `never`", anyOf=[{"type": "string", "pattern": f"^{_DURATION}$"}, {"const": "never"}]
    ),
]
"""Microseconds."""
Names = Annotated[
    tuple[Name, ...], AfterValidator(_without_repetition), Field(json_schema_extra={"uniqueItems": True})
]
Languages = Annotated[
    tuple[Language, ...], AfterValidator(_without_repetition), Field(json_schema_extra={"uniqueItems": True})
]
