"""Faults of every kind against a served engine, in an order that a seed decides, while annotators work.

    make soak MINUTES=30              rounds of it, each with the next seed, until the time is over
    make soak MINUTES=1 SEED=7        begins with the round of seed 7
    make soak MINUTES=30 CLUSTER=1    against Ray nodes, three brokers and Redis; as root

A fault breaks one thing, and has mended it when it returns; what clients are told meanwhile is journaled, and
the independent checker judges the history.
"""

from tests.faults.nemesis import engine_faults, network_faults

FAULTS = engine_faults.FAULTS + network_faults.FAULTS
"""Every kind that there is for one engine; `cluster` has those of a whole cluster."""
