"""A report as a page and as Markdown: whole, self-contained, and safe whatever stands in the labels."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.aggregation import AnnotationSet, SmoothedDawidSkene, peer_agreement
from crowdroute.aggregation.findings import (
    ChoiceFindings,
    WorkerFindings,
    agreement_of,
    gold_counts,
    least_agreeing_pairs,
    most_disputed,
    score_of,
)
from crowdroute.aggregation.models import AUTO_MODELS
from crowdroute.aggregation.peers import confusion_intervals
from crowdroute.aggregation.report import Report, Section, to_html, to_markdown
from crowdroute.aggregation.report.choice import choice_report
from crowdroute.aggregation.report.document import Cell, table
from crowdroute.aggregation.selection import select_model

VOID = {"meta", "br", "line", "link"}


class Balance(HTMLParser):
    """Follows the tags of a page and keeps what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def crowd(labels: list[str], tasks: int = 30, workers: int = 5, seed: int = 0) -> AnnotationSet:
    rng = np.random.default_rng(seed)
    truth = rng.integers(len(labels), size=tasks)
    task, worker = np.divmod(np.arange(tasks * workers), workers)
    wrong = rng.random(len(task)) > 0.75
    codes = np.where(wrong, rng.integers(len(labels), size=len(task)), truth[task])
    return AnnotationSet.from_sequences(
        [f"t{t}" for t in task], [f"<w{w}>" for w in worker], [labels[code] for code in codes]
    )


def findings_of(annotations: AnnotationSet, gold: dict[str, str]) -> ChoiceFindings:
    selection, fitted = select_model(annotations, AUTO_MODELS, gold)
    reference = SmoothedDawidSkene().fit(annotations)
    peers = peer_agreement(annotations, reference.confusion_, reference.class_shares_, gold)
    right, checked = gold_counts(annotations, gold)
    width = np.full(annotations.n_workers, 0.1)
    posteriors = fitted.predict_proba()
    return ChoiceFindings(
        annotations,
        selection.chosen,
        selection,
        posteriors,
        agreement_of(annotations),
        WorkerFindings(
            np.bincount(annotations.workers).astype(np.int64),
            np.clip(peers.agreement, 0.1, 0.9),
            np.clip(peers.agreement, 0.1, 0.9) - width,
            np.clip(peers.agreement, 0.1, 0.9) + width,
            right,
            checked,
            *confusion_intervals(peers.confusion_counts),
        ),
        most_disputed(annotations, posteriors, 5),
        least_agreeing_pairs(annotations, 5),
        score_of(annotations, posteriors, gold),
    )


def assert_sound(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert not balance.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert balance.addresses == []
    for loaded in ("http", "@import", "url("):
        assert loaded not in page
    for picture in re.findall(r"<svg.*?</svg>", page, re.S):
        ElementTree.fromstring(picture)
        assert "nan" not in picture


def test_a_page_is_whole_and_needs_nothing_from_elsewhere() -> None:
    annotations = crowd(["yes", "no", "maybe"])
    report = choice_report(findings_of(annotations, {"t1": "yes", "t2": "no", "t3": "no"}), "crowd")
    page = to_html(report)
    assert_sound(page)
    for told in ("Results", "Agreement", "What disagrees most", "Workers", "Why this model", "Krippendorff"):
        assert told in page
    assert "prefers-color-scheme: dark" in page


def test_markdown_tells_the_same_figures_without_pictures() -> None:
    annotations = crowd(["a|b", "c*d"])
    report = choice_report(findings_of(annotations, {"t1": "a|b", "t2": "c*d"}), "# crowd")
    text = to_markdown(report)
    assert text.startswith("# \\# crowd")
    assert "<svg" not in text
    assert "a\\|b" in text
    for line in text.splitlines():
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert cells >= 3
    for told in ("Krippendorff", "Why this model"):
        assert told in text


@settings(max_examples=15)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True), st.integers(0, 3))
def test_whatever_stands_in_the_labels_the_page_is_sound(labels: list[str], seed: int) -> None:
    annotations = crowd(labels, tasks=6, workers=3, seed=seed)
    page = to_html(choice_report(findings_of(annotations, {}), labels[0]))
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert "<w0>" not in page


@pytest.mark.parametrize(
    ("tasks", "workers", "labels"), [(["t"], ["w"], ["a"]), (["t", "s"], ["w", "w"], ["a", "a"])]
)
def test_a_set_too_small_to_say_anything_still_makes_a_page(
    tasks: list[str], workers: list[str], labels: list[str]
) -> None:
    annotations = AnnotationSet.from_sequences(tasks, workers, labels)
    report = choice_report(findings_of(annotations, {"t": "a"}), "small")
    assert_sound(to_html(report))
    assert "undefined here" in to_markdown(report)


def test_more_labels_and_workers_than_fit_are_cut_and_said() -> None:
    annotations = crowd([f"label {n:02}" for n in range(30)], tasks=80, workers=60)
    page = to_html(choice_report(findings_of(annotations, {}), "large"))
    assert_sound(page)
    assert "most frequent of 30" in page
    assert "The 40 with the most labels of 60" in page


def test_a_table_says_its_cells_as_text_where_pictures_cannot_be() -> None:
    one = table("what", "picture", rows=[("a", Cell("half", "<svg></svg>"))])
    report = Report("t", "s", (), (Section("one", "text", (one,)),))
    assert "half" in to_markdown(report)
    assert "<svg></svg>" in to_html(report)
