"""When an actor is given up, and when its process is ended."""

import pytest

from crowdroute.router.runtime.cluster.fleet import Pulse
from crowdroute.router.runtime.cluster.orders import At, Standing
from crowdroute.router.runtime.cluster.watchdog import AGAIN_S, FROZEN_S, GONE_S, START_S, Verdict, Watch

STANDING = Standing("life-1", "node-a", At("10.0.0.1:7000"), 1)


@pytest.fixture
def watch() -> Watch:
    made = Watch(0.0)
    made.said(STANDING, 0.0)
    made.felt(Pulse.BEATING, 0.0)
    return made


def test_a_silent_actor_is_frozen_after_a_while(watch: Watch) -> None:
    watch.felt(Pulse.SILENT, 1.0)
    assert watch.verdict(FROZEN_S - 0.1) is Verdict.ALIVE
    assert watch.verdict(FROZEN_S) is Verdict.FROZEN


def test_an_actor_that_answers_its_supervisor_and_no_caller_is_frozen(watch: Watch) -> None:
    watch.felt(Pulse.SILENT, 1.0)
    watch.said(STANDING, 2.9)
    assert watch.verdict(FROZEN_S) is Verdict.FROZEN


def test_an_actor_that_ended_is_waited_for_before_it_is_given_up(watch: Watch) -> None:
    watch.felt(Pulse.GONE, 1.0)
    assert watch.verdict(GONE_S - 0.1) is Verdict.ALIVE
    assert watch.verdict(GONE_S) is Verdict.GONE


def test_a_next_life_that_never_speaks_is_frozen(watch: Watch) -> None:
    watch.felt(Pulse.GONE, START_S)
    assert watch.verdict(START_S) is Verdict.FROZEN


def test_a_new_life_has_time_to_begin(watch: Watch) -> None:
    first = Watch(0.0)
    first.said(Standing("life-1", "node-a", At(""), 1), 1.0)
    assert first.verdict(1.0 + START_S - 1) is Verdict.ALIVE
    assert first.verdict(1.0 + START_S) is Verdict.FROZEN


def test_shards_do_not_wait_longer_for_a_life_that_begins_than_for_none(watch: Watch) -> None:
    watch.felt(Pulse.GONE, 1.0)
    watch.said(Standing("life-2", "node-a", At(""), 2), 2.0)
    watch.felt(Pulse.SILENT, 2.0)
    assert watch.verdict(GONE_S - 0.1) is Verdict.ALIVE
    assert watch.verdict(GONE_S) is Verdict.GONE
    assert watch.verdict(2.0 + START_S - 1) is Verdict.GONE
    assert watch.verdict(2.0 + START_S) is Verdict.FROZEN
    watch.said(Standing("life-2", "node-a", At("10.0.0.1:7001"), 2), 9.0)
    watch.felt(Pulse.BEATING, 9.0)
    assert watch.verdict(9.0) is Verdict.ALIVE


def test_an_actor_that_answers_again_is_alive(watch: Watch) -> None:
    watch.felt(Pulse.SILENT, 1.0)
    watch.felt(Pulse.BEATING, 10.0)
    assert watch.verdict(10.1) is Verdict.ALIVE


def test_a_process_is_ended_once_in_a_while_so_that_its_successor_is_not(watch: Watch) -> None:
    assert watch.end(10.0)
    assert not watch.end(10.0 + AGAIN_S - 1)
    assert watch.end(10.0 + AGAIN_S)


def test_a_new_life_may_be_ended_at_once(watch: Watch) -> None:
    assert watch.end(10.0)
    watch.said(Standing("life-2", "node-a", At("10.0.0.1:7001"), 2), 11.0)
    assert watch.end(11.0)


def test_an_actor_of_the_record_that_was_never_heard_is_judged_by_its_server() -> None:
    never = Watch(0.0, "10.0.0.1:7000")
    never.felt(Pulse.SILENT, 1.0)
    assert never.verdict(FROZEN_S - 0.1) is Verdict.ALIVE
    assert never.verdict(FROZEN_S) is Verdict.FROZEN
    beating = Watch(0.0, "10.0.0.1:7000")
    beating.felt(Pulse.BEATING, START_S - 1)
    assert beating.verdict(START_S - 0.1) is Verdict.ALIVE
    assert beating.verdict(START_S) is Verdict.FROZEN, "another's server may be at that address by now"
