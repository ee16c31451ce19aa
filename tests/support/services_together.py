"""Which tests of real services run in one worker, one after the other."""

from xdist.scheduler import LoadScopeScheduling

RAY = (
    "tests/integration/cluster/",
    "tests/faults/test_cluster_frozen.py",
    "tests/faults/test_nemesis_on_cluster.py",
    "tests/contract/test_jobs.py",
)
"""Tests with Ray nodes: one set of nodes at a time is as much as a small machine carries."""


class ServicesTogether(LoadScopeScheduling):
    """Has the tests of a file, which share real services, run in one worker in their order; those with Ray
    nodes are as one file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "ray" if file.startswith(RAY) else file
