"""`crowdroute aggregate` with its report on every recorded crowd, of whatever kind."""

import json
import re
from pathlib import Path

import pytest

from crowdroute.router.cli import DONE, run

# The larger ones are left to benchmarks: these have every kind, gold and none, two to ten labels.
CROWDS = [
    "barzan",
    "bluebird",
    "crowdwsa_j1",
    "crowdwsa_t1",
    "d_possent",
    "ducks",
    "music_genre",
    "person_video",
    "quiz_english",
    "rte",
    "sentiment_sp",
    "ukpconvarg1",
    "vu_sounds",
    "weather_amt",
    "wsd",
    "zencrowd_us",
]


@pytest.mark.parametrize("name", CROWDS)
def test_a_recorded_crowd_is_aggregated_and_reported(
    datasets: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold, report = datasets / name / "gold.csv.gz", tmp_path / "report.html"
    words = ["aggregate", str(datasets / name / "labels.csv.gz"), "--report", str(report), "--json"]
    assert run([*words, *(["--gold", str(gold)] if gold.exists() else [])]) == DONE
    printed = capsys.readouterr().out
    assert not re.search(r"\b(NaN|Infinity)\b", printed)
    found = json.loads(printed)
    assert len(found["results"]) == found["tasks"]
    assert not re.search(r"\bnan\b", report.read_text(encoding="utf-8"))
