from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Principal(_message.Message):
    __slots__ = ("tenant", "token", "scopes", "worker", "vendor", "pool", "parent", "expires_us")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_US_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    token: bytes
    scopes: _containers.RepeatedScalarFieldContainer[str]
    worker: bytes
    vendor: bytes
    pool: bytes
    parent: bytes
    expires_us: int
    def __init__(self, tenant: _Optional[str] = ..., token: _Optional[bytes] = ..., scopes: _Optional[_Iterable[str]] = ..., worker: _Optional[bytes] = ..., vendor: _Optional[bytes] = ..., pool: _Optional[bytes] = ..., parent: _Optional[bytes] = ..., expires_us: _Optional[int] = ...) -> None: ...

class ForwardedCall(_message.Message):
    __slots__ = ("number", "method", "principal", "request_id", "generation", "shard", "timeout_us", "message", "part", "traceparent")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_US_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    number: int
    method: str
    principal: Principal
    request_id: str
    generation: int
    shard: int
    timeout_us: int
    message: bytes
    part: bool
    traceparent: str
    def __init__(self, number: _Optional[int] = ..., method: _Optional[str] = ..., principal: _Optional[_Union[Principal, _Mapping]] = ..., request_id: _Optional[str] = ..., generation: _Optional[int] = ..., shard: _Optional[int] = ..., timeout_us: _Optional[int] = ..., message: _Optional[bytes] = ..., part: _Optional[bool] = ..., traceparent: _Optional[str] = ...) -> None: ...

class ForwardBatch(_message.Message):
    __slots__ = ("calls", "cancelled")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[ForwardedCall]
    cancelled: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, calls: _Optional[_Iterable[_Union[ForwardedCall, _Mapping]]] = ..., cancelled: _Optional[_Iterable[int]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("number", "message", "status")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    number: int
    message: bytes
    status: bytes
    def __init__(self, number: _Optional[int] = ..., message: _Optional[bytes] = ..., status: _Optional[bytes] = ...) -> None: ...

class AnswerBatch(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    def __init__(self, answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ...) -> None: ...

class RelayPart(_message.Message):
    __slots__ = ("open", "message", "status")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    open: ForwardedCall
    message: bytes
    status: bytes
    def __init__(self, open: _Optional[_Union[ForwardedCall, _Mapping]] = ..., message: _Optional[bytes] = ..., status: _Optional[bytes] = ...) -> None: ...

class Content(_message.Message):
    __slots__ = ("key", "body")
    KEY_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    key: str
    body: bytes
    def __init__(self, key: _Optional[str] = ..., body: _Optional[bytes] = ...) -> None: ...

class CarryRequest(_message.Message):
    __slots__ = ("shard", "generation", "request", "contents", "traceparent")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    shard: int
    generation: int
    request: bytes
    contents: _containers.RepeatedCompositeFieldContainer[Content]
    traceparent: str
    def __init__(self, shard: _Optional[int] = ..., generation: _Optional[int] = ..., request: _Optional[bytes] = ..., contents: _Optional[_Iterable[_Union[Content, _Mapping]]] = ..., traceparent: _Optional[str] = ...) -> None: ...

class CarryResponse(_message.Message):
    __slots__ = ("reply",)
    REPLY_FIELD_NUMBER: _ClassVar[int]
    reply: bytes
    def __init__(self, reply: _Optional[bytes] = ...) -> None: ...

class FollowRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Rows(_message.Message):
    __slots__ = ("table", "count", "start")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    table: str
    count: int
    start: int
    def __init__(self, table: _Optional[str] = ..., count: _Optional[int] = ..., start: _Optional[int] = ...) -> None: ...

class Section(_message.Message):
    __slots__ = ("name", "body", "rows")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    name: str
    body: bytes
    rows: Rows
    def __init__(self, name: _Optional[str] = ..., body: _Optional[bytes] = ..., rows: _Optional[_Union[Rows, _Mapping]] = ...) -> None: ...

class Organisation(_message.Message):
    __slots__ = ("stream", "shard", "sequence", "sections", "more")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    stream: str
    shard: int
    sequence: int
    sections: _containers.RepeatedCompositeFieldContainer[Section]
    more: bool
    def __init__(self, stream: _Optional[str] = ..., shard: _Optional[int] = ..., sequence: _Optional[int] = ..., sections: _Optional[_Iterable[_Union[Section, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class DurableEntry(_message.Message):
    __slots__ = ("stream", "shard", "sequence", "entry")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    stream: str
    shard: int
    sequence: int
    entry: bytes
    def __init__(self, stream: _Optional[str] = ..., shard: _Optional[int] = ..., sequence: _Optional[int] = ..., entry: _Optional[bytes] = ...) -> None: ...

class FollowPart(_message.Message):
    __slots__ = ("organisations", "entries", "complete")
    ORGANISATIONS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    organisations: _containers.RepeatedCompositeFieldContainer[Organisation]
    entries: _containers.RepeatedCompositeFieldContainer[DurableEntry]
    complete: bool
    def __init__(self, organisations: _Optional[_Iterable[_Union[Organisation, _Mapping]]] = ..., entries: _Optional[_Iterable[_Union[DurableEntry, _Mapping]]] = ..., complete: _Optional[bool] = ...) -> None: ...

class PositionRequest(_message.Message):
    __slots__ = ("shard",)
    SHARD_FIELD_NUMBER: _ClassVar[int]
    shard: int
    def __init__(self, shard: _Optional[int] = ...) -> None: ...

class PositionResponse(_message.Message):
    __slots__ = ("sequences",)
    class SequencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    sequences: _containers.ScalarMap[str, int]
    def __init__(self, sequences: _Optional[_Mapping[str, int]] = ...) -> None: ...

class InputRecord(_message.Message):
    __slots__ = ("offset", "value", "traceparent")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    offset: int
    value: bytes
    traceparent: str
    def __init__(self, offset: _Optional[int] = ..., value: _Optional[bytes] = ..., traceparent: _Optional[str] = ...) -> None: ...

class HandOverRequest(_message.Message):
    __slots__ = ("shard", "generation", "topic", "partition", "project", "previous", "next_offset", "records", "traceparent")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    shard: int
    generation: int
    topic: str
    partition: int
    project: bytes
    previous: int
    next_offset: int
    records: _containers.RepeatedCompositeFieldContainer[InputRecord]
    traceparent: str
    def __init__(self, shard: _Optional[int] = ..., generation: _Optional[int] = ..., topic: _Optional[str] = ..., partition: _Optional[int] = ..., project: _Optional[bytes] = ..., previous: _Optional[int] = ..., next_offset: _Optional[int] = ..., records: _Optional[_Iterable[_Union[InputRecord, _Mapping]]] = ..., traceparent: _Optional[str] = ...) -> None: ...

class RefusedRecord(_message.Message):
    __slots__ = ("offset", "code", "reason", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    offset: int
    code: str
    reason: str
    details: _containers.ScalarMap[str, str]
    def __init__(self, offset: _Optional[int] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class HandOverResponse(_message.Message):
    __slots__ = ("mark", "has_room", "refused")
    MARK_FIELD_NUMBER: _ClassVar[int]
    HAS_ROOM_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    mark: int
    has_room: bool
    refused: _containers.RepeatedCompositeFieldContainer[RefusedRecord]
    def __init__(self, mark: _Optional[int] = ..., has_room: _Optional[bool] = ..., refused: _Optional[_Iterable[_Union[RefusedRecord, _Mapping]]] = ...) -> None: ...
