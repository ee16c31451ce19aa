from crowdroute.api.v1 import types_pb2 as _types_pb2
from crowdroute.api.v1 import workers_pb2 as _workers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OpenProject(_message.Message):
    __slots__ = ("project_id", "name", "wanted", "pay")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    name: str
    wanted: int
    pay: _types_pb2.Money
    def __init__(self, project_id: _Optional[str] = ..., name: _Optional[str] = ..., wanted: _Optional[int] = ..., pay: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class ListOpenProjectsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOpenProjectsResponse(_message.Message):
    __slots__ = ("projects", "next_page_token")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[OpenProject]
    next_page_token: str
    def __init__(self, projects: _Optional[_Iterable[_Union[OpenProject, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpsertWorkersRequest(_message.Message):
    __slots__ = ("workers",)
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[_workers_pb2.UpsertWorkerRequest]
    def __init__(self, workers: _Optional[_Iterable[_Union[_workers_pb2.UpsertWorkerRequest, _Mapping]]] = ...) -> None: ...

class UpsertedWorker(_message.Message):
    __slots__ = ("worker", "problem")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    worker: _workers_pb2.Worker
    problem: _types_pb2.Problem
    def __init__(self, worker: _Optional[_Union[_workers_pb2.Worker, _Mapping]] = ..., problem: _Optional[_Union[_types_pb2.Problem, _Mapping]] = ...) -> None: ...

class UpsertWorkersResponse(_message.Message):
    __slots__ = ("workers",)
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[UpsertedWorker]
    def __init__(self, workers: _Optional[_Iterable[_Union[UpsertedWorker, _Mapping]]] = ...) -> None: ...

class ListVendorWorkersRequest(_message.Message):
    __slots__ = ("status", "page_size", "page_token")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    status: _workers_pb2.WorkerStatus
    page_size: int
    page_token: str
    def __init__(self, status: _Optional[_Union[_workers_pb2.WorkerStatus, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetStatementRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class StatementLine(_message.Message):
    __slots__ = ("worker_id", "external_id", "project_id", "owed")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    external_id: str
    project_id: str
    owed: _types_pb2.Money
    def __init__(self, worker_id: _Optional[str] = ..., external_id: _Optional[str] = ..., project_id: _Optional[str] = ..., owed: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class GetStatementResponse(_message.Message):
    __slots__ = ("lines", "next_page_token")
    LINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[StatementLine]
    next_page_token: str
    def __init__(self, lines: _Optional[_Iterable[_Union[StatementLine, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
