import os
from pathlib import Path

from tests.support.compiled import forget_stale_code


def test_compiled_code_older_than_any_of_its_sources_is_removed(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    times = {
        "posterior_kernels.py": 200,
        "exponential.py": 100,
        "__pycache__/confusion_kernels.count-1.nbi": 150,
        "__pycache__/confusion_kernels.count-2.nbi": 250,
    }
    for name, time in times.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    forget_stale_code(tmp_path)
    assert [each.name for each in tmp_path.glob("__pycache__/*")] == ["confusion_kernels.count-2.nbi"]
