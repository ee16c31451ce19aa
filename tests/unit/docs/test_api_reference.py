"""The API reference is fresh and whole."""

import importlib.util
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from tests.unit.docs.documents import REPOSITORY, anchors, read

from crowdroute.router.rpc.scopes import SCOPES


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The program that writes the reference."""
    spec = importlib.util.spec_from_file_location("build_api", REPOSITORY / "docs" / "build_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_reference_is_fresh(generator: ModuleType) -> None:
    assert read("docs/api.md") == generator.write_reference(), "run `make docs`"


def test_every_call_stands_in_the_reference_with_its_scope() -> None:
    page = read("docs/api.md")
    for path, scope in SCOPES.items():
        name = path.rpartition("/")[2]
        assert any(
            line.startswith(f"| `{name}` |") and f"| `{scope.value}` |" in line for line in page.splitlines()
        ), path


def test_every_message_and_enum_has_a_heading(generator: ModuleType) -> None:
    there = anchors(read("docs/api.md"))
    for file in generator.read_schema():
        for declared in (*file.message_type, *file.enum_type, *file.service):
            assert declared.name.lower() in there


def test_a_declaration_without_a_comment_is_refused(generator: ModuleType) -> None:
    comments = generator.Comments(FileDescriptorProto(name="silent.proto"))
    with pytest.raises(generator.MissingComment, match="Silent has no comment"):
        comments.of((4, 0), "Silent")
