import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RulesFinding(_message.Message):
    __slots__ = ("severity", "code", "message", "line", "column", "path")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[RulesFinding.Severity]
        SEVERITY_ERROR: _ClassVar[RulesFinding.Severity]
        SEVERITY_WARNING: _ClassVar[RulesFinding.Severity]
    SEVERITY_UNSPECIFIED: RulesFinding.Severity
    SEVERITY_ERROR: RulesFinding.Severity
    SEVERITY_WARNING: RulesFinding.Severity
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    severity: RulesFinding.Severity
    code: str
    message: str
    line: int
    column: int
    path: str
    def __init__(self, severity: _Optional[_Union[RulesFinding.Severity, str]] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., path: _Optional[str] = ...) -> None: ...

class CheckRulesRequest(_message.Message):
    __slots__ = ("rules_yaml", "project_id")
    RULES_YAML_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    rules_yaml: str
    project_id: str
    def __init__(self, rules_yaml: _Optional[str] = ..., project_id: _Optional[str] = ...) -> None: ...

class CheckRulesResponse(_message.Message):
    __slots__ = ("findings", "resolved_yaml", "differences")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_YAML_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[RulesFinding]
    resolved_yaml: str
    differences: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, findings: _Optional[_Iterable[_Union[RulesFinding, _Mapping]]] = ..., resolved_yaml: _Optional[str] = ..., differences: _Optional[_Iterable[str]] = ...) -> None: ...

class ApplyRulesRequest(_message.Message):
    __slots__ = ("project_id", "rules_yaml", "expected_version", "idempotency_key")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    RULES_YAML_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    rules_yaml: str
    expected_version: int
    idempotency_key: str
    def __init__(self, project_id: _Optional[str] = ..., rules_yaml: _Optional[str] = ..., expected_version: _Optional[int] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RulesVersion(_message.Message):
    __slots__ = ("version", "rules_yaml", "resolved_yaml", "code", "applied_at", "applied_by")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RULES_YAML_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_YAML_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    APPLIED_AT_FIELD_NUMBER: _ClassVar[int]
    APPLIED_BY_FIELD_NUMBER: _ClassVar[int]
    version: int
    rules_yaml: str
    resolved_yaml: str
    code: str
    applied_at: _timestamp_pb2.Timestamp
    applied_by: str
    def __init__(self, version: _Optional[int] = ..., rules_yaml: _Optional[str] = ..., resolved_yaml: _Optional[str] = ..., code: _Optional[str] = ..., applied_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., applied_by: _Optional[str] = ...) -> None: ...

class GetRulesRequest(_message.Message):
    __slots__ = ("project_id", "version")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    version: int
    def __init__(self, project_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ListRulesVersionsRequest(_message.Message):
    __slots__ = ("project_id", "page_size", "page_token")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    page_size: int
    page_token: str
    def __init__(self, project_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRulesVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[RulesVersion]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[RulesVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
