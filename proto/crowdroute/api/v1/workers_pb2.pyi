import datetime

from crowdroute.api.v1 import types_pb2 as _types_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKER_KIND_UNSPECIFIED: _ClassVar[WorkerKind]
    WORKER_KIND_HUMAN: _ClassVar[WorkerKind]
    WORKER_KIND_MODEL: _ClassVar[WorkerKind]

class WorkerStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKER_STATUS_UNSPECIFIED: _ClassVar[WorkerStatus]
    WORKER_STATUS_NEW: _ClassVar[WorkerStatus]
    WORKER_STATUS_QUALIFIED: _ClassVar[WorkerStatus]
    WORKER_STATUS_TRUSTED: _ClassVar[WorkerStatus]
    WORKER_STATUS_PROBATION: _ClassVar[WorkerStatus]
    WORKER_STATUS_PAUSED: _ClassVar[WorkerStatus]
    WORKER_STATUS_BANNED: _ClassVar[WorkerStatus]
WORKER_KIND_UNSPECIFIED: WorkerKind
WORKER_KIND_HUMAN: WorkerKind
WORKER_KIND_MODEL: WorkerKind
WORKER_STATUS_UNSPECIFIED: WorkerStatus
WORKER_STATUS_NEW: WorkerStatus
WORKER_STATUS_QUALIFIED: WorkerStatus
WORKER_STATUS_TRUSTED: WorkerStatus
WORKER_STATUS_PROBATION: WorkerStatus
WORKER_STATUS_PAUSED: WorkerStatus
WORKER_STATUS_BANNED: WorkerStatus

class Skill(_message.Message):
    __slots__ = ("name", "level", "evidence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    level: float
    evidence: int
    def __init__(self, name: _Optional[str] = ..., level: _Optional[float] = ..., evidence: _Optional[int] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ("id", "external_id", "person_id", "kind", "status", "vendor_id", "pool_id", "stages", "skills", "languages", "capacity", "version", "paused_until", "seen_at", "totals")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VENDOR_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SKILLS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    id: str
    external_id: str
    person_id: str
    kind: WorkerKind
    status: WorkerStatus
    vendor_id: str
    pool_id: str
    stages: _containers.RepeatedScalarFieldContainer[_types_pb2.Stage]
    skills: _containers.RepeatedCompositeFieldContainer[Skill]
    languages: _containers.RepeatedScalarFieldContainer[str]
    capacity: int
    version: int
    paused_until: _timestamp_pb2.Timestamp
    seen_at: _timestamp_pb2.Timestamp
    totals: WorkerTotals
    def __init__(self, id: _Optional[str] = ..., external_id: _Optional[str] = ..., person_id: _Optional[str] = ..., kind: _Optional[_Union[WorkerKind, str]] = ..., status: _Optional[_Union[WorkerStatus, str]] = ..., vendor_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[_types_pb2.Stage, str]]] = ..., skills: _Optional[_Iterable[_Union[Skill, _Mapping]]] = ..., languages: _Optional[_Iterable[str]] = ..., capacity: _Optional[int] = ..., version: _Optional[int] = ..., paused_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., totals: _Optional[_Union[WorkerTotals, _Mapping]] = ...) -> None: ...

class WorkerTotals(_message.Message):
    __slots__ = ("projects", "granted", "live", "answered", "checked", "correct", "incomplete")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    CORRECT_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    projects: int
    granted: int
    live: int
    answered: int
    checked: int
    correct: int
    incomplete: bool
    def __init__(self, projects: _Optional[int] = ..., granted: _Optional[int] = ..., live: _Optional[int] = ..., answered: _Optional[int] = ..., checked: _Optional[int] = ..., correct: _Optional[int] = ..., incomplete: _Optional[bool] = ...) -> None: ...

class UpsertWorkerRequest(_message.Message):
    __slots__ = ("external_id", "worker_id", "person_id", "kind", "vendor_id", "pool_id", "stages", "skills", "languages", "capacity", "idempotency_key", "update_mask")
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VENDOR_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SKILLS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    external_id: str
    worker_id: str
    person_id: str
    kind: WorkerKind
    vendor_id: str
    pool_id: str
    stages: _containers.RepeatedScalarFieldContainer[_types_pb2.Stage]
    skills: _containers.RepeatedCompositeFieldContainer[Skill]
    languages: _containers.RepeatedScalarFieldContainer[str]
    capacity: int
    idempotency_key: str
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, external_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., person_id: _Optional[str] = ..., kind: _Optional[_Union[WorkerKind, str]] = ..., vendor_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[_types_pb2.Stage, str]]] = ..., skills: _Optional[_Iterable[_Union[Skill, _Mapping]]] = ..., languages: _Optional[_Iterable[str]] = ..., capacity: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetWorkerRequest(_message.Message):
    __slots__ = ("worker_id", "external_id")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    external_id: str
    def __init__(self, worker_id: _Optional[str] = ..., external_id: _Optional[str] = ...) -> None: ...

class ListWorkersRequest(_message.Message):
    __slots__ = ("vendor_id", "pool_id", "status", "page_size", "page_token")
    VENDOR_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    vendor_id: str
    pool_id: str
    status: WorkerStatus
    page_size: int
    page_token: str
    def __init__(self, vendor_id: _Optional[str] = ..., pool_id: _Optional[str] = ..., status: _Optional[_Union[WorkerStatus, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWorkersResponse(_message.Message):
    __slots__ = ("workers", "next_page_token")
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    next_page_token: str
    def __init__(self, workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SetWorkerStatusRequest(_message.Message):
    __slots__ = ("worker_id", "status", "reason", "until", "idempotency_key")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    status: WorkerStatus
    reason: str
    until: _timestamp_pb2.Timestamp
    idempotency_key: str
    def __init__(self, worker_id: _Optional[str] = ..., status: _Optional[_Union[WorkerStatus, str]] = ..., reason: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DiscountWorkerRequest(_message.Message):
    __slots__ = ("project_id", "worker_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    worker_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DiscountWorkerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WorkerRecord(_message.Message):
    __slots__ = ("worker_id", "granted", "answered", "live", "checked", "correct", "accuracy", "accuracy_lower", "accuracy_upper", "earned", "seen_at", "discounted")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    CORRECT_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_LOWER_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_UPPER_FIELD_NUMBER: _ClassVar[int]
    EARNED_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    DISCOUNTED_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    granted: int
    answered: int
    live: int
    checked: int
    correct: int
    accuracy: float
    accuracy_lower: float
    accuracy_upper: float
    earned: _types_pb2.Money
    seen_at: _timestamp_pb2.Timestamp
    discounted: bool
    def __init__(self, worker_id: _Optional[str] = ..., granted: _Optional[int] = ..., answered: _Optional[int] = ..., live: _Optional[int] = ..., checked: _Optional[int] = ..., correct: _Optional[int] = ..., accuracy: _Optional[float] = ..., accuracy_lower: _Optional[float] = ..., accuracy_upper: _Optional[float] = ..., earned: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., discounted: _Optional[bool] = ...) -> None: ...

class ListWorkerRecordsRequest(_message.Message):
    __slots__ = ("project_id", "worker_id", "page_size", "page_token")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    worker_id: str
    page_size: int
    page_token: str
    def __init__(self, project_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWorkerRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[WorkerRecord]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[WorkerRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ErasePersonRequest(_message.Message):
    __slots__ = ("person_id", "worker_id", "reason", "idempotency_key")
    PERSON_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    person_id: str
    worker_id: str
    reason: str
    idempotency_key: str
    def __init__(self, person_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ErasePersonResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Vendor(_message.Message):
    __slots__ = ("id", "name")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Pool(_message.Message):
    __slots__ = ("id", "name", "vendor_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VENDOR_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    vendor_id: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., vendor_id: _Optional[str] = ...) -> None: ...

class AddVendorRequest(_message.Message):
    __slots__ = ("name", "idempotency_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    idempotency_key: str
    def __init__(self, name: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListVendorsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVendorsResponse(_message.Message):
    __slots__ = ("vendors", "next_page_token")
    VENDORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    vendors: _containers.RepeatedCompositeFieldContainer[Vendor]
    next_page_token: str
    def __init__(self, vendors: _Optional[_Iterable[_Union[Vendor, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AddPoolRequest(_message.Message):
    __slots__ = ("name", "vendor_id", "idempotency_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VENDOR_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    vendor_id: str
    idempotency_key: str
    def __init__(self, name: _Optional[str] = ..., vendor_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ListPoolsRequest(_message.Message):
    __slots__ = ("vendor_id", "page_size", "page_token")
    VENDOR_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    vendor_id: str
    page_size: int
    page_token: str
    def __init__(self, vendor_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPoolsResponse(_message.Message):
    __slots__ = ("pools", "next_page_token")
    POOLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pools: _containers.RepeatedCompositeFieldContainer[Pool]
    next_page_token: str
    def __init__(self, pools: _Optional[_Iterable[_Union[Pool, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
