"""Where the recorded crowds are, and which of them have single-choice labels with gold."""

from __future__ import annotations

import os
from pathlib import Path

CHOICE_CROWDS = [
    "adult2",
    "barzan",
    "bluebird",
    "d_possent",
    "ducks",
    "fact_eval",
    "music_genre",
    "quiz_english",
    "quiz_medicine",
    "quiz_science",
    "rte",
    "s_rel",
    "sentiment_sp",
    "sentiment_sp_amt",
    "weather_amt",
    "wsd",
    "zencrowd_us",
]


def datasets() -> Path:
    """Return their directory: CROWDROUTE_DATASETS, or beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "datasets"
    return Path(os.environ.get("CROWDROUTE_DATASETS", beside))
