"""Texts on recorded crowds: word errors beside crowd-kit's ROVER. Gold only scores."""

from pathlib import Path

import pytest

from crowdroute.aggregation import NearestText, WordVote, read_gold
from crowdroute.aggregation.answer_kinds import ANSWER_KINDS
from crowdroute.aggregation.file_tables import read_table
from crowdroute.aggregation.kinds import TEXT
from crowdroute.aggregation.nearest import alike
from crowdroute.aggregation.text_reference import CrowdKitRover
from crowdroute.aggregation.texts import error_rates


# The third, crowdspeech_dev_clean, is left to benchmarks: crowd-kit takes a minute there.
@pytest.mark.parametrize("name", ["crowdwsa_j1", "crowdwsa_t1"])
def test_merged_texts_have_fewer_word_errors_than_crowd_kits_rover_and_than_the_nearest_text(
    datasets: Path, name: str
) -> None:
    answers = ANSWER_KINDS[TEXT].answers_of(read_table(datasets / name / "labels.csv.gz"))
    gold = read_gold(datasets / name / "gold.csv.gz")

    def rate(found: dict[str, str]) -> float:
        errors, words = error_rates(found, gold)  # type: ignore[arg-type]
        return float(errors.sum() / words.sum())

    theirs = rate(CrowdKitRover().fit(answers).predict())  # type: ignore[arg-type]
    nearest = rate(NearestText().fit(answers).predict())  # type: ignore[arg-type]
    for weigh in ({}, {"weigh": alike}):
        ours = rate(WordVote(**weigh).fit(answers).predict())  # type: ignore[arg-type]
        assert ours < min(theirs, nearest)
