"""What is traced of records that are taken in."""

from __future__ import annotations

from collections.abc import Sequence

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.ports import Span, Tracer


def run_span(
    tracer: Tracer | None, topic: str, partition: int, records: Sequence[Found], refused: int
) -> Span | None:
    """Begin the span of records in a row: on the trace of the first that has one, and linked to the others'.

    Args:
        tracer: is told; None: nobody is.
        topic: where the records stand.
        partition: of the topic.
        records: are taken in as one, in their order.
        refused: how many of them cannot be.
    """
    if tracer is None or not records:
        return None
    told: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        "messaging.batch.message_count": len(records),
        "messaging.kafka.offset": records[0].offset,
        "crowdroute.records_refused": refused,
    }
    traceparents = [each.traceparent for each in records if each.traceparent]
    return tracer.begin("consumer", f"process {topic}", traceparents, told)
