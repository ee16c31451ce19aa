import datetime

from crowdroute.api.v1 import answers_pb2 as _answers_pb2
from crowdroute.api.v1 import results_pb2 as _results_pb2
from crowdroute.api.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_PRODUCTION: _ClassVar[Purpose]
    PURPOSE_TRAINING: _ClassVar[Purpose]
    PURPOSE_QUALIFICATION: _ClassVar[Purpose]
    PURPOSE_CALIBRATION: _ClassVar[Purpose]
    PURPOSE_GOLD: _ClassVar[Purpose]
    PURPOSE_AUDIT: _ClassVar[Purpose]
    PURPOSE_REVIEW: _ClassVar[Purpose]

class TaskState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_STATE_UNSPECIFIED: _ClassVar[TaskState]
    TASK_STATE_OPEN: _ClassVar[TaskState]
    TASK_STATE_PARKED: _ClassVar[TaskState]
    TASK_STATE_FINALISED: _ClassVar[TaskState]
    TASK_STATE_CANCELLED: _ClassVar[TaskState]

class ItemsFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ITEMS_FORMAT_UNSPECIFIED: _ClassVar[ItemsFormat]
    ITEMS_FORMAT_JSONL: _ClassVar[ItemsFormat]
    ITEMS_FORMAT_CSV: _ClassVar[ItemsFormat]
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_PRODUCTION: Purpose
PURPOSE_TRAINING: Purpose
PURPOSE_QUALIFICATION: Purpose
PURPOSE_CALIBRATION: Purpose
PURPOSE_GOLD: Purpose
PURPOSE_AUDIT: Purpose
PURPOSE_REVIEW: Purpose
TASK_STATE_UNSPECIFIED: TaskState
TASK_STATE_OPEN: TaskState
TASK_STATE_PARKED: TaskState
TASK_STATE_FINALISED: TaskState
TASK_STATE_CANCELLED: TaskState
ITEMS_FORMAT_UNSPECIFIED: ItemsFormat
ITEMS_FORMAT_JSONL: ItemsFormat
ITEMS_FORMAT_CSV: ItemsFormat

class SkillNeed(_message.Message):
    __slots__ = ("name", "level")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    name: str
    level: float
    def __init__(self, name: _Optional[str] = ..., level: _Optional[float] = ...) -> None: ...

class Requirement(_message.Message):
    __slots__ = ("skills", "languages", "pool_ids", "vendor_ids", "humans_only")
    SKILLS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    POOL_IDS_FIELD_NUMBER: _ClassVar[int]
    VENDOR_IDS_FIELD_NUMBER: _ClassVar[int]
    HUMANS_ONLY_FIELD_NUMBER: _ClassVar[int]
    skills: _containers.RepeatedCompositeFieldContainer[SkillNeed]
    languages: _containers.RepeatedScalarFieldContainer[str]
    pool_ids: _containers.RepeatedScalarFieldContainer[str]
    vendor_ids: _containers.RepeatedScalarFieldContainer[str]
    humans_only: bool
    def __init__(self, skills: _Optional[_Iterable[_Union[SkillNeed, _Mapping]]] = ..., languages: _Optional[_Iterable[str]] = ..., pool_ids: _Optional[_Iterable[str]] = ..., vendor_ids: _Optional[_Iterable[str]] = ..., humans_only: _Optional[bool] = ...) -> None: ...

class NewItem(_message.Message):
    __slots__ = ("external_id", "content", "item_id", "purpose", "batch", "priority", "deadline", "capability", "requirement", "allowed_worker_ids", "denied_worker_ids", "gold")
    class GoldEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _types_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_types_pb2.Value, _Mapping]] = ...) -> None: ...
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_WORKER_IDS_FIELD_NUMBER: _ClassVar[int]
    DENIED_WORKER_IDS_FIELD_NUMBER: _ClassVar[int]
    GOLD_FIELD_NUMBER: _ClassVar[int]
    external_id: str
    content: _containers.RepeatedCompositeFieldContainer[_types_pb2.ContentPart]
    item_id: str
    purpose: Purpose
    batch: str
    priority: int
    deadline: _timestamp_pb2.Timestamp
    capability: str
    requirement: Requirement
    allowed_worker_ids: _containers.RepeatedScalarFieldContainer[str]
    denied_worker_ids: _containers.RepeatedScalarFieldContainer[str]
    gold: _containers.MessageMap[str, _types_pb2.Value]
    def __init__(self, external_id: _Optional[str] = ..., content: _Optional[_Iterable[_Union[_types_pb2.ContentPart, _Mapping]]] = ..., item_id: _Optional[str] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., batch: _Optional[str] = ..., priority: _Optional[int] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., capability: _Optional[str] = ..., requirement: _Optional[_Union[Requirement, _Mapping]] = ..., allowed_worker_ids: _Optional[_Iterable[str]] = ..., denied_worker_ids: _Optional[_Iterable[str]] = ..., gold: _Optional[_Mapping[str, _types_pb2.Value]] = ...) -> None: ...

class AddItemsRequest(_message.Message):
    __slots__ = ("project_id", "items", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    items: _containers.RepeatedCompositeFieldContainer[NewItem]
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[NewItem, _Mapping]]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class AddedItem(_message.Message):
    __slots__ = ("item_id", "task_id", "known")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    task_id: str
    known: bool
    def __init__(self, item_id: _Optional[str] = ..., task_id: _Optional[str] = ..., known: _Optional[bool] = ...) -> None: ...

class AddItemsResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AddedItem]
    def __init__(self, items: _Optional[_Iterable[_Union[AddedItem, _Mapping]]] = ...) -> None: ...

class ImportHeader(_message.Message):
    __slots__ = ("project_id", "format", "external_id_column", "content_columns", "batch", "purpose", "gold_columns")
    class GoldColumnsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_COLUMN_FIELD_NUMBER: _ClassVar[int]
    CONTENT_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    GOLD_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    format: ItemsFormat
    external_id_column: str
    content_columns: _containers.RepeatedScalarFieldContainer[str]
    batch: str
    purpose: Purpose
    gold_columns: _containers.ScalarMap[str, str]
    def __init__(self, project_id: _Optional[str] = ..., format: _Optional[_Union[ItemsFormat, str]] = ..., external_id_column: _Optional[str] = ..., content_columns: _Optional[_Iterable[str]] = ..., batch: _Optional[str] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., gold_columns: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ImportItemsRequest(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ImportHeader
    chunk: bytes
    def __init__(self, header: _Optional[_Union[ImportHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class RefusedRow(_message.Message):
    __slots__ = ("row", "problem")
    ROW_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    row: int
    problem: _types_pb2.Problem
    def __init__(self, row: _Optional[int] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class ImportItemsResponse(_message.Message):
    __slots__ = ("added", "known", "refused", "refusals")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    added: int
    known: int
    refused: int
    refusals: _containers.RepeatedCompositeFieldContainer[RefusedRow]
    def __init__(self, added: _Optional[int] = ..., known: _Optional[int] = ..., refused: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[RefusedRow, _Mapping]]] = ...) -> None: ...

class Slots(_message.Message):
    __slots__ = ("stage", "planned", "live", "counted", "discounted")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PLANNED_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    DISCOUNTED_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    planned: int
    live: int
    counted: int
    discounted: int
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., planned: _Optional[int] = ..., live: _Optional[int] = ..., counted: _Optional[int] = ..., discounted: _Optional[int] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("id", "project_id", "item_id", "round", "purpose", "batch", "state", "stage", "priority", "opened_at", "deadline", "capability", "requirement", "slots", "attempts", "parked_reason", "confidence", "result", "gold", "erased", "external_id", "leading")
    class GoldEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _types_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_types_pb2.Value, _Mapping]] = ...) -> None: ...
    class LeadingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _results_pb2.FieldConclusion
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_results_pb2.FieldConclusion, _Mapping]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    PARKED_REASON_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    GOLD_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    LEADING_FIELD_NUMBER: _ClassVar[int]
    id: str
    project_id: str
    item_id: str
    round: int
    purpose: Purpose
    batch: str
    state: TaskState
    stage: _types_pb2.Stage
    priority: int
    opened_at: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    capability: str
    requirement: Requirement
    slots: _containers.RepeatedCompositeFieldContainer[Slots]
    attempts: int
    parked_reason: str
    confidence: float
    result: _results_pb2.Result
    gold: _containers.MessageMap[str, _types_pb2.Value]
    erased: bool
    external_id: str
    leading: _containers.MessageMap[str, _results_pb2.FieldConclusion]
    def __init__(self, id: _Optional[str] = ..., project_id: _Optional[str] = ..., item_id: _Optional[str] = ..., round: _Optional[int] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., batch: _Optional[str] = ..., state: _Optional[_Union[TaskState, str]] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., priority: _Optional[int] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., capability: _Optional[str] = ..., requirement: _Optional[_Union[Requirement, _Mapping]] = ..., slots: _Optional[_Iterable[_Union[Slots, _Mapping]]] = ..., attempts: _Optional[int] = ..., parked_reason: _Optional[str] = ..., confidence: _Optional[float] = ..., result: _Optional[_Union[_results_pb2.Result, _Mapping]] = ..., gold: _Optional[_Mapping[str, _types_pb2.Value]] = ..., erased: _Optional[bool] = ..., external_id: _Optional[str] = ..., leading: _Optional[_Mapping[str, _results_pb2.FieldConclusion]] = ...) -> None: ...

class GetTaskRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "with_content")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    WITH_CONTENT_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    with_content: bool
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., with_content: _Optional[bool] = ...) -> None: ...

class GetTaskResponse(_message.Message):
    __slots__ = ("task", "annotations", "content")
    TASK_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    task: Task
    annotations: _containers.RepeatedCompositeFieldContainer[_answers_pb2.Annotation]
    content: _containers.RepeatedCompositeFieldContainer[_types_pb2.ContentPart]
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ..., annotations: _Optional[_Iterable[_Union[_answers_pb2.Annotation, _Mapping]]] = ..., content: _Optional[_Iterable[_Union[_types_pb2.ContentPart, _Mapping]]] = ...) -> None: ...

class ListTasksRequest(_message.Message):
    __slots__ = ("project_id", "state", "stage", "purpose", "batch", "page_size", "page_token", "item_id")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    state: TaskState
    stage: _types_pb2.Stage
    purpose: Purpose
    batch: str
    page_size: int
    page_token: str
    item_id: str
    def __init__(self, project_id: _Optional[str] = ..., state: _Optional[_Union[TaskState, str]] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., batch: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., item_id: _Optional[str] = ...) -> None: ...

class ListTasksResponse(_message.Message):
    __slots__ = ("tasks", "next_page_token")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[Task]
    next_page_token: str
    def __init__(self, tasks: _Optional[_Iterable[_Union[Task, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelTaskRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReopenTaskRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "reason", "added", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    reason: str
    added: int
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., reason: _Optional[str] = ..., added: _Optional[int] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class EscalateTaskRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class EraseItemRequest(_message.Message):
    __slots__ = ("project_id", "item_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    item_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., item_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class EraseItemResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
