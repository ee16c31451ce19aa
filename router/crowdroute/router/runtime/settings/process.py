"""How one process serves, and how it is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from crowdroute.router.runtime.settings.values import Address


class TlsSettings(BaseModel):
    """Files in PEM form; with `client_authorities` only clients with a certificate of theirs may connect."""

    model_config = ConfigDict(extra="forbid")

    certificate: Path
    key: Path
    client_authorities: Path | None = None


class LimitSettings(BaseModel):
    """How much one caller, and all together, may ask of the process."""

    model_config = ConfigDict(extra="forbid")

    calls: Annotated[int, Field(ge=1)] = 4096
    """Calls under way at once, streams included; more are sent away with RESOURCE_EXHAUSTED."""
    calls_per_second: Annotated[float, Field(ge=0)] = 2000.0
    """Calls and stream actions that one worker, or one token that is no worker's, may make in the long run;
    0: any number."""
    burst: Annotated[float, Field(ge=1)] = 4000.0
    """Calls and stream actions that one of them may make at once."""
    annotation_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024
    """Largest message of an annotator."""
    message_bytes: Annotated[int, Field(ge=64 * 1024)] = 4 * 1024 * 1024
    """Largest message of anybody."""


class MetricsSettings(BaseModel):
    """Where what the process measures can be read, by anybody who reaches it."""

    model_config = ConfigDict(extra="forbid")

    address: Address
    """Where Prometheus finds it, over HTTP without encryption or credentials; no address for the public."""


class TracingSettings(BaseModel):
    """Which calls are traced; where spans go, the variables OTEL_EXPORTER_OTLP_… of OpenTelemetry say."""

    model_config = ConfigDict(extra="forbid")

    sample: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of the traces begun here that are kept; one that a caller began is kept when it is kept there."""
