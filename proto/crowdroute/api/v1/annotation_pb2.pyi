from crowdroute.api.v1 import assignments_pb2 as _assignments_pb2
from crowdroute.api.v1 import work_pb2 as _work_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
