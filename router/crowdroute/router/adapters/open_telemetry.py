"""Spans told to OpenTelemetry: an extra, loaded when a setting asks for it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.ports import Attributes, Span

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

SERVICE = "crowdroute"
"""Name of the service, unless OTEL_SERVICE_NAME gives another."""

MOST_STEPS = 100
"""Parts told of one span: enough for every call that is answered with one message, and a bound for work
streams, which may last all day."""

OK = "OK"


@contextlib.contextmanager
def traced(sample: float, processor: SpanProcessor | None = None) -> Iterator[OpenTelemetryTracer]:
    """Trace while the block is entered; leaving it sends what is not sent yet.

    Args:
        sample: share of the traces begun here that are kept, 0 to 1; a trace begun by a caller is kept when
            the caller keeps it.
        processor: is told of each span; None: they go in the background, over OTLP and HTTP, to where
            OpenTelemetry's own variables say.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
    except ImportError:
        raise ConfigurationError(
            "tracing needs OpenTelemetry: install it with `pip install 'crowdroute[tracing]'`, or leave out "
            "tracing in the settings"
        ) from None
    own = {
        SERVICE_NAME: SERVICE,
        "service.version": version("crowdroute"),
        "service.instance.id": secrets.token_hex(8),
    }
    # What the environment says of the service wins.
    resource = Resource.create({**own, **OTELResourceDetector().detect().attributes})
    provider = TracerProvider(ParentBasedTraceIdRatio(sample), resource, shutdown_on_exit=False)
    if processor is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        processor = BatchSpanProcessor(OTLPSpanExporter())
    provider.add_span_processor(processor)
    try:
        yield OpenTelemetryTracer(provider)
    finally:
        provider.shutdown()


class OpenTelemetryTracer:
    """`Tracer` over OpenTelemetry's SDK."""

    def __init__(self, provider: TracerProvider) -> None:
        """Begin spans with a provider's sampler, told where its processors say."""
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = provider.get_tracer(SERVICE, version("crowdroute"))
        self._propagator = TraceContextTextMapPropagator()
        self._kinds = {"server": trace.SpanKind.SERVER, "consumer": trace.SpanKind.CONSUMER}

    def begin(
        self,
        kind: Literal["server", "consumer"],
        name: str,
        traceparents: Sequence[str],
        attributes: Attributes,
    ) -> Span | None:
        """Begin the span of some work; see `Tracer.begin`."""
        from opentelemetry import trace
        from opentelemetry.context import Context

        first, *others = map(self._context, traceparents) if traceparents else (Context(),)
        links = [trace.Link(trace.get_current_span(other).get_span_context()) for other in others]
        span = self._tracer.start_span(name, first, self._kinds[kind], attributes, links)
        return _Span(self._tracer, span) if span.is_recording() else None

    def _context(self, traceparent: str) -> Context:
        from opentelemetry.context import Context

        return self._propagator.extract({"traceparent": traceparent}, Context())


class _Span:
    """A span under way."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        from opentelemetry import trace

        self._tracer = tracer
        self._span = span
        self._within = trace.set_span_in_context(span)
        self._steps = 0
        self._over = False
        told = span.get_span_context()
        self.traceparent = f"00-{told.trace_id:032x}-{told.span_id:016x}-{told.trace_flags:02x}"

    def step(self, name: str, began_ns: int, ended_ns: int, attributes: Attributes) -> None:
        """Tell of a part that is over; what comes too late, or after very many, is only counted."""
        self._steps += 1
        if self._steps <= MOST_STEPS and not self._over:
            span = self._tracer.start_span(name, self._within, attributes=attributes, start_time=began_ns)
            span.end(ended_ns)

    def call(self, name: str, attributes: Attributes) -> Span:
        """Begin a part that is carried out elsewhere."""
        from opentelemetry import trace

        span = self._tracer.start_span(name, self._within, trace.SpanKind.CLIENT, attributes)
        return _Span(self._tracer, span)

    def end(self, code: str, attributes: Attributes) -> None:
        """Say how the work ended."""
        from opentelemetry import trace

        self._over = True
        self._span.set_attributes(attributes)
        if self._steps > MOST_STEPS:
            self._span.set_attribute("crowdroute.steps_left_out", self._steps - MOST_STEPS)
        if code != OK:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, code))
        self._span.end()
