"""What is traced of records that are taken in."""

from __future__ import annotations

from crowdroute.router.feeds.intake import Run
from crowdroute.router.ports import Span, Tracer


def run_span(tracer: Tracer | None, topic: str, partition: int, run: Run) -> Span | None:
    """Begin the span of a run: on the trace of its first record that has one, and pointing at the others'.

    Args:
        tracer: is told; None: nobody is.
        topic: where the records stand.
        partition: of the topic.
        run: is taken in as one.
    """
    if tracer is None:
        return None
    found = [each for each, _ in run.tasks] + [each.found for each in run.refused]
    found.sort(key=lambda each: each.offset)
    told: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        "messaging.batch.message_count": len(found),
        "messaging.kafka.offset": found[0].offset,
        "crowdroute.records_refused": len(run.refused),
    }
    traceparents = [each.traceparent for each in found if each.traceparent]
    return tracer.begin("consumer", f"process {topic}", traceparents, told)
