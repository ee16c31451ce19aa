"""A document says less by extending a template, and it is always known what came from where."""

import pytest

from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.errors import Problem, RulesError
from crowdroute.router.rules.reading import read_document

HEAD = "schema: crowdroute.rules/v1\n"
TEMPLATES = {
    "standard@1": HEAD + "quality: {overlap: {minimum: 1, maximum: 3}}\n",
    "standard@2": HEAD
    + """\
labels: [cat, dog]
quality:
  overlap: {minimum: 3, maximum: 7}
  gold: {share: 10%}
people:
  skills: {pets: 0.5}
  languages: [de, fr]
money: {crowd: "0.10"}
""",
}


def problems_of(text: str, templates: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(RulesError) as caught:
        compile_rules(HEAD + text, 1, templates=TEMPLATES if templates is None else templates)
    return list(caught.value.problems)


def test_what_the_document_leaves_out_comes_from_the_template() -> None:
    text = HEAD + "extends: standard@2\nlabels: [cat, dog]\nquality: {overlap: {minimum: 2}}\n"
    rules = compile_rules(text, 1, templates=TEMPLATES)
    assert (rules.overlap.minimum, rules.overlap.maximum) == (2, 7)
    assert rules.gold.share == 0.1
    assert rules.gold.first == 5
    assert rules.prices.crowd_micros == 100_000


def test_lists_and_skills_are_taken_whole() -> None:
    text = HEAD + "extends: standard@2\npeople: {skills: {}, languages: [it]}\n"
    requirement = compile_rules(text, 1, templates=TEMPLATES).requirement
    assert requirement.skills == ()
    assert requirement.languages == ("it",)


def test_a_project_may_take_its_labels_from_the_template() -> None:
    rules = compile_rules(HEAD + "extends: standard@2\n", 1, templates=TEMPLATES)
    assert [label.id for label in rules.fields[0].labels] == ["cat", "dog"]


def test_fields_of_the_document_replace_labels_of_the_template() -> None:
    text = HEAD + "extends: standard@2\nfields: [{id: size, labels: [small, large]}]\n"
    rules = compile_rules(text, 1, templates=TEMPLATES)
    assert [field.id for field in rules.fields] == ["size"]


def test_it_is_recorded_what_came_from_the_template() -> None:
    text = HEAD + "extends: standard@2\nlabels: [a, b]\nquality: {overlap: {minimum: 2}}\npeople: {}\n"
    reading = read_document(text, TEMPLATES)
    assert reading.provenance() == {
        "quality.overlap.maximum": "standard@2",
        "quality.gold": "standard@2",
        "people.skills": "standard@2",
        "people.languages": "standard@2",
        "money": "standard@2",
    }
    assert reading.document.extends == "standard@2"


def test_a_document_that_extends_nothing_has_no_provenance() -> None:
    assert read_document(HEAD + "labels: [a, b]\n", TEMPLATES).provenance() == {}


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("standard@9", "its versions are standard@1, standard@2"),
        ("standart@1", "did you mean 'standard@1'?"),
        ("xyz@1", "the templates are standard@1, standard@2"),
    ],
)
def test_a_template_that_is_not_there_is_refused_with_those_that_are(name: str, advice: str) -> None:
    (problem,) = problems_of(f"extends: {name}\n")
    assert (problem.line, problem.column, problem.path) == (2, 10, "extends")
    assert problem.what == f"there is no template {name!r}"
    assert problem.advice == advice


def test_without_templates_the_advice_is_to_extend_none() -> None:
    (problem,) = problems_of("extends: standard@1\n", {})
    assert problem.advice == "there are no templates yet: leave extends out"


def test_a_problem_in_the_template_names_the_template_and_the_line_there() -> None:
    templates = {"house@1": HEAD + "money: {crowd: 1}\nquality: {gold: {share: 9}}\n"}
    found = problems_of("extends: house@1\nlabels: [a, a]\nquality: {gold: {first: x}}\n", templates)
    assert [(problem.template, problem.line, problem.path) for problem in found] == [
        ("", 3, "labels[1]"),
        ("", 4, "quality.gold.first"),
        ("house@1", 2, "money.crowd"),
        ("house@1", 3, "quality.gold.share"),
    ]
    assert str(found[2]).startswith("template house@1, line 2, column 16: money.crowd: the number 1 is not")


def test_a_template_that_cannot_be_read_is_refused_with_its_name() -> None:
    templates = {"house@1": HEAD + "labels: [a, a\n", "old@1": "schema: crowdroute.rules/v0\n"}
    (broken,) = problems_of("extends: house@1\n", templates)
    assert (broken.template, broken.what) == ("house@1", "the list in brackets is not closed")
    (old,) = problems_of("extends: old@1\n", templates)
    assert (old.template, old.what) == ("old@1", "'crowdroute.rules/v0' is not a schema of rules")


def test_a_template_cannot_extend_another() -> None:
    templates = {**TEMPLATES, "house@1": HEAD + "extends: standard@2\n"}
    (problem,) = problems_of("extends: house@1\nlabels: [a, b]\n", templates)
    assert (problem.template, problem.line, problem.what) == (
        "house@1",
        2,
        "a template cannot extend another",
    )


def test_a_template_may_be_bytes_and_need_not_be_complete() -> None:
    text = HEAD + "extends: standard@1\nlabels: [a, b]\n"
    rules = compile_rules(text.encode(), 1, templates={"standard@1": TEMPLATES["standard@1"].encode()})
    assert rules.overlap.maximum == 3
