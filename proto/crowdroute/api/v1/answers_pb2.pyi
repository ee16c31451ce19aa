import datetime

from crowdroute.api.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssignmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSIGNMENT_STATE_UNSPECIFIED: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_ACTIVE: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_SUBMITTED: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_SKIPPED: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_RELEASED: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_EXPIRED: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_REVOKED: _ClassVar[AssignmentState]
    ASSIGNMENT_STATE_REFUSED: _ClassVar[AssignmentState]

class Intake(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTAKE_UNSPECIFIED: _ClassVar[Intake]
    INTAKE_COUNTED: _ClassVar[Intake]
    INTAKE_SURPLUS: _ClassVar[Intake]
    INTAKE_REFUSED: _ClassVar[Intake]

class ReviewState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_STATE_UNSPECIFIED: _ClassVar[ReviewState]
    REVIEW_STATE_REQUESTED: _ClassVar[ReviewState]
    REVIEW_STATE_PASSED: _ClassVar[ReviewState]
    REVIEW_STATE_RETURNED: _ClassVar[ReviewState]
    REVIEW_STATE_FAILED: _ClassVar[ReviewState]

class PaymentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_STATE_UNSPECIFIED: _ClassVar[PaymentState]
    PAYMENT_STATE_DUE: _ClassVar[PaymentState]
    PAYMENT_STATE_HELD: _ClassVar[PaymentState]
    PAYMENT_STATE_PAID: _ClassVar[PaymentState]
    PAYMENT_STATE_ADJUSTED: _ClassVar[PaymentState]

class RevisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVISION_KIND_UNSPECIFIED: _ClassVar[RevisionKind]
    REVISION_KIND_SUBMITTED: _ClassVar[RevisionKind]
    REVISION_KIND_AMENDED: _ClassVar[RevisionKind]
    REVISION_KIND_REWORKED: _ClassVar[RevisionKind]
    REVISION_KIND_WITHDRAWN: _ClassVar[RevisionKind]
    REVISION_KIND_DISCOUNTED: _ClassVar[RevisionKind]
ASSIGNMENT_STATE_UNSPECIFIED: AssignmentState
ASSIGNMENT_STATE_ACTIVE: AssignmentState
ASSIGNMENT_STATE_SUBMITTED: AssignmentState
ASSIGNMENT_STATE_SKIPPED: AssignmentState
ASSIGNMENT_STATE_RELEASED: AssignmentState
ASSIGNMENT_STATE_EXPIRED: AssignmentState
ASSIGNMENT_STATE_REVOKED: AssignmentState
ASSIGNMENT_STATE_REFUSED: AssignmentState
INTAKE_UNSPECIFIED: Intake
INTAKE_COUNTED: Intake
INTAKE_SURPLUS: Intake
INTAKE_REFUSED: Intake
REVIEW_STATE_UNSPECIFIED: ReviewState
REVIEW_STATE_REQUESTED: ReviewState
REVIEW_STATE_PASSED: ReviewState
REVIEW_STATE_RETURNED: ReviewState
REVIEW_STATE_FAILED: ReviewState
PAYMENT_STATE_UNSPECIFIED: PaymentState
PAYMENT_STATE_DUE: PaymentState
PAYMENT_STATE_HELD: PaymentState
PAYMENT_STATE_PAID: PaymentState
PAYMENT_STATE_ADJUSTED: PaymentState
REVISION_KIND_UNSPECIFIED: RevisionKind
REVISION_KIND_SUBMITTED: RevisionKind
REVISION_KIND_AMENDED: RevisionKind
REVISION_KIND_REWORKED: RevisionKind
REVISION_KIND_WITHDRAWN: RevisionKind
REVISION_KIND_DISCOUNTED: RevisionKind

class Annotation(_message.Message):
    __slots__ = ("assignment_id", "task_id", "worker_id", "stage", "state", "granted_at", "deadline", "answered_at", "answers", "intake", "intake_reason", "review", "payment", "price", "revision", "revisions", "late", "rules_version", "comment")
    class AnswersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _types_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_types_pb2.Value, _Mapping]] = ...) -> None: ...
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GRANTED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    INTAKE_FIELD_NUMBER: _ClassVar[int]
    INTAKE_REASON_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    assignment_id: str
    task_id: str
    worker_id: str
    stage: _types_pb2.Stage
    state: AssignmentState
    granted_at: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    answered_at: _timestamp_pb2.Timestamp
    answers: _containers.MessageMap[str, _types_pb2.Value]
    intake: Intake
    intake_reason: str
    review: ReviewState
    payment: PaymentState
    price: _types_pb2.Money
    revision: RevisionKind
    revisions: int
    late: bool
    rules_version: int
    comment: str
    def __init__(self, assignment_id: _Optional[str] = ..., task_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., state: _Optional[_Union[AssignmentState, str]] = ..., granted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answers: _Optional[_Mapping[str, _types_pb2.Value]] = ..., intake: _Optional[_Union[Intake, str]] = ..., intake_reason: _Optional[str] = ..., review: _Optional[_Union[ReviewState, str]] = ..., payment: _Optional[_Union[PaymentState, str]] = ..., price: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., revision: _Optional[_Union[RevisionKind, str]] = ..., revisions: _Optional[int] = ..., late: _Optional[bool] = ..., rules_version: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class ListAnnotationsRequest(_message.Message):
    __slots__ = ("project_id", "task_id", "worker_id", "review", "page_size", "page_token")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    task_id: str
    worker_id: str
    review: ReviewState
    page_size: int
    page_token: str
    def __init__(self, project_id: _Optional[str] = ..., task_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., review: _Optional[_Union[ReviewState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAnnotationsResponse(_message.Message):
    __slots__ = ("annotations", "next_page_token")
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    annotations: _containers.RepeatedCompositeFieldContainer[Annotation]
    next_page_token: str
    def __init__(self, annotations: _Optional[_Iterable[_Union[Annotation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RequestReviewRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RevokeLeaseRequest(_message.Message):
    __slots__ = ("project_id", "assignment_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    assignment_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., assignment_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...
