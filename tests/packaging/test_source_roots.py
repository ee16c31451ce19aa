"""The four source roots share one namespace, which a single stray file would break."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = ("router", "aggregation", "workers", "proto")
PACKAGES = (
    "router/crowdroute/router",
    "aggregation/crowdroute/aggregation",
    "workers/crowdroute/workers",
    "proto/crowdroute/api",
    "proto/crowdroute/peer",
    "proto/crowdroute/client",
)


@pytest.mark.parametrize("root", ROOTS)
def test_no_source_root_claims_the_namespace_for_itself(root: str) -> None:
    """A `crowdroute/__init__.py` in one root hides the three others; `proto/__init__.py` hides proto-plus."""
    assert (REPOSITORY / root / "crowdroute").is_dir()
    assert not (REPOSITORY / root / "crowdroute" / "__init__.py").exists()
    assert not (REPOSITORY / root / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(package: str) -> None:
    assert (REPOSITORY / package / "__init__.py").is_file()
    assert (REPOSITORY / package / "py.typed").is_file()


def test_every_folder_of_code_is_a_package() -> None:
    """Without `__init__.py` a folder is a namespace package, which import-linter and the wheel test miss."""
    bare = [
        str(folder.relative_to(REPOSITORY))
        for package in PACKAGES
        for folder in {module.parent for module in (REPOSITORY / package).rglob("*.py")}
        if not (folder / "__init__.py").exists()
    ]
    assert bare == []
