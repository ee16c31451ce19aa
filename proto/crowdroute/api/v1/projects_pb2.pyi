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

class ProjectState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROJECT_STATE_UNSPECIFIED: _ClassVar[ProjectState]
    PROJECT_STATE_ACTIVE: _ClassVar[ProjectState]
    PROJECT_STATE_PAUSED: _ClassVar[ProjectState]

class RefitStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFIT_STAGE_UNSPECIFIED: _ClassVar[RefitStage]
    REFIT_STAGE_WAITING: _ClassVar[RefitStage]
    REFIT_STAGE_READING: _ClassVar[RefitStage]
    REFIT_STAGE_FITTING: _ClassVar[RefitStage]
    REFIT_STAGE_INSTALLING: _ClassVar[RefitStage]
    REFIT_STAGE_DONE: _ClassVar[RefitStage]
PROJECT_STATE_UNSPECIFIED: ProjectState
PROJECT_STATE_ACTIVE: ProjectState
PROJECT_STATE_PAUSED: ProjectState
REFIT_STAGE_UNSPECIFIED: RefitStage
REFIT_STAGE_WAITING: RefitStage
REFIT_STAGE_READING: RefitStage
REFIT_STAGE_FITTING: RefitStage
REFIT_STAGE_INSTALLING: RefitStage
REFIT_STAGE_DONE: RefitStage

class Label(_message.Message):
    __slots__ = ("id", "title", "removed")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    removed: bool
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., removed: _Optional[bool] = ...) -> None: ...

class Field(_message.Message):
    __slots__ = ("id", "labels")
    ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    id: str
    labels: _containers.RepeatedCompositeFieldContainer[Label]
    def __init__(self, id: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[Label, _Mapping]]] = ...) -> None: ...

class Project(_message.Message):
    __slots__ = ("id", "name", "state", "rules_version", "fields", "currency")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    state: ProjectState
    rules_version: int
    fields: _containers.RepeatedCompositeFieldContainer[Field]
    currency: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[ProjectState, str]] = ..., rules_version: _Optional[int] = ..., fields: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., currency: _Optional[str] = ...) -> None: ...

class CreateProjectRequest(_message.Message):
    __slots__ = ("name", "rules_yaml", "idempotency_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RULES_YAML_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    rules_yaml: str
    idempotency_key: str
    def __init__(self, name: _Optional[str] = ..., rules_yaml: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class GetProjectRequest(_message.Message):
    __slots__ = ("project_id", "name")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    name: str
    def __init__(self, project_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListProjectsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProjectsResponse(_message.Message):
    __slots__ = ("projects", "next_page_token")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[Project]
    next_page_token: str
    def __init__(self, projects: _Optional[_Iterable[_Union[Project, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PauseProjectRequest(_message.Message):
    __slots__ = ("project_id", "reason", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    reason: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ResumeProjectRequest(_message.Message):
    __slots__ = ("project_id", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RefitProjectRequest(_message.Message):
    __slots__ = ("project_id", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RefitProjectProgress(_message.Message):
    __slots__ = ("stage", "field_id", "sweep", "most_sweeps", "moved", "rest", "refit")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_ID_FIELD_NUMBER: _ClassVar[int]
    SWEEP_FIELD_NUMBER: _ClassVar[int]
    MOST_SWEEPS_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    REFIT_FIELD_NUMBER: _ClassVar[int]
    stage: RefitStage
    field_id: str
    sweep: int
    most_sweeps: int
    moved: float
    rest: float
    refit: Refit
    def __init__(self, stage: _Optional[_Union[RefitStage, str]] = ..., field_id: _Optional[str] = ..., sweep: _Optional[int] = ..., most_sweeps: _Optional[int] = ..., moved: _Optional[float] = ..., rest: _Optional[float] = ..., refit: _Optional[_Union[Refit, _Mapping]] = ...) -> None: ...

class Refit(_message.Message):
    __slots__ = ("version", "fitted_through", "labels", "digest")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FITTED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    version: int
    fitted_through: int
    labels: int
    digest: str
    def __init__(self, version: _Optional[int] = ..., fitted_through: _Optional[int] = ..., labels: _Optional[int] = ..., digest: _Optional[str] = ...) -> None: ...

class GetStatsRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class StageStats(_message.Message):
    __slots__ = ("stage", "free", "live", "counted")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    stage: _types_pb2.Stage
    free: int
    live: int
    counted: int
    def __init__(self, stage: _Optional[_Union[_types_pb2.Stage, str]] = ..., free: _Optional[int] = ..., live: _Optional[int] = ..., counted: _Optional[int] = ...) -> None: ...

class ProjectStats(_message.Message):
    __slots__ = ("at", "tasks_open", "tasks_parked", "tasks_finalised", "tasks_cancelled", "tasks_escalated", "stages", "answers_accepted", "answers_refused", "in_review", "workers_busy", "workers_known", "answers_per_result", "mean_confidence", "gold_correct", "gold_checked", "owed", "requests_waiting", "reviews_decided", "workers_present")
    AT_FIELD_NUMBER: _ClassVar[int]
    TASKS_OPEN_FIELD_NUMBER: _ClassVar[int]
    TASKS_PARKED_FIELD_NUMBER: _ClassVar[int]
    TASKS_FINALISED_FIELD_NUMBER: _ClassVar[int]
    TASKS_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    TASKS_ESCALATED_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_REFUSED_FIELD_NUMBER: _ClassVar[int]
    IN_REVIEW_FIELD_NUMBER: _ClassVar[int]
    WORKERS_BUSY_FIELD_NUMBER: _ClassVar[int]
    WORKERS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_PER_RESULT_FIELD_NUMBER: _ClassVar[int]
    MEAN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    GOLD_CORRECT_FIELD_NUMBER: _ClassVar[int]
    GOLD_CHECKED_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_WAITING_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_DECIDED_FIELD_NUMBER: _ClassVar[int]
    WORKERS_PRESENT_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    tasks_open: int
    tasks_parked: int
    tasks_finalised: int
    tasks_cancelled: int
    tasks_escalated: int
    stages: _containers.RepeatedCompositeFieldContainer[StageStats]
    answers_accepted: int
    answers_refused: int
    in_review: int
    workers_busy: int
    workers_known: int
    answers_per_result: float
    mean_confidence: float
    gold_correct: int
    gold_checked: int
    owed: _types_pb2.Money
    requests_waiting: int
    reviews_decided: int
    workers_present: int
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tasks_open: _Optional[int] = ..., tasks_parked: _Optional[int] = ..., tasks_finalised: _Optional[int] = ..., tasks_cancelled: _Optional[int] = ..., tasks_escalated: _Optional[int] = ..., stages: _Optional[_Iterable[_Union[StageStats, _Mapping]]] = ..., answers_accepted: _Optional[int] = ..., answers_refused: _Optional[int] = ..., in_review: _Optional[int] = ..., workers_busy: _Optional[int] = ..., workers_known: _Optional[int] = ..., answers_per_result: _Optional[float] = ..., mean_confidence: _Optional[float] = ..., gold_correct: _Optional[int] = ..., gold_checked: _Optional[int] = ..., owed: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., requests_waiting: _Optional[int] = ..., reviews_decided: _Optional[int] = ..., workers_present: _Optional[int] = ...) -> None: ...
