"""The rules that the documents show compile."""

import pytest
from tests.unit.docs.documents import DOCUMENTS, blocks, read

from crowdroute.router.rules.compile import compile_rules

RULES = [
    (document.name, block)
    for document in DOCUMENTS
    for block in blocks(document.read_text(encoding="utf-8"), "yaml")
    if "schema: crowdroute.rules/v1" in block
]


def test_the_readme_shows_rules() -> None:
    assert len(blocks(read("README.md"), "yaml")) == 1


@pytest.mark.parametrize(("document", "rules"), RULES, ids=[name for name, _ in RULES])
def test_the_rules_in_a_document_compile(document: str, rules: str) -> None:
    assert compile_rules(rules.encode(), 1).fields, document
