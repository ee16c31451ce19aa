"""Who is there, seen by this process or another."""

from __future__ import annotations

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.runtime.directory.presence import PRESENT_US, REMEMBERED_US, Presence

ANN, BOB = b"a" * 16, b"b" * 16


class Watch:
    """Time that is told."""

    now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


async def test_who_calls_one_process_is_known_to_the_other() -> None:
    watch, directory = Watch(), MemoryDirectory()
    here, there = Presence(watch), Presence(watch)
    here.saw("acme", ANN)
    assert here.last_us("acme", ANN) == watch.now, "at once, without asking anybody"
    assert there.last_us("acme", ANN) == 0

    await here.exchange(directory, ["acme"])
    await there.exchange(directory, ["acme"])

    assert there.last_us("acme", ANN) == watch.now
    assert there.count("acme") == 1
    assert there.last_us("another", ANN) == 0


async def test_who_does_not_call_is_absent_after_a_minute_and_forgotten_later() -> None:
    watch, directory = Watch(), MemoryDirectory()
    presence = Presence(watch)
    presence.saw("acme", ANN)
    seen = watch.now
    watch.now += PRESENT_US + 1
    presence.saw("acme", BOB)
    assert presence.count("acme") == 1
    assert presence.last_us("acme", ANN) == seen

    watch.now = seen + REMEMBERED_US + 1
    assert presence.last_us("acme", ANN) == 0
    await presence.exchange(directory, ["acme"])
    assert presence.last_us("acme", BOB) > 0


async def test_a_directory_that_forgot_everything_takes_nothing_away() -> None:
    watch = Watch()
    presence = Presence(watch)
    presence.saw("acme", ANN)
    await presence.exchange(MemoryDirectory(), ["acme"])
    await presence.exchange(MemoryDirectory(), ["acme"])
    assert presence.last_us("acme", ANN) == watch.now
