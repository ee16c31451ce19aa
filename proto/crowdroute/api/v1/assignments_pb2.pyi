import datetime

from crowdroute.api.v1 import types_pb2 as _types_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Receipt(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECEIPT_UNSPECIFIED: _ClassVar[Receipt]
    RECEIPT_ACCEPTED: _ClassVar[Receipt]
    RECEIPT_REFUSED: _ClassVar[Receipt]
RECEIPT_UNSPECIFIED: Receipt
RECEIPT_ACCEPTED: Receipt
RECEIPT_REFUSED: Receipt

class Guideline(_message.Message):
    __slots__ = ("version", "digest", "locale", "url")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    version: int
    digest: str
    locale: str
    url: str
    def __init__(self, version: _Optional[int] = ..., digest: _Optional[str] = ..., locale: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "content", "answer_schema", "guideline", "pay", "deadline", "stage")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    GUIDELINE_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    content: _containers.RepeatedCompositeFieldContainer[_types_pb2.ContentPart]
    answer_schema: str
    guideline: Guideline
    pay: _types_pb2.Money
    deadline: _timestamp_pb2.Timestamp
    stage: _types_pb2.Stage
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., content: _Optional[_Iterable[_Union[_types_pb2.ContentPart, _Mapping]]] = ..., answer_schema: _Optional[str] = ..., guideline: _Optional[_Union[Guideline, _Mapping]] = ..., pay: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ...) -> None: ...

class NextRequest(_message.Message):
    __slots__ = ("project_id", "count", "wait", "locale", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    count: int
    wait: _duration_pb2.Duration
    locale: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., count: _Optional[int] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., locale: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class NoTask(_message.Message):
    __slots__ = ("reason", "retry_after")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    reason: str
    retry_after: _duration_pb2.Duration
    def __init__(self, reason: _Optional[str] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class NextResponse(_message.Message):
    __slots__ = ("offers", "no_task")
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    NO_TASK_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[Offer]
    no_task: NoTask
    def __init__(self, offers: _Optional[_Iterable[_Union[Offer, _Mapping]]] = ..., no_task: _Optional[_Union[NoTask, _Mapping]] = ...) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class ResumedOffer(_message.Message):
    __slots__ = ("offer", "draft")
    OFFER_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    offer: Offer
    draft: bytes
    def __init__(self, offer: _Optional[_Union[Offer, _Mapping]] = ..., draft: _Optional[bytes] = ...) -> None: ...

class ResumeResponse(_message.Message):
    __slots__ = ("offers",)
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[ResumedOffer]
    def __init__(self, offers: _Optional[_Iterable[_Union[ResumedOffer, _Mapping]]] = ...) -> None: ...

class SubmitRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "answers", "comment", "flags", "active_time")
    class AnswersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _types_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_types_pb2.Value, _Mapping]] = ...) -> None: ...
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    answers: _containers.MessageMap[str, _types_pb2.Value]
    comment: str
    flags: _containers.RepeatedScalarFieldContainer[str]
    active_time: _duration_pb2.Duration
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., answers: _Optional[_Mapping[str, _types_pb2.Value]] = ..., comment: _Optional[str] = ..., flags: _Optional[_Iterable[str]] = ..., active_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SubmitResponse(_message.Message):
    __slots__ = ("receipt", "reason", "pay")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    receipt: Receipt
    reason: str
    pay: _types_pb2.Money
    def __init__(self, receipt: _Optional[_Union[Receipt, str]] = ..., reason: _Optional[str] = ..., pay: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class AmendRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "answers", "idempotency_key")
    class AnswersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _types_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_types_pb2.Value, _Mapping]] = ...) -> None: ...
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    answers: _containers.MessageMap[str, _types_pb2.Value]
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., answers: _Optional[_Mapping[str, _types_pb2.Value]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class AmendResponse(_message.Message):
    __slots__ = ("receipt", "pay")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    receipt: Receipt
    pay: _types_pb2.Money
    def __init__(self, receipt: _Optional[_Union[Receipt, str]] = ..., pay: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class WithdrawRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class WithdrawResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SaveDraftRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "draft")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    draft: bytes
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., draft: _Optional[bytes] = ...) -> None: ...

class SaveDraftResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SkipRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "reason", "problem", "comment", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    reason: str
    problem: bool
    comment: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., reason: _Optional[str] = ..., problem: _Optional[bool] = ..., comment: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class SkipResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReportProblemRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "reason", "comment", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    reason: str
    comment: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., reason: _Optional[str] = ..., comment: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReportProblemResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExtendRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ExtendResponse(_message.Message):
    __slots__ = ("deadline",)
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    deadline: _timestamp_pb2.Timestamp
    def __init__(self, deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "lease_token", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    lease_token: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReleaseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetGuidelineRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class GetGuidelineResponse(_message.Message):
    __slots__ = ("guideline", "text")
    GUIDELINE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    guideline: Guideline
    text: str
    def __init__(self, guideline: _Optional[_Union[Guideline, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...
