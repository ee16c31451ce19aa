"""What stands in the topics that the engine puts out: the models their JSON Schemas are generated from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ToldRecord(BaseModel):
    """What every record has."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    """Of what is told, made from its place in the log: the same whenever it comes again, and higher (as text)
    than that of everything its shard told before."""
    at: str
    """When it happened, in UTC, as RFC 3339 writes it."""


class _ProjectRecord(ToldRecord):
    project: str
    """Name."""
    project_id: str


class _TaskRecord(_ProjectRecord):
    task_id: str
    item_id: str
    external_id: str
    """The producer's own name for the item; empty when it had none."""


class FieldRecord(BaseModel):
    """What was concluded for one field."""

    model_config = ConfigDict(extra="forbid", strict=True)

    label: str
    probabilities: dict[str, float]
    """Of each label there was."""


class ResultRecord(_TaskRecord):
    """One revision of a task's result, as `crowdroute.results` gives it; the highest revision stands."""

    batch: str
    revision: int
    fields: dict[str, FieldRecord]
    confidence: float
    """Probability of the least certain field's label."""
    reason: Literal["confident", "expert", "maximum", "corrected"]
    correction_reason: str
    counted: int
    """Annotations that counted."""
    rules_version: int
    model_version: int


class AnnotationRecord(_TaskRecord):
    """An answer, or what became of it, as `crowdroute.annotations` gives it."""

    change: Literal["submitted", "amended", "kept", "withdrawn", "discounted", "reviewed"]
    """`kept`: changed after somebody had checked it, which is kept and does not count."""
    assignment_id: str
    """The annotation's own id: the records of one annotation have the same."""
    worker_id: str
    stage: Literal["crowd", "senior", "expert"]
    answers: dict[str, str]
    """Label by field; empty when the change brings none."""
    intake: Literal["", "counted", "surplus", "refused"]
    """How a submitted answer was taken in."""
    review: Literal["", "passed", "returned", "failed"]
    """What a check said."""
    reason: str
    late: bool
    active_ms: int
    """Time the worker was active, by their front-end, in milliseconds."""


class SkillRecord(BaseModel):
    """A named skill, its level in 0..1, and how many observations stand behind it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    level: float
    evidence: int


class FactsRecord(BaseModel):
    """What routing knows of a worker; nothing that names a human."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["human", "model"]
    vendor_id: str
    """Empty: the organisation's own."""
    pool_id: str
    stages: list[Literal["crowd", "senior", "expert"]]
    skills: list[SkillRecord]
    languages: list[str]
    capacity: int
    """Live leases the worker may hold; 0 leaves it to the project's rules."""


class WorkerRecord(ToldRecord):
    """A worker's facts or standing, as `crowdroute.workers` gives them; the highest version stands."""

    change: Literal["upserted", "status", "erased"]
    worker_id: str
    version: int
    """0 with `erased`, which is final."""
    status: str
    """Empty with `erased`."""
    reason: str
    until: str
    """When a pause ends by itself; empty for never."""
    facts: FactsRecord | None
    """All of them with `upserted`; null with other changes."""


class PaymentRecord(_ProjectRecord):
    """A ledger entry, as `crowdroute.payments` gives it; a correction is an entry of its own."""

    entry_id: str
    kind: Literal["piece", "bonus", "correction"]
    worker_id: str
    debit: Literal["labelling_cost", "bonus_cost", "worker_payable"]
    credit: Literal["labelling_cost", "bonus_cost", "worker_payable"]
    amount: str
    """Decimal; negative in a correction that takes back."""
    currency: str
    assignment_id: str
    """Of the annotation that is paid; empty for a bonus."""
    rule: str
    period: int
    """Number of the bonus period; 0 for none."""
