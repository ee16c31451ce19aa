"""`crowdroute serve` with tracing: what a collector of OpenTelemetry is sent, over its own protocol."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tests.support.program import Served


class Collector(HTTPServer):
    """Takes spans as a collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[ExportTraceServiceRequest] = []

    @property
    def address(self) -> str:
        """What the variable for an exporter's endpoint is set to."""
        return f"http://127.0.0.1:{self.server_port}"


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces"
        self.server.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(ExportTraceServiceResponse().SerializeToString())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_collector_is_sent_what_was_traced_when_the_engine_stops_at_the_latest(
    tmp_path: Path, collector: Collector
) -> None:
    (tmp_path / "settings.toml").write_text("[tracing]\nsample = 1.0\n")
    engine = Served(
        tmp_path,
        tmp_path / "home",
        *("--config", str(tmp_path / "settings.toml")),
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
    )
    try:
        engine.told("token", "list")
    finally:
        assert engine.stop() == 0
    resources = [each for request in collector.taken for each in request.resource_spans]
    names = {
        attribute.value.string_value
        for each in resources
        for attribute in each.resource.attributes
        if attribute.key == "service.name"
    }
    assert names == {"crowdroute"}
    spans = [span for each in resources for scope in each.scope_spans for span in scope.spans]
    assert "crowdroute.api.v1.OperationsService/ListTokens" in {span.name for span in spans}
