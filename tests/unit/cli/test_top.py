"""What two looks at running engines tell, and how it is drawn."""

from __future__ import annotations

import io

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from crowdroute.api.v1 import projects_pb2
from crowdroute.router.cli.top_look import Look, Process, ProjectLook, quantile, told
from crowdroute.router.cli.top_view import draw

METRICS = """\
# TYPE crowdroute_call_duration_seconds histogram
crowdroute_call_duration_seconds_bucket{{call="Next",code="OK",le="+Inf"}} {calls}
crowdroute_call_duration_seconds_count{{call="Next",code="OK"}} {calls}
crowdroute_call_duration_seconds_sum{{call="Next",code="OK"}} 1
# TYPE crowdroute_batch_append_duration_seconds histogram
crowdroute_batch_append_duration_seconds_bucket{{le="0.001"}} {quick}
crowdroute_batch_append_duration_seconds_bucket{{le="0.01"}} {all}
crowdroute_batch_append_duration_seconds_bucket{{le="+Inf"}} {all}
crowdroute_batch_append_duration_seconds_count {all}
crowdroute_batch_append_duration_seconds_sum 1
# TYPE crowdroute_log_sequence gauge
crowdroute_log_sequence{{shard="1"}} 5
crowdroute_log_sequence{{shard="12"}} 7
# TYPE crowdroute_engine_state gauge
crowdroute_engine_state{{state="serving"}} 1
crowdroute_engine_state{{state="starting"}} 0
"""


def process(calls: int, quick: int, every: int) -> Process:
    text = METRICS.format(calls=calls, quick=quick, all=every)
    return Process("a:1", "SERVING", {each.name: each for each in text_string_to_metric_families(text)})


def project(name: str, answers: int, *, paused: bool = False) -> ProjectLook:
    stats = projects_pb2.ProjectStats(
        tasks_open=9, tasks_finalised=4, answers_accepted=answers, workers_busy=2
    )
    stats.stages.add(live=3)
    stats.stages.add(live=1)
    return ProjectLook(name, paused, stats)


def drawn(before: Look, after: Look) -> str:
    screen = Console(width=200, file=io.StringIO())
    screen.print(draw(told(before, after)))
    return screen.file.getvalue()  # type: ignore[attr-defined]  # the text above


def test_answers_per_second_are_those_between_two_looks() -> None:
    before = Look(10, (), [project("cats", 100)])
    seen = told(before, Look(14, (), [project("cats", 130), project("new", 50)]))
    rates = {each["project"]: each["answers_per_second"] for each in seen.projects}
    assert rates == {"cats": 7.5, "new": 0}
    assert (seen.total["answers_per_second"], seen.total["leased"], seen.total["open"]) == (7.5, 8, 18)


def test_a_process_that_was_begun_again_has_no_negative_rate() -> None:
    before = Look(0, [process(1000, 9, 9)], [project("cats", 100)])
    after = Look(1, [process(10, 1, 1)], [project("cats", 0)])
    (row,) = told(before, after).processes
    assert row["calls_per_second"] == 0
    assert row["commit_seconds"] == {"p50": None, "p99": None}
    assert told(before, after).projects[0]["answers_per_second"] == 0


def test_commits_are_told_by_what_came_since_the_look_before() -> None:
    before, after = Look(0, [process(100, 90, 100)], ()), Look(2, [process(150, 91, 200)], ())
    (row,) = told(before, after).processes
    assert row["commit_seconds"] == {"p50": 0.01, "p99": 0.01}
    assert row["calls_per_second"] == 25
    assert row["shards"] == {"1": 5, "12": 7}
    assert row["state"] == "serving"


def test_the_quantile_of_a_histogram_is_the_bound_of_its_bucket() -> None:
    assert quantile({1.0: 5}, {1.0: 5}, 0.5) is None
    assert quantile({}, {0.1: 99, float("inf"): 100}, 0.99) == 0.1
    assert quantile({}, {0.1: 98, float("inf"): 100}, 0.99) == float("inf")


def test_what_is_drawn_names_processes_projects_and_their_numbers() -> None:
    gone = Process("b:1", "UNREACHABLE")
    before = Look(0, [process(100, 90, 100), gone], [project("cats", 100)])
    after = Look(2, [process(150, 190, 200), gone], [project("cats", 110, paused=True)])
    text = drawn(before, after)
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["a:1"][1:4] == ["serving", "1", "12"]
    assert "≤ 1 ms" in text
    assert lines["b:1"][1] == "unreachable"
    assert lines["cats"] == ["cats", "paused", "9", "4", "4", "0", "110", "5.0", "2", "0"]
    assert "5.0 answers/s" in text


def test_without_anybody_who_serves_it_says_so() -> None:
    gone = Look(0, [Process("a:1", "UNREACHABLE")], (), "no process serves: waiting for one")
    text = drawn(gone, gone)
    assert text.startswith("no process serves")
    assert "no projects" not in text
