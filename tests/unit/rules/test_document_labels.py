"""Labels and fields of a document."""

import pytest
from tests.unit.rules.documents import document_of, only_problem, problems_of


@pytest.mark.parametrize(
    ("labels", "column", "path", "what"),
    [
        ("[a, a]", 13, "labels[1]", "'a' is named twice"),
        ("[a]", 1, "labels", "there is nothing to choose from"),
        ("[]", 1, "labels", "there is nothing to choose from"),
        ("[a, {id: b, removed: true}]", 1, "labels", "there is nothing to choose from"),
        ("[a, ' b']", 13, "labels[1]", "' b' cannot be a name"),
        ("[a, {title: B}]", 13, "labels[1]", "the key 'id' is missing"),
        ("[a, [b]]", 13, "labels[1]", "a list is not a label"),
        ("{a: b}", 1, "labels", "a group of keys is not a list"),
        ("cat", 9, "labels", "the text 'cat' is not a list"),
        (f"[{', '.join(f'l{n}' for n in range(513))}]", 1, "labels", "513 labels"),
    ],
)
def test_labels_that_nobody_could_use_are_refused(labels: str, column: int, path: str, what: str) -> None:
    (problem,) = problems_of(f"schema: crowdroute.rules/v1\nlabels: {labels}")
    assert (problem.line, problem.column, problem.path) == (2, column, path)
    assert problem.what.startswith(what)


def test_fields_are_named_once() -> None:
    text = "schema: crowdroute.rules/v1\nfields:\n  - {id: f, labels: [a, b]}\n  - {id: f, labels: [c, d]}\n"
    (problem,) = problems_of(text)
    assert (problem.line, problem.path, problem.what) == (4, "fields[1]", "'f' is named twice")


def test_a_project_has_few_enough_fields_to_answer() -> None:
    fields = "\n".join(f"  - {{id: f{n}, labels: [a, b]}}" for n in range(33))
    (problem,) = problems_of(f"schema: crowdroute.rules/v1\nfields:\n{fields}")
    assert problem.what == "33 fields"


def test_labels_and_fields_exclude_each_other() -> None:
    problem = only_problem("fields: [{id: f, labels: [a, b]}]")
    assert (problem.path, problem.what) == ("fields", "labels and fields are both given")


def test_a_document_without_labels_is_refused() -> None:
    (problem,) = problems_of("schema: crowdroute.rules/v1\n")
    assert problem.what == "there are no labels"


def test_a_label_may_be_written_as_its_id_alone() -> None:
    labels = document_of("").labels
    assert labels is not None
    assert [(label.id, label.title, label.removed) for label in labels] == [
        ("cat", "", False),
        ("dog", "", False),
    ]


def test_titles_may_be_in_any_script() -> None:
    assert document_of("guideline: نمی‌خواهم 猫 🐈").guideline == "نمی‌خواهم 猫 🐈"
