import datetime

from crowdroute.api.v1 import answers_pb2 as _answers_pb2
from crowdroute.api.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResultReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESULT_REASON_UNSPECIFIED: _ClassVar[ResultReason]
    RESULT_REASON_CONFIDENT: _ClassVar[ResultReason]
    RESULT_REASON_EXPERT: _ClassVar[ResultReason]
    RESULT_REASON_MAXIMUM: _ClassVar[ResultReason]
    RESULT_REASON_CORRECTED: _ClassVar[ResultReason]
RESULT_REASON_UNSPECIFIED: ResultReason
RESULT_REASON_CONFIDENT: ResultReason
RESULT_REASON_EXPERT: ResultReason
RESULT_REASON_MAXIMUM: ResultReason
RESULT_REASON_CORRECTED: ResultReason

class FieldConclusion(_message.Message):
    __slots__ = ("label", "probabilities")
    class ProbabilitiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    label: str
    probabilities: _containers.ScalarMap[str, float]
    def __init__(self, label: _Optional[str] = ..., probabilities: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("project_id", "task_id", "item_id", "external_id", "revision", "fields", "confidence", "reason", "correction_reason", "counted", "rules_version", "model_version", "published_at", "superseded")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: FieldConclusion
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[FieldConclusion, _Mapping]] = ...) -> None: ...
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_REASON_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    item_id: str
    external_id: str
    revision: int
    fields: _containers.MessageMap[str, FieldConclusion]
    confidence: float
    reason: ResultReason
    correction_reason: str
    counted: int
    rules_version: int
    model_version: int
    published_at: _timestamp_pb2.Timestamp
    superseded: bool
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., item_id: _Optional[str] = ..., external_id: _Optional[str] = ..., revision: _Optional[int] = ..., fields: _Optional[_Mapping[str, FieldConclusion]] = ..., confidence: _Optional[float] = ..., reason: _Optional[_Union[ResultReason, str]] = ..., correction_reason: _Optional[str] = ..., counted: _Optional[int] = ..., rules_version: _Optional[int] = ..., model_version: _Optional[int] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., superseded: _Optional[bool] = ...) -> None: ...

class GetResultRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "revision")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    revision: int
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class ListResultsRequest(_message.Message):
    __slots__ = ("project_id", "batch", "all_revisions", "page_size", "page_token")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ALL_REVISIONS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    batch: str
    all_revisions: bool
    page_size: int
    page_token: str
    def __init__(self, project_id: _Optional[str] = ..., batch: _Optional[str] = ..., all_revisions: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListResultsResponse(_message.Message):
    __slots__ = ("results", "next_page_token")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[Result]
    next_page_token: str
    def __init__(self, results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExportResultsRequest(_message.Message):
    __slots__ = ("project_id", "batch", "all_revisions", "with_annotations", "with_content")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ALL_REVISIONS_FIELD_NUMBER: _ClassVar[int]
    WITH_ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    WITH_CONTENT_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    batch: str
    all_revisions: bool
    with_annotations: bool
    with_content: bool
    def __init__(self, project_id: _Optional[str] = ..., batch: _Optional[str] = ..., all_revisions: _Optional[bool] = ..., with_annotations: _Optional[bool] = ..., with_content: _Optional[bool] = ...) -> None: ...

class ExportedResult(_message.Message):
    __slots__ = ("result", "annotations", "content", "guideline_digest")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    GUIDELINE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    result: Result
    annotations: _containers.RepeatedCompositeFieldContainer[_answers_pb2.Annotation]
    content: _containers.RepeatedCompositeFieldContainer[_types_pb2.ContentPart]
    guideline_digest: str
    def __init__(self, result: _Optional[_Union[Result, _Mapping]] = ..., annotations: _Optional[_Iterable[_Union[_answers_pb2.Annotation, _Mapping]]] = ..., content: _Optional[_Iterable[_Union[_types_pb2.ContentPart, _Mapping]]] = ..., guideline_digest: _Optional[str] = ...) -> None: ...

class CorrectResultRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "answers", "reason", "idempotency_key")
    class AnswersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _types_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_types_pb2.Value, _Mapping]] = ...) -> None: ...
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    answers: _containers.MessageMap[str, _types_pb2.Value]
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., answers: _Optional[_Mapping[str, _types_pb2.Value]] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...
