from crowdroute.api.v1 import administration_pb2 as _administration_pb2
from crowdroute.api.v1 import answers_pb2 as _answers_pb2
from crowdroute.api.v1 import explanations_pb2 as _explanations_pb2
from crowdroute.api.v1 import ledger_pb2 as _ledger_pb2
from crowdroute.api.v1 import projects_pb2 as _projects_pb2
from crowdroute.api.v1 import results_pb2 as _results_pb2
from crowdroute.api.v1 import rules_pb2 as _rules_pb2
from crowdroute.api.v1 import tasks_pb2 as _tasks_pb2
from crowdroute.api.v1 import tokens_pb2 as _tokens_pb2
from crowdroute.api.v1 import workers_pb2 as _workers_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
