"""Builds small histories by hand, as raw arrays: what the checker's own tests read."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from tests.checker import check

STREAM = "default/project/a"
ORGANISATION = "default/organisation"
MINUTE = 60_000_000
HOUR = 60 * MINUTE
START = 1_700_000_000_000_000
LEASE = 10 * MINUTE
PRICE = 50_000
ZERO = bytes(16)

ITEM, TASK, OTHER_ITEM, OTHER_TASK, GOLD_ITEM, GOLD_TASK = (bytes([kind] * 16) for kind in range(0x20, 0x26))


def worker(number: int) -> bytes:
    """Give the id of a worker; 1 to 6 are crowd, 7 senior, 8 expert."""
    return bytes([0x40 + number] * 16)


def person(number: int) -> bytes:
    """Give the id of a person."""
    return bytes([0x60 + number] * 16)


def lease(number: int) -> bytes:
    """Give the id of an assignment."""
    return bytes([0x80 + number] * 16)


def money(number: int) -> bytes:
    """Give the id of a ledger entry."""
    return bytes([0xC0 + number] * 16)


class Stored(NamedTuple):
    """One batch as a log would give it."""

    sequence: int
    epoch: int
    chain: bytes
    body: bytes


class Story:
    """A history that is told entry by entry; each entry is a batch of its own unless said otherwise."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self.now_us = START
        self.batches: list[Stored] = []

    def tell(
        self,
        *events: list[Any],
        after: int = 0,
        stream: str = STREAM,
        command: str = "Something",
        principal: str = "",
        key: str = "",
        digest: bytes | None = None,
        reply: bytes | None = None,
    ) -> Story:
        """Append one entry, `after` microseconds later than the one before."""
        self.now_us += after
        cause = [command, principal, "", key, (b"d" if key else b"") if digest is None else digest]
        entry = [stream, self.now_us, cause, list(events), (b"r" if key else b"") if reply is None else reply]
        return self.append([entry])

    def append(self, entries: list[Any], inputs: list[Any] | None = None) -> Story:
        """Append a batch of raw entries."""
        sequence = len(self.batches) + 1
        body = b"\x01" + msgspec.msgpack.encode([sequence, entries, inputs or []])
        previous = self.batches[-1].chain if self.batches else bytes(32)
        chain = blake2b(previous + body, digest_size=32).digest()
        self.batches.append(Stored(sequence, 1, chain, body))
        return self

    # Short forms, with everything as it should be unless a test says otherwise

    def grant(self, number: int, by: int, task: bytes = TASK, stage: int = 0, after: int = 0) -> Story:
        """Grant assignment `number` to worker `by`."""
        return self.tell(granted(number, by, task, stage, self.now_us + after + LEASE), after=after)

    def answer(self, number: int, by: int, label: int = 0, receipt: int = 1, **how: Any) -> Story:
        """Submit assignment `number` and pay for it."""
        paid = [piece(number, by)] if receipt in (1, 2) else []
        return self.tell(submitted(number, label, receipt, **how), *paid)

    def withdraw(self, number: int, by: int) -> Story:
        """Withdraw the answer of assignment `number` and take its pay back."""
        return self.tell(*withdrawn(number, by))


def withdrawn(number: int, by: int) -> list[list[Any]]:
    """Give AnswerWithdrawn and the correction that goes with it."""
    return [[18, lease(number), "mistake"], piece(number, by, -PRICE, money(0x20 + number), kind=2)]


def rules(version: int = 1, **parts: Any) -> list[Any]:
    """Give rules: one field of three labels, two to three answers, prices at every stage."""
    fields = parts.get("fields", [["label", [["yes"], ["no"], ["unsure"]]]])
    return [
        version,
        fields,
        "",
        parts.get("requirement", []),
        parts.get("overlap", [2, 3]),
        [0.95, False],
        [LEASE, 12, 8, parts.get("per_worker", 3)],
        [0.05, 5],
        [PRICE, PRICE, PRICE, "USD"],
        [],
        [],
        [],
        "",
        parts.get("refit", [0, 1]),
    ]


def facts(number: int, of: int | None = None, version: int = 1, **parts: Any) -> list[Any]:
    """Give WorkerFactApplied for a worker of person `of` (the same number unless told)."""
    stages = {7: [1], 8: [2]}.get(number, [0])
    return [
        5,
        [
            worker(number),
            person(number if of is None else of),
            version,
            parts.get("status", 1),
            parts.get("kind", 0),
            parts.get("vendor", ZERO),
            parts.get("pool", ZERO),
            parts.get("stages", stages),
            parts.get("skills", [["anatomy", 0.8, 10]]),
            parts.get("languages", ["en", "de"]),
            parts.get("capacity", 0),
        ],
    ]


def opened(task: bytes = TASK, item: bytes = ITEM, **parts: Any) -> list[Any]:
    """Give TaskOpened."""
    purpose = parts.get("purpose", 0)
    known = purpose in (1, 2, 4)
    return [
        7,
        task,
        item,
        parts.get("round", 1),
        purpose,
        "",
        parts.get("planned", 0 if known else 3),
        0,
        0,
        "",
        parts.get("requirement", []),
        parts.get("allow", []),
        parts.get("deny", []),
        parts.get("gold", [[1, 0, 0]] if known else []),
    ]


def granted(
    number: int, by: int, task: bytes = TASK, stage: int = 0, deadline_us: int = 0, **parts: Any
) -> list[Any]:
    """Give LeaseGranted."""
    return [
        10,
        lease(number),
        task,
        worker(by),
        stage,
        parts.get("fence", 7),
        deadline_us or START + 100 * HOUR,
        parts.get("price", PRICE),
        parts.get("rules_version", 1),
        "information_gain",
        0.5,
        parts.get("propensity", 1.0),
    ]


def submitted(number: int, label: int = 0, receipt: int = 1, **parts: Any) -> list[Any]:
    """Give AnswerSubmitted."""
    reason = parts.get("reason", "" if receipt == 1 else "because")
    return [
        16,
        lease(number),
        parts.get("answer", [[1, 0, label]]),
        receipt,
        reason,
        parts.get("late", False),
    ]


def piece(number: int, by: int, micros: int = PRICE, entry: bytes | None = None, **parts: Any) -> list[Any]:
    """Give EntryPosted for the answer of an assignment."""
    return [
        32,
        entry or money(number),
        parts.get("kind", 0),
        worker(by),
        parts.get("debit", 0),
        parts.get("credit", 2),
        micros,
        parts.get("currency", "USD"),
        parts.get("assignment", lease(number)),
        parts.get("rule", ""),
        parts.get("period", 0),
    ]


def finalised(task: bytes = TASK, revision: int = 1, counted: int = 2, **parts: Any) -> list[Any]:
    """Give TaskFinalised."""
    return [
        24,
        task,
        revision,
        parts.get("reason", 0),
        parts.get("results", [[0, 0, [0.98, 0.01, 0.01]]]),
        parts.get("confidence", 0.98),
        counted,
        parts.get("rules_version", 1),
        0,
        "",
    ]


def corrected(revision: int, **parts: Any) -> list[Any]:
    """Give ResultCorrected."""
    return [25, TASK, revision, parts.get("results", [[0, 1, [0.0, 1.0, 0.0]]]), 1.0, "a client complained"]


def begun(**parts: Any) -> Story:
    """Tell how a project came to have eight workers, a production task and a gold task."""
    return (
        Story()
        .tell([1, bytes(16), "faces"], [2, rules(**parts)], command="CreateProject")
        .tell(*[facts(number) for number in range(1, 9)], command="ApplyWorkerFact")
        .tell(
            [6, ITEM, ZERO, b"digest"],
            opened(),
            [6, OTHER_ITEM, ZERO, b"digest"],
            opened(OTHER_TASK, OTHER_ITEM),
            [6, GOLD_ITEM, ZERO, b"digest"],
            opened(GOLD_TASK, GOLD_ITEM, purpose=4),
            command="AddTasks",
        )
    )


def answered(*labels: int) -> Story:
    """Tell of a begun project whose task was answered by workers 1, 2, ... with these labels."""
    story = begun()
    for number, label in enumerate(labels, 1):
        story.grant(number, number, after=MINUTE).answer(number, number, label)
    return story


def broken(story: Story, quiescent: bool = False) -> list[tuple[str, int, str]]:
    """Check a history, and give rule, batch and event class of every violation."""
    report = check(story.batches, quiescent=quiescent)
    return [(one.rule, one.sequence, one.name) for one in report.violations]


def last(story: Story) -> int:
    """Give the sequence of the newest batch."""
    return len(story.batches)
