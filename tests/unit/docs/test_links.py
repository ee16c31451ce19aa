"""What the documents point to is there."""

from pathlib import Path

import pytest
from tests.unit.docs.documents import DOCUMENTS, REPOSITORY, anchors, links


def broken(document: Path, root: Path = REPOSITORY) -> list[str]:
    """Give the links of a document that lead nowhere, or out of the repository."""
    text = document.read_text(encoding="utf-8")
    found = []
    for link in links(text):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        inside = target.exists() and target.is_relative_to(root)
        if not inside or (fragment and fragment not in anchors(target.read_text(encoding="utf-8"))):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert broken(document) == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](gone.md) [b](#there) [c](#here) [d](https://example.org)\n")
    assert broken(page, tmp_path) == ["gone.md", "#there"]
