"""What the checker says of the log as such: numbers, chain, time, streams, causes, keys."""

from typing import Any, NamedTuple

import pytest
from tests.checker import check
from tests.unit.checker.story import (
    HOUR,
    MINUTE,
    ORGANISATION,
    STREAM,
    Stored,
    Story,
    begun,
    broken,
    facts,
    last,
    rules,
)


def test_a_project_that_only_begins_is_clean_and_counted() -> None:
    report = check(begun().batches, quiescent=True)
    assert report.ok
    assert (report.counters["batches"], report.counters["entries"], report.counters["events"]) == (3, 3, 16)
    assert report.counters["TaskOpened"] == 3


def test_an_empty_history_is_clean() -> None:
    assert check([]).ok


def test_a_missing_batch_is_reported_with_its_place() -> None:
    story = begun()
    del story.batches[1]
    report = check(story.batches)
    assert ("contiguous", 3) in [(one.rule, one.sequence) for one in report.violations]
    assert "batch 3 follows batch 1" in str(report)


def test_a_batch_told_twice_is_reported() -> None:
    story = begun()
    assert ("contiguous", 3, "") in broken_list([*story.batches, story.batches[-1]])


def broken_list(batches: list[Stored]) -> list[tuple[str, int, str]]:
    story = Story()
    story.batches = batches
    return broken(story)


def test_a_body_that_says_another_sequence_than_the_log_is_reported() -> None:
    story = begun()
    extra = begun().tell([3, "lunch"]).tell([4])
    moved = extra.batches[4]._replace(sequence=4)
    assert ("contiguous", 4, "") in broken_list([*story.batches, moved])


def test_a_body_changed_after_the_fact_breaks_the_chain() -> None:
    story = begun()
    changed = story.batches[1]
    body = changed.body.replace(b"anatomy", b"anatomi")
    assert body != changed.body
    story.batches[1] = changed._replace(body=body)
    assert broken(story) == [("chain", 2, "")]


def test_a_batch_that_is_linked_to_another_one_than_the_one_before_breaks_the_chain() -> None:
    story = begun()
    other = Story().tell([1, bytes(16), "other"], [2, rules()]).batches[0]
    assert ("chain", 2, "") in broken_list([other, *story.batches[1:]])


def test_logged_time_that_goes_back_is_reported() -> None:
    assert broken(begun().tell([3, "lunch"], after=-1)) == [("time", 4, "")]


def test_time_may_stand_still_and_each_stream_has_its_own() -> None:
    story = begun().tell([100, "default"], after=-HOUR, stream=ORGANISATION)
    assert broken(story.tell([3, "lunch"], after=HOUR).tell([4])) == []


def test_an_event_before_the_stream_was_created_is_reported() -> None:
    assert broken(Story().tell([2, rules()])) == [("begin", 1, "RulesApplied")]


@pytest.mark.parametrize(
    ("stream", "event", "name"),
    [
        (STREAM, [1, bytes(16), "faces"], "ProjectCreated"),
        (ORGANISATION, [100, "default"], "OrganisationCreated"),
    ],
)
def test_a_stream_that_is_created_twice_is_reported(stream: str, event: list[object], name: str) -> None:
    assert broken(Story().tell(event, stream=stream).tell(event, stream=stream)) == [("begin", 2, name)]


def test_an_organisations_event_in_a_projects_stream_is_reported() -> None:
    assert broken(begun().tell([102, bytes(16), "vendor"])) == [("begin", 4, "VendorAdded")]


def test_a_projects_event_in_an_organisations_stream_is_reported() -> None:
    story = Story().tell([100, "default"], stream=ORGANISATION).tell([3, "lunch"], stream=ORGANISATION)
    assert broken(story) == [("begin", 2, "ProjectPaused")]


def test_an_event_that_nobody_knows_is_reported_and_the_rest_is_read() -> None:
    story = begun().tell([99, "?"]).tell([3, "lunch"], after=-1)
    assert broken(story) == [("unknown-event", 4, ""), ("time", 5, "")]


def test_the_place_of_a_violation_names_entry_and_event() -> None:
    entry = [STREAM, begun().now_us, ["Something"], [[3, "lunch"], [2, rules(version=9)]]]
    story = begun().append([[STREAM, begun().now_us, ["Something"], [[4]]], entry])
    (violation,) = check(story.batches).violations
    assert (violation.sequence, violation.entry, violation.event) == (4, 1, 1)
    assert (violation.stream, violation.name) == (STREAM, "RulesApplied")
    assert str(violation).startswith(
        "[rules-version] batch 4, entry 1, event 1 RulesApplied of default/project/a:"
    )


def test_an_entry_without_a_command_is_reported() -> None:
    assert broken(begun().tell([3, "lunch"], command="")) == [("cause", 4, "")]


def test_the_same_key_within_a_day_is_reported() -> None:
    story = begun().tell([3, "lunch"], command="PauseProject", principal="tok_1", key="k")
    story.tell([4], command="PauseProject", principal="tok_1", key="k", after=24 * HOUR - 1)
    assert broken(story) == [("key-twice", last(story), "")]


@pytest.mark.parametrize(
    "other",
    [
        {"after": 24 * HOUR},
        {"principal": "tok_2"},
        {"command": "ResumeProject"},
        {"key": "l"},
    ],
)
def test_a_key_may_come_again_a_day_later_or_from_another_caller_or_for_another_command(
    other: dict[str, Any],
) -> None:
    told: dict[str, Any] = {"command": "PauseProject", "principal": "tok_1", "key": "k"}
    assert broken(begun().tell([3, "lunch"], **told).tell([4], **{**told, **other})) == []


def test_entries_without_a_key_may_repeat() -> None:
    assert broken(begun().tell([3, "lunch"]).tell([3, "lunch"])) == []


@pytest.mark.parametrize("missing", [{"digest": b""}, {"reply": b""}])
def test_an_entry_under_a_key_must_keep_the_requests_digest_and_its_reply(missing: dict[str, Any]) -> None:
    assert broken(begun().tell([3, "lunch"], principal="tok_1", key="k", **missing)) == [("key-kept", 4, "")]


def test_input_offsets_that_go_back_are_reported() -> None:
    entry = [STREAM, begun().now_us, ["AddTasks"], [[4]]]
    story = begun().append([entry], [["tasks", 0, 10, ""], ["tasks", 0, 12, "a1"], ["tasks", 1, 5, ""]])
    story.append([entry], [["tasks", 0, 10, ""], ["tasks", 1, 6, ""]])
    assert broken(story) == []
    story.append([entry], [["tasks", 0, 9, ""], ["tasks", 0, 11, "a1"]])
    assert broken(story) == [("inputs", 6, "")] * 2


def test_an_append_of_an_owner_that_was_succeeded_is_reported() -> None:
    story = begun()
    for number, epoch in enumerate((1, 3, 2)):
        story.batches[number] = story.batches[number]._replace(epoch=epoch)
    assert broken(story) == [("epoch", 3, "")]


def test_a_log_without_epochs_is_read_too() -> None:
    bare = [Bare(one.sequence, one.chain, one.body) for one in begun().batches]
    assert check(bare).ok


class Bare(NamedTuple):
    sequence: int
    chain: bytes
    body: bytes


def test_facts_that_go_back_in_version_are_reported() -> None:
    story = begun().tell(facts(1, version=3), after=MINUTE)
    assert broken(story) == []
    assert broken(story.tell(facts(1, version=3))) == [("fact-version", 5, "WorkerFactApplied")]


@pytest.mark.parametrize("version", [1, 3])
def test_rules_that_are_not_the_next_version_are_reported(version: int) -> None:
    assert broken(begun().tell([2, rules(version)])) == [("rules-version", 4, "RulesApplied")]


@pytest.mark.parametrize(
    "fields",
    [
        [["label", [["yes"], ["no"]]]],
        [["label", [["no"], ["yes"], ["unsure"]]]],
        [],
    ],
)
def test_a_schema_that_loses_or_moves_a_label_is_reported(fields: list[object]) -> None:
    assert broken(begun().tell([2, rules(2, fields=fields)])) == [("schema-shrinks", 4, "RulesApplied")]


def test_a_schema_may_grow() -> None:
    fields = [["label", [["yes"], ["no"], ["unsure", "", True], ["maybe"]]], ["size", [["s"], ["l"]]]]
    assert broken(begun().tell([2, rules(2, fields=fields)])) == []


def test_only_the_first_violations_are_printed() -> None:
    story = begun()
    for _ in range(25):
        story.tell([99])
    text = str(check(story.batches))
    assert text.startswith("25 violations;")
    assert text.endswith("... and 5 more")
