import datetime

from crowdroute.api.v1 import assignments_pb2 as _assignments_pb2
from crowdroute.api.v1 import types_pb2 as _types_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Hello(_message.Message):
    __slots__ = ("project_id", "credits", "locale", "resume")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    credits: int
    locale: str
    resume: bool
    def __init__(self, project_id: _Optional[str] = ..., credits: _Optional[int] = ..., locale: _Optional[str] = ..., resume: _Optional[bool] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("credits",)
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    credits: int
    def __init__(self, credits: _Optional[int] = ...) -> None: ...

class WorkRequest(_message.Message):
    __slots__ = ("sequence", "hello", "credit", "submit", "amend", "withdraw", "save_draft", "skip", "report_problem", "extend", "release")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_FIELD_NUMBER: _ClassVar[int]
    AMEND_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_FIELD_NUMBER: _ClassVar[int]
    SAVE_DRAFT_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    REPORT_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    EXTEND_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    hello: Hello
    credit: Credit
    submit: _assignments_pb2.SubmitRequest
    amend: _assignments_pb2.AmendRequest
    withdraw: _assignments_pb2.WithdrawRequest
    save_draft: _assignments_pb2.SaveDraftRequest
    skip: _assignments_pb2.SkipRequest
    report_problem: _assignments_pb2.ReportProblemRequest
    extend: _assignments_pb2.ExtendRequest
    release: _assignments_pb2.ReleaseRequest
    def __init__(self, sequence: _Optional[int] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., submit: _Optional[_Union[_assignments_pb2.SubmitRequest, _Mapping]] = ..., amend: _Optional[_Union[_assignments_pb2.AmendRequest, _Mapping]] = ..., withdraw: _Optional[_Union[_assignments_pb2.WithdrawRequest, _Mapping]] = ..., save_draft: _Optional[_Union[_assignments_pb2.SaveDraftRequest, _Mapping]] = ..., skip: _Optional[_Union[_assignments_pb2.SkipRequest, _Mapping]] = ..., report_problem: _Optional[_Union[_assignments_pb2.ReportProblemRequest, _Mapping]] = ..., extend: _Optional[_Union[_assignments_pb2.ExtendRequest, _Mapping]] = ..., release: _Optional[_Union[_assignments_pb2.ReleaseRequest, _Mapping]] = ...) -> None: ...

class WorkReply(_message.Message):
    __slots__ = ("sequence", "problem", "submit", "amend", "withdraw", "save_draft", "skip", "report_problem", "extend", "release")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_FIELD_NUMBER: _ClassVar[int]
    AMEND_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_FIELD_NUMBER: _ClassVar[int]
    SAVE_DRAFT_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    REPORT_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    EXTEND_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    problem: _types_pb2.Problem
    submit: _assignments_pb2.SubmitResponse
    amend: _assignments_pb2.AmendResponse
    withdraw: _assignments_pb2.WithdrawResponse
    save_draft: _assignments_pb2.SaveDraftResponse
    skip: _assignments_pb2.SkipResponse
    report_problem: _assignments_pb2.ReportProblemResponse
    extend: _assignments_pb2.ExtendResponse
    release: _assignments_pb2.ReleaseResponse
    def __init__(self, sequence: _Optional[int] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ..., submit: _Optional[_Union[_assignments_pb2.SubmitResponse, _Mapping]] = ..., amend: _Optional[_Union[_assignments_pb2.AmendResponse, _Mapping]] = ..., withdraw: _Optional[_Union[_assignments_pb2.WithdrawResponse, _Mapping]] = ..., save_draft: _Optional[_Union[_assignments_pb2.SaveDraftResponse, _Mapping]] = ..., skip: _Optional[_Union[_assignments_pb2.SkipResponse, _Mapping]] = ..., report_problem: _Optional[_Union[_assignments_pb2.ReportProblemResponse, _Mapping]] = ..., extend: _Optional[_Union[_assignments_pb2.ExtendResponse, _Mapping]] = ..., release: _Optional[_Union[_assignments_pb2.ReleaseResponse, _Mapping]] = ...) -> None: ...

class Revocation(_message.Message):
    __slots__ = ("assignment_id", "reason")
    ASSIGNMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    assignment_id: str
    reason: str
    def __init__(self, assignment_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class GoAway(_message.Message):
    __slots__ = ("reason", "retry_after")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    reason: str
    retry_after: _duration_pb2.Duration
    def __init__(self, reason: _Optional[str] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WorkResponse(_message.Message):
    __slots__ = ("replies", "resumed", "offers", "revocations", "no_task", "go_away")
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    REVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    NO_TASK_FIELD_NUMBER: _ClassVar[int]
    GO_AWAY_FIELD_NUMBER: _ClassVar[int]
    replies: _containers.RepeatedCompositeFieldContainer[WorkReply]
    resumed: _containers.RepeatedCompositeFieldContainer[_assignments_pb2.ResumedOffer]
    offers: _containers.RepeatedCompositeFieldContainer[_assignments_pb2.Offer]
    revocations: _containers.RepeatedCompositeFieldContainer[Revocation]
    no_task: _assignments_pb2.NoTask
    go_away: GoAway
    def __init__(self, replies: _Optional[_Iterable[_Union[WorkReply, _Mapping]]] = ..., resumed: _Optional[_Iterable[_Union[_assignments_pb2.ResumedOffer, _Mapping]]] = ..., offers: _Optional[_Iterable[_Union[_assignments_pb2.Offer, _Mapping]]] = ..., revocations: _Optional[_Iterable[_Union[Revocation, _Mapping]]] = ..., no_task: _Optional[_Union[_assignments_pb2.NoTask, _Mapping]] = ..., go_away: _Optional[_Union[GoAway, _Mapping]] = ...) -> None: ...
