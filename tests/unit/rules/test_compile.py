"""From a document to what the core decides by: labels add-only, names resolved, everything exact."""

import pytest

from crowdroute.router.commands.project import ApplyRules, CreateProject
from crowdroute.router.machine.project import intake
from crowdroute.router.model import rules as model
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.states import Mode
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.errors import Problem, RulesError
from crowdroute.router.rules.references import References
from crowdroute.router.state.project import Project

MUNICH, VIENNA, ACME = bytes([1] * 16), bytes([2] * 16), bytes([3] * 16)
REFERENCES = References({"munich": MUNICH, "vienna": VIENNA}, {"acme": ACME})


def document(labels: str, rest: str = "") -> str:
    return f"schema: crowdroute.rules/v1\nlabels: {labels}\n{rest}"


def labels_of(rules: model.ProjectRules) -> list[tuple[str, bool]]:
    return [(label.id, label.removed) for label in rules.fields[0].labels]


def only_problem(text: str, previous: model.ProjectRules | None = None) -> Problem:
    with pytest.raises(RulesError) as caught:
        compile_rules(text, 2, previous, REFERENCES)
    (problem,) = caught.value.problems
    return problem


def test_what_a_document_leaves_out_has_the_defaults_of_the_core() -> None:
    rules = compile_rules(document("[cat, dog]"), 1)
    labels = (model.Label("cat"), model.Label("dog"))
    assert rules == model.ProjectRules(1, (model.Field("label", labels),))


def test_every_key_reaches_the_rules_exactly() -> None:
    text = """\
schema: crowdroute.rules/v1
fields:
  - id: sentiment
    labels: [good, {id: bad, title: Not good}, {id: odd, removed: true}]
  - {id: topic, labels: [price, other]}
guideline: "2024-05"
routing:
  policy: fifo
  exploration: 3%
  window: 400
  lease: {duration: 90s, extensions: 2, attempts: 4, per_worker: 7}
quality:
  overlap: {minimum: 3, maximum: 9}
  stopping: {target: 0.99, at_maximum: escalate}
  gold: {share: 0.1, first: 12}
  review: {mode: enforce, threshold: 0.8, share: 2%}
  refit: {every: 1h30m, answers: 40}
people:
  skills: {radiology: 0.7, anatomy: 20%}
  languages: [de, pt-br]
  pools: [vienna, munich]
  vendors: [acme]
  humans_only: true
money:
  currency: EUR
  crowd: "0.05"
  senior: "0.12"
  expert: "1.000001"
  bonuses:
    - id: weekly
      mode: enforce
      least_checked: 30
      period: 1d
      bands: [{from: 0.8, amount: "2"}, {from: 90%, amount: "5.5"}]
"""
    assert compile_rules(text, 7, None, REFERENCES, code="1.2.3") == model.ProjectRules(
        version=7,
        fields=(
            model.Field(
                "sentiment",
                (model.Label("good"), model.Label("bad", "Not good"), model.Label("odd", removed=True)),
            ),
            model.Field("topic", (model.Label("price"), model.Label("other"))),
        ),
        guideline="2024-05",
        requirement=Requirement(
            (SkillNeed("radiology", 0.7), SkillNeed("anatomy", 0.2)),
            ("de", "pt-br"),
            (VIENNA, MUNICH),
            (ACME,),
            True,
        ),
        overlap=model.Overlap(3, 9),
        stopping=model.Stopping(0.99, True),
        lease=model.LeaseTerms(90_000_000, 2, 4, 7),
        gold=model.GoldPlan(0.1, 12),
        prices=model.Prices(50_000, 120_000, 1_000_001, "EUR"),
        review=model.ReviewPlan(Mode.ENFORCE, 0.8, 0.02),
        bonuses=(
            model.BonusPlan(
                "weekly",
                (model.BonusBand(0.8, 2_000_000), model.BonusBand(0.9, 5_500_000)),
                30,
                86_400_000_000,
                Mode.ENFORCE,
            ),
        ),
        routing=model.Routing("fifo", 0.03, 400),
        code="1.2.3",
        refit=model.RefitPlan(5_400_000_000, 40),
    )


def test_a_label_left_out_is_removed_under_its_code_and_new_ones_follow() -> None:
    first = compile_rules(document("[cat, {id: dog, title: Dog}, cow]"), 1)
    second = compile_rules(document("[owl, cow, cat]"), 2, first)
    assert labels_of(second) == [("cat", False), ("dog", True), ("cow", False), ("owl", False)]
    assert second.fields[0].labels[1].title == "Dog"


def test_a_removed_label_comes_back_under_its_old_code() -> None:
    first = compile_rules(document("[cat, {id: dog, title: Dog}, cow]"), 1)
    second = compile_rules(document("[cat, cow]"), 2, first)
    third = compile_rules(document("[dog, cat, cow, owl]"), 3, second)
    assert labels_of(third) == [("cat", False), ("dog", False), ("cow", False), ("owl", False)]


def test_a_removed_label_cannot_come_back_as_something_else() -> None:
    first = compile_rules(document("[cat, {id: dog, title: Dog}, cow]"), 1)
    second = compile_rules(document("[cat, cow]"), 2, first)
    problem = only_problem(document("[cat, cow, {id: dog, title: Hot dog}]"), second)
    assert (problem.line, problem.column, problem.path) == (2, 20, "labels[2]")
    assert problem.what == "'dog' was removed as 'Dog' and cannot come back as 'Hot dog'"


def test_the_title_of_a_label_in_use_may_be_bettered() -> None:
    first = compile_rules(document("[cat, {id: dog, title: Dgo}]"), 1)
    second = compile_rules(document("[cat, {id: dog, title: Dog}]"), 2, first)
    assert second.fields[0].labels[1] == model.Label("dog", "Dog")


def test_two_labels_must_remain() -> None:
    first = compile_rules(document("[cat, dog]"), 1)
    problem = only_problem(document("[cat]"), first)
    assert (problem.path, problem.what) == ("labels", "there is nothing to choose from")


def test_removed_labels_count_towards_the_most() -> None:
    first = compile_rules(document(f"[{', '.join(f'l{n}' for n in range(511))}]"), 1)
    problem = only_problem(document("[a, b]"), first)
    assert problem.what == "with those removed before there are 513 labels, more than 512"


def test_a_field_left_out_is_refused_and_a_new_one_follows() -> None:
    first = compile_rules(document("[cat, dog]"), 1)
    head = "schema: crowdroute.rules/v1\nfields:\n  - {id: size, labels: [small, large]}\n"
    problem = only_problem(head, first)
    assert (problem.line, problem.path, problem.what) == (2, "fields", "the field 'label' is missing")
    second = compile_rules(head + "  - {id: label, labels: [dog, cat]}\n", 2, first)
    assert [field.id for field in second.fields] == ["label", "size"]
    assert labels_of(second) == [("cat", False), ("dog", False)]


def test_a_complaint_about_one_of_several_fields_stands_at_its_labels() -> None:
    text = "schema: crowdroute.rules/v1\nfields:\n  - {id: a, labels: [x, y]}\n  - {id: b, labels: [z]}\n"
    problem = only_problem(text)
    assert (problem.line, problem.column, problem.path) == (4, 13, "fields[1].labels")


def test_pools_and_vendors_may_be_given_by_id() -> None:
    text = document("[a, b]", f"people: {{pools: [{to_text(Kind.POOL, VIENNA)}]}}")
    assert compile_rules(text, 1, None, REFERENCES).requirement.pools == (VIENNA,)


@pytest.mark.parametrize(
    ("people", "path", "what", "advice"),
    [
        ("pools: [munic]", "people.pools[0]", "there is no pool 'munic'", "did you mean 'munich'?"),
        ("vendors: [x]", "people.vendors[0]", "there is no vendor 'x'", "add the vendor first"),
        (
            f"pools: [{to_text(Kind.POOL, ACME)}]",
            "people.pools[0]",
            "there is no pool 'pol_0303",
            "add the pool",
        ),
        (
            f"pools: [munich, {to_text(Kind.POOL, MUNICH)}]",
            "people.pools[1]",
            "'pol_0101",
            "keep one of the two",
        ),
    ],
)
def test_what_the_organisation_does_not_have_is_refused(
    people: str, path: str, what: str, advice: str
) -> None:
    problem = only_problem(document("[a, b]", f"people: {{{people}}}"))
    assert (problem.line, problem.path) == (3, path)
    assert problem.what.startswith(what)
    assert problem.advice.startswith(advice)


def test_problems_of_compiling_are_told_together_with_those_of_reading() -> None:
    first = compile_rules(document("[cat, dog]"), 1)
    text = document("[cat]", "people: {pools: [graz], languages: [DE]}\nmoney: {currency: EUR}\nxyz: 1\n")
    with pytest.raises(RulesError) as caught:
        compile_rules(text, 2, first, REFERENCES)
    assert [problem.path for problem in caught.value.problems] == [
        "labels",
        "people.pools[0]",
        "people.languages[0]",
        "money.currency",
        "xyz",
    ]


def test_a_project_keeps_its_currency() -> None:
    first = compile_rules(document("[cat, dog]", "money: {currency: EUR}"), 1)
    problem = only_problem(document("[cat, dog]", 'money: {crowd: "1"}'), first)
    assert (problem.path, problem.what) == ("money", "the project pays in EUR, not in USD")


def test_a_bonus_keeps_its_period() -> None:
    bonuses = "money: {bonuses: [{id: a, least_checked: 1, period: %s, bands: [{from: 50%%, amount: '1'}]}]}"
    first = compile_rules(document("[cat, dog]", bonuses % "1d"), 1)
    assert compile_rules(document("[cat, dog]", bonuses % "24h"), 2, first).bonuses == first.bonuses
    problem = only_problem(document("[cat, dog]", bonuses % "7d"), first)
    assert (problem.path, problem.what) == ("money.bonuses[0].period", "bonus 'a' is decided every 1d")
    assert (problem.line, problem.column) == (3, 53)


def test_the_core_takes_over_what_was_compiled_version_after_version() -> None:
    state = Project()
    first = compile_rules(document("[cat, dog, cow]"), 1)
    events = list(intake.create(state, CreateProject(bytes([9] * 16), "pets", first), 0))
    assert len(events) == 2
    state.rules, state.history = first, [first]
    second = compile_rules(document("[owl, cow, cat]"), 2, first)
    assert len(list(intake.apply_rules(state, ApplyRules(second), 0))) == 1
