"""The client needs grpcio and protobuf and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.processes import PYTHONPATH

NEEDED = "grpc, grpc.aio, google.protobuf.any_pb2, google.protobuf.duration_pb2"


def loaded(modules: str) -> set[str]:
    """Give the packages that an interpreter holds after importing modules, the standard library's apart."""
    program = f"import sys, {modules}; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(shown.stdout.split())
    own = {".".join(name.split(".")[:2]) for name in names if name.startswith("crowdroute.")}
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    return (tops - {"crowdroute"}) | own


def test_only_grpcio_and_protobuf_are_imported() -> None:
    assert loaded("crowdroute.client") - loaded(NEEDED) == {"crowdroute.api", "crowdroute.client"}
