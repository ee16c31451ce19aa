from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyLogRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyLogProgress(_message.Message):
    __slots__ = ("checked", "total", "done", "chain", "shard")
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    checked: int
    total: int
    done: bool
    chain: str
    shard: int
    def __init__(self, checked: _Optional[int] = ..., total: _Optional[int] = ..., done: _Optional[bool] = ..., chain: _Optional[str] = ..., shard: _Optional[int] = ...) -> None: ...

class BackupLogRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class BackupLogProgress(_message.Message):
    __slots__ = ("done", "path", "sequence", "shard")
    DONE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    done: bool
    path: str
    sequence: int
    shard: int
    def __init__(self, done: _Optional[bool] = ..., path: _Optional[str] = ..., sequence: _Optional[int] = ..., shard: _Optional[int] = ...) -> None: ...
