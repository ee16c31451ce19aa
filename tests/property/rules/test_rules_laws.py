"""Whatever the rules are: they survive being written and read, and no text breaks the reader."""

from contextlib import suppress
from fractions import Fraction

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from crowdroute.router.model import rules as model
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.states import Mode
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.describe import describe
from crowdroute.router.rules.diff import differences
from crowdroute.router.rules.errors import RulesError
from crowdroute.router.rules.paths import Path
from crowdroute.router.rules.quantities import (
    LONGEST_US,
    SHORTEST_US,
    read_duration,
    read_share,
    write_duration,
)
from crowdroute.router.rules.references import References
from crowdroute.router.rules.schema import json_schema
from crowdroute.router.rules.strict_yaml import UNREADABLE, Tree, read

POOLS = {f"pool {n}": bytes([n] * 16) for n in range(1, 5)}
VENDORS = {"acme": bytes([9] * 16), "no": bytes([8] * 16)}
REFERENCES = References(POOLS, VENDORS)
SCHEMA = Draft202012Validator(json_schema())

# Text that other readers of YAML take for something else comes up often.
TRAPS = st.sampled_from(
    [
        "no",
        "true",
        "null",
        "~",
        "1",
        "1e5",
        "0x1F",
        "12:30:45",
        "2024-05-01",
        "- a",
        "a: b",
        "#",
        "'",
        '"',
        "<<",
    ]
)
NAMES = TRAPS | st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=12).map(
    str.strip
).filter(bool)
TITLES = TRAPS | st.text(
    st.characters(exclude_categories=("Cc", "Cn", "Co", "Cs", "Zl", "Zp")), max_size=20
).map(str.strip)
SHARES = st.floats(0, 1).map(lambda share: share + 0.0)
POSITIVE = st.floats(0, 1, exclude_min=True)
MODES = st.sampled_from(Mode)
DURATIONS = st.integers(SHORTEST_US, LONGEST_US) | st.integers(1, 366 * 86_400).map(lambda s: s * 1_000_000)
AMOUNTS = st.integers(0, 2**63 - 1)


def unique(values: st.SearchStrategy[str], least: int = 0, most: int = 4) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=least, max_size=most, unique=True)


@st.composite
def fields(draw: st.DrawFn) -> tuple[model.Field, ...]:
    names = draw(st.just(["label"]) | unique(NAMES, 1, 3))
    return tuple(
        model.Field(
            name,
            tuple(
                model.Label(label, draw(TITLES), place > 1 and draw(st.booleans()))
                for place, label in enumerate(draw(unique(NAMES, 2, 5)))
            ),
        )
        for name in names
    )


@st.composite
def bonuses(draw: st.DrawFn) -> model.BonusPlan:
    bounds = sorted(draw(st.sets(POSITIVE, min_size=1, max_size=3)))
    amounts = sorted(draw(st.lists(st.integers(1, 10**15), min_size=len(bounds), max_size=len(bounds))))
    bands = tuple(map(model.BonusBand, bounds, amounts))
    return model.BonusPlan(draw(NAMES), bands, draw(st.integers(1, 10**6)), draw(DURATIONS), draw(MODES))


@st.composite
def rules(draw: st.DrawFn) -> model.ProjectRules:
    least, most = sorted(draw(st.tuples(st.integers(1, 1000), st.integers(1, 1000))))
    whole = st.integers(1, 10_000)
    plans = draw(st.lists(bonuses(), max_size=2, unique_by=lambda plan: plan.id))
    return model.ProjectRules(
        version=draw(st.integers(1, 99)),
        fields=draw(fields()),
        guideline=draw(TITLES),
        requirement=Requirement(
            tuple(SkillNeed(name, draw(SHARES)) for name in draw(unique(NAMES))),
            tuple(draw(unique(st.sampled_from(["de", "no", "pt-br", "on"])))),
            tuple(POOLS[name] for name in draw(unique(st.sampled_from(sorted(POOLS))))),
            tuple(VENDORS[name] for name in draw(unique(st.sampled_from(sorted(VENDORS))))),
            draw(st.booleans()),
        ),
        overlap=model.Overlap(least, most),
        stopping=model.Stopping(draw(POSITIVE), draw(st.booleans())),
        lease=model.LeaseTerms(draw(DURATIONS), draw(whole), draw(whole), draw(whole)),
        gold=model.GoldPlan(draw(SHARES), draw(st.integers(0, 10_000))),
        prices=model.Prices(
            draw(AMOUNTS), draw(AMOUNTS), draw(AMOUNTS), draw(st.sampled_from(["EUR", "USD"]))
        ),
        review=model.ReviewPlan(draw(MODES), draw(SHARES), draw(SHARES)),
        bonuses=tuple(plans),
        routing=model.Routing(
            draw(st.sampled_from(["information_gain", "fifo", "random"])),
            draw(SHARES),
            draw(st.integers(0, 10**6)),
        ),
        code=draw(st.text(max_size=5)),
        refit=model.RefitPlan(
            draw(st.just(0) | DURATIONS.map(lambda every: max(every, model.SHORTEST_REFIT_US))),
            draw(st.integers(1, 10**6)),
        ),
    )


@given(rules())
def test_described_rules_compile_to_the_same_rules(some: model.ProjectRules) -> None:
    text = describe(some, REFERENCES)
    assert compile_rules(text, some.version, None, REFERENCES, code=some.code) == some
    # In force already, they change nothing.
    assert compile_rules(text, some.version, some, REFERENCES, code=some.code) == some


@given(rules())
def test_a_description_is_canonical(some: model.ProjectRules) -> None:
    text = describe(some, REFERENCES)
    assert describe(compile_rules(text, 1, None, REFERENCES), REFERENCES) == text


@given(rules())
def test_a_description_fits_the_json_schema_as_any_reader_of_yaml_reads_it(some: model.ProjectRules) -> None:
    SCHEMA.validate(yaml.load(describe(some, REFERENCES), Loader=yaml.CSafeLoader))


PARTS = {
    "guideline": "guideline",
    "requirement": "people",
    "overlap": "quality",
    "stopping": "quality",
    "lease": "routing",
    "gold": "quality",
    "prices": "money",
    "review": "quality",
    "refit": "quality",
    "bonuses": "money",
    "routing": "routing",
}


@given(rules(), rules(), st.sampled_from(sorted(PARTS)))
def test_a_change_of_one_part_shows_in_its_section_alone(
    one: model.ProjectRules, other: model.ProjectRules, part: str
) -> None:
    before, after = getattr(one, part), getattr(other, part)
    changed = msgspec.structs.replace(one, **{part: after}, version=one.version + 1)
    changes = differences(one, changed, REFERENCES)
    assert {path.split(".")[0] for path, _, _ in changes} == (
        {PARTS[part]} if in_order(before) != in_order(after) else set()
    )
    back = differences(changed, one, REFERENCES)
    assert {(path, after, before) for path, before, after in changes} == set(back)


def in_order(part: object) -> object:
    """Give a part without what has no meaning: the order of skills and of bonuses."""
    if isinstance(part, Requirement):
        return msgspec.structs.replace(part, skills=tuple(sorted(part.skills, key=lambda need: need.name)))
    return sorted(part, key=lambda plan: plan.id) if isinstance(part, tuple) else part


@given(st.lists(unique(st.sampled_from("abcdefgh"), 2, 8), min_size=1, max_size=6))
def test_a_code_once_given_means_its_label_for_ever(versions: list[list[str]]) -> None:
    previous: model.ProjectRules | None = None
    for number, order in enumerate(versions, 1):
        text = f"schema: crowdroute.rules/v1\nlabels: [{', '.join(order)}]\n"
        current = compile_rules(text, number, previous)
        codes = [label.id for label in current.fields[0].labels]
        assert len(set(codes)) == len(codes)
        assert {label.id for label in current.fields[0].labels if not label.removed} == set(order)
        if previous is not None:
            before = [label.id for label in previous.fields[0].labels]
            assert codes[: len(before)] == before
        previous = current


@given(st.integers(SHORTEST_US, LONGEST_US))
def test_a_duration_is_read_as_it_was_written(microseconds: int) -> None:
    assert read_duration(write_duration(microseconds)) == microseconds


@given(st.integers(0, 10_000))
def test_a_percentage_is_the_float_nearest_to_the_share(hundredths: int) -> None:
    whole, part = divmod(hundredths, 100)
    assert read_share(f"{whole}.{part:02d}%") == float(Fraction(hundredths, 10_000))


PIECES = st.sampled_from(
    [
        *"abc123:,-[]{}#&*!|>'\"%@`? \n\t\r~=<.",
        "\n  ",
        ": ",
        "- ",
        "\n- ",
        "key: ",
        "<<: ",
        "--- ",
        "&a ",
        "*a",
        "!!str ",
        "null",
    ]
)


def as_written(tree: Tree, path: Path = (), value: object = UNREADABLE) -> object:
    """Give a tree with the text of each scalar in its place."""
    value = tree.value if not path else value
    if isinstance(value, dict):
        return {key: as_written(tree, (*path, key), inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [as_written(tree, (*path, place), inner) for place, inner in enumerate(value)]
    return tree.written[path]


@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=60))
def test_a_text_is_read_as_libyaml_reads_it_or_complained_of(text: str) -> None:
    tree = read(text)
    for problem in tree.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.what
        assert problem.advice
    if not tree.problems:
        assert as_written(tree) == yaml.load(text, Loader=yaml.CBaseLoader)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_document_breaks_the_compiler(rest: str) -> None:
    compiled = None
    with suppress(RulesError):
        compiled = compile_rules("schema: crowdroute.rules/v1\nlabels: [a, b]\n" + rest, 1)
    assert compiled is None or [label.id for label in compiled.fields[0].labels] == ["a", "b"]


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    tree = read(raw)
    assert (tree.value is UNREADABLE) <= bool(tree.problems)
