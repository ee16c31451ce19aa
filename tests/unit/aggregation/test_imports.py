import json
import os
import subprocess
import sys

PROBE = """
import json, sys
import crowdroute.aggregation
import crowdroute.aggregation.crowdkit
import crowdroute.aggregation.reference
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_importing_the_package_loads_numpy_and_no_heavier_library() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    outcome = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(json.loads(outcome.stdout))
    assert "numpy" in loaded
    assert not loaded & {"numba", "llvmlite", "scipy", "pandas", "sklearn", "crowdkit"}
