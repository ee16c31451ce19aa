"""The codec gives back what it was given, reads old logs, and never guesses."""

import enum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.adapters import codec
from crowdroute.router.errors import LogCorrupt, UnknownEvent
from crowdroute.router.events import EVENTS, Batch, Cause, Entry, InputOffset
from crowdroute.router.events.project import ProjectPaused, ProjectResumed
from crowdroute.router.ports import StoredBatch


def values(annotation: msgspec.inspect.Type) -> st.SearchStrategy[object]:
    """Generate any value that a field of this type may hold."""
    match annotation:
        case msgspec.inspect.IntType():
            return st.integers(-(2**63), 2**63 - 1)
        case msgspec.inspect.FloatType():
            return st.floats(allow_nan=False).map(lambda x: x + 0.0)  # -0.0 equals 0.0 and encodes apart
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.StrType():
            return st.text(max_size=20)
        case msgspec.inspect.BytesType():
            return st.binary(max_size=40)
        case msgspec.inspect.EnumType(cls=cls):
            assert issubclass(cls, enum.Enum)
            return st.sampled_from(list(cls))
        case msgspec.inspect.VarTupleType(item_type=item):
            return st.lists(values(item), max_size=3).map(tuple)
        case msgspec.inspect.StructType(cls=cls):
            return structs(cls)
        case msgspec.inspect.UnionType(types=types):
            return st.one_of(*map(values, types))
    raise AssertionError(f"no generator for {annotation}")


def structs(cls: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Generate instances of a struct with every field set."""
    described = msgspec.inspect.type_info(cls)
    assert isinstance(described, msgspec.inspect.StructType)
    return st.builds(cls, **{field.name: values(field.type) for field in described.fields})


def entry(*events: object) -> Entry:
    return Entry("project", 1_700_000_000_000_000, Cause("PauseProject"), events)


@pytest.mark.parametrize("event_class", EVENTS, ids=lambda cls: cls.__name__)
def test_every_event_class_reads_back_as_it_was_written(event_class: type[msgspec.Struct]) -> None:
    @given(event=structs(event_class), sequence=st.integers(1, 2**63 - 1))
    def reads_back(event: msgspec.Struct, sequence: int) -> None:
        batch = Batch(sequence, (entry(event),))
        assert codec.decode_batch(codec.encode_batch(batch), sequence) == batch

    reads_back()


def test_every_event_class_has_a_tag_of_its_own() -> None:
    tags = [event.__struct_config__.tag for event in EVENTS]
    assert len(set(tags)) == len(tags)


@given(
    sequence=st.integers(1, 2**63 - 1),
    entries=st.lists(structs(Entry), max_size=4).map(tuple),
    inputs=st.lists(structs(InputOffset), max_size=3).map(tuple),
)
def test_a_body_put_together_from_entries_is_the_encoded_batch(
    sequence: int, entries: tuple[Entry, ...], inputs: tuple[InputOffset, ...]
) -> None:
    body = codec.assemble(sequence, [codec.encode_entry(each) for each in entries], inputs)
    assert body == codec.encode_batch(Batch(sequence, entries, inputs))
    assert codec.decode_batch(body, sequence) == Batch(sequence, entries, inputs)


@pytest.mark.parametrize("count", [0, 15, 16, 65_535, 65_536])
def test_a_body_may_hold_any_number_of_entries(count: int) -> None:
    one = entry(ProjectResumed())
    body = codec.assemble(1, [codec.encode_entry(one)] * count)
    assert codec.decode_batch(body, 1) == Batch(1, (one,) * count)


def test_an_event_written_before_a_field_was_appended_gets_its_default() -> None:
    body = bytes((codec.FORMAT,)) + msgspec.msgpack.encode([1, [["project", 5, ["X"], [[26, b"t", "why"]]]]])
    (read,) = codec.decode_batch(body, 1).entries[0].events
    assert read.added == 0


def body_with(*events: object) -> bytes:
    raw = [1, [["project", 5, ["X"], list(events)]]]
    return bytes((codec.FORMAT,)) + msgspec.msgpack.encode(raw)


def test_an_event_whose_class_was_replaced_is_brought_up_step_by_step() -> None:
    upcasters = {
        990: lambda event: [991, event[1], "and why"],
        991: lambda event: [3, f"{event[1]} {event[2]}"],
    }
    batch = codec.decode_batch(body_with([4], [990, "who"], [3, "plain"]), 1, upcasters)
    assert batch.entries[0].events == (ProjectResumed(), ProjectPaused("who and why"), ProjectPaused("plain"))


def test_no_upcaster_stands_for_a_class_that_exists() -> None:
    assert not set(codec.UPCASTERS) & {event.__struct_config__.tag for event in EVENTS}


def test_an_unknown_event_is_named_and_refused() -> None:
    with pytest.raises(UnknownEvent, match="tag 990") as caught:
        codec.decode_batch(body_with([4], [990, "who"]), 1)
    assert caught.value.details == {"sequence": "1", "differs": "event", "tag": "990"}


def test_an_event_with_a_field_too_many_was_written_by_a_newer_release() -> None:
    with pytest.raises(UnknownEvent, match="tag 3 with 2 fields"):
        codec.decode_batch(body_with([3, "reason", "a later field"]), 1)


@pytest.mark.parametrize("first", [0, codec.FORMAT + 1, 255])
def test_another_format_is_refused(first: int) -> None:
    body = bytes((first,)) + codec.encode_batch(Batch(1, ()))[1:]
    with pytest.raises(UnknownEvent, match=f"format {first}"):
        codec.decode_batch(body, 1)


def sequence_told(body: bytes, sequence: int) -> str:
    """Give the sequence of what was decoded, or of the error that says why it was not."""
    try:
        return str(codec.decode_batch(body, sequence).sequence)
    except LogCorrupt as error:
        return error.details["sequence"]


@given(junk=st.binary(max_size=200))
def test_whatever_is_no_batch_is_corrupt_with_its_sequence(junk: bytes) -> None:
    assert sequence_told(bytes((codec.FORMAT,)) + junk, 7) == "7"


NO_EVENTS_ARRAY = msgspec.msgpack.encode([7, [[1, 2, 3, 4]], []])


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x91" * 5000, b"\x93\x01\x91\x95", NO_EVENTS_ARRAY])
def test_bytes_that_stop_short_or_nest_too_deep_are_corrupt(junk: bytes) -> None:
    with pytest.raises(LogCorrupt) as caught:
        codec.decode_batch(bytes((codec.FORMAT,)) + junk, 7)
    assert caught.value.details["sequence"] == "7"


def test_a_batch_in_anothers_place_is_corrupt() -> None:
    with pytest.raises(LogCorrupt, match="batch 4 where batch 5 belongs"):
        codec.decode_batch(codec.encode_batch(Batch(4, ())), 5)


def test_the_chain_depends_on_every_byte_before_it() -> None:
    first = codec.chain(codec.CHAIN_START, b"one")
    assert len(first) == codec.CHAIN_BYTES
    assert codec.chain(first, b"two") != codec.chain(codec.CHAIN_START, b"two")
    assert codec.chain(first, b"two") != codec.chain(first, b"twO")


def stored(sequence: int, body: bytes, previous: bytes) -> StoredBatch:
    return StoredBatch(sequence, 1, codec.chain(previous, body), body)


def test_a_batch_in_its_place_follows_from_the_one_before() -> None:
    first = stored(1, b"one", codec.CHAIN_START)
    codec.check_link(codec.CHAIN_START, 1, first)
    codec.check_link(first.chain, 2, stored(2, b"two", first.chain))


@pytest.mark.parametrize(
    ("batch", "differs"),
    [
        (stored(3, b"two", codec.CHAIN_START), "sequence"),
        (stored(2, b"two", b"x" * 32), "chain"),
        (stored(2, b"two", codec.CHAIN_START)._replace(body=b"twO"), "chain"),
    ],
)
def test_a_batch_out_of_its_place_is_corrupt(batch: StoredBatch, differs: str) -> None:
    with pytest.raises(LogCorrupt) as caught:
        codec.check_link(codec.CHAIN_START, 2, batch)
    assert caught.value.details == {"sequence": "2", "differs": differs}


@given(content=st.binary(max_size=100))
def test_the_digest_of_content_depends_on_the_key(content: bytes) -> None:
    digest = codec.keyed_digest(b"k" * 32, content)
    assert len(digest) == 16
    assert digest != codec.keyed_digest(b"K" * 32, content)
