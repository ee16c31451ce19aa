"""Which services a server has, and what carries them out."""

from __future__ import annotations

from crowdroute.api.v1 import annotation_pb2, operations_pb2, vendor_pb2
from crowdroute.router.ports import Jobs, Tracer
from crowdroute.router.rpc.operations import OperationsServicer
from crowdroute.router.rpc.server import Server
from crowdroute.router.rpc.vendor import VendorServicer
from crowdroute.router.runtime.due_refits import refit_when_due
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import Settings

SERVICES = (
    annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"],
    operations_pb2.DESCRIPTOR.services_by_name["OperationsService"],
    vendor_pb2.DESCRIPTOR.services_by_name["VendorService"],
)


def make_server(settings: Settings, tracer: Tracer | None = None) -> Server:
    """Make a server with every service; see `Server`."""
    return Server(settings, SERVICES, tracer)


async def serve_group(server: Server, group: ShardGroup, jobs: Jobs) -> None:
    """Begin to carry out the calls of every service on a group of shards; see `Server.serve`.

    `jobs` does the batch work that calls ask for, and that projects' rules make due.
    """
    group.accompany(refit_when_due(jobs))
    await server.serve(
        group,
        {
            SERVICES[1].full_name: OperationsServicer(group, server.gate, jobs),
            SERVICES[2].full_name: VendorServicer(group, server.gate),
        },
    )
