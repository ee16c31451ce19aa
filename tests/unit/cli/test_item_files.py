"""Items in CSV and JSON lines, and what is told of rows that are not sound."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crowdroute.router.cli.item_files import BadRow, ContentFile, count_items, read_items


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_unknown_columns_are_content_and_known_ones_say_how(tmp_path: Path) -> None:
    (tmp_path / "owl.png").write_bytes(b"png")
    path = write(
        tmp_path,
        "birds.csv",
        "\ufeffexternal_id,text,picture,page,priority,deadline,allow,gold\r\n"
        "a,hoot,@owl.png,https://example.org/a.html,2,2026-03-01T12:00:00Z,ann bob,\r\n"
        "\r\n"
        "b,see http://x or not,,,,,,owl\r\n",
    )
    first, second = read_items(path)
    assert first.parts == (
        ContentFile("text", "text/plain", text="hoot"),
        ContentFile("picture", "image/png", data=b"png"),
        ContentFile("page", "text/html", url="https://example.org/a.html"),
    )
    assert (first.purpose, first.priority, first.allow) == ("production", 2, ("ann", "bob"))
    assert first.deadline == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (second.purpose, second.gold) == ("gold", {"": "owl"})
    assert second.where.endswith("line 4")


def test_json_lines_hold_parts_ready_made_and_labels_per_field(tmp_path: Path) -> None:
    rows = [
        {"external_id": 7, "content": [{"id": "t", "text": "@not a file"}], "gold": {"label": 0}},
        {"external_id": "x", "text": None, "meta": {"a": 1}, "gold": 0},
        {"external_id": "y", "content": [{"id": "p", "url": "u:1", "mime_type": "image/webp"}]},
    ]
    path = write(tmp_path, "i.jsonl", "\ufeff" + "\n\n".join(map(json.dumps, rows)))
    first, second, third = read_items(path)
    assert (first.external_id, first.gold) == ("7", {"label": "0"})
    assert first.parts == (ContentFile("t", "text/plain", text="@not a file"),)
    assert (second.gold, second.purpose) == ({"": "0"}, "gold")
    assert second.parts == (ContentFile("meta", "text/plain", text='{"a": 1}'),)
    assert third.parts == (ContentFile("p", "image/webp", url="u:1"),)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("x.csv", "", "is empty; its first line must name the columns"),
        ("x.csv", " \n\t\n", "is empty; its first line must name the columns"),
        ("x.csv", "external_id,text,\n1,a,b\n", "line 1: column 3 has no name"),
        ("x.csv", "id,text\n1,a\n", "line 1: the column external_id is missing"),
        ("x.csv", "external_id,text,text\n1,a,b\n", "line 1: a column is named twice"),
        ("x.csv", "external_id,text\n1,a\n2\n", "line 3: 1 cells"),
        ("x.csv", "external_id,text\n,a\n", "line 2: external_id is empty"),
        ("x.csv", "external_id,text\n1,\n", "line 2: there is no content"),
        ("x.csv", "external_id,text,purpose\n1,a,fun\n", "line 2: purpose 'fun'"),
        ("x.csv", "external_id,text,priority\n1,a,high\n", "line 2: priority 'high'"),
        ("x.csv", "external_id,text,deadline\n1,a,soon\n", "line 2: deadline 'soon'"),
        ("x.csv", "external_id,picture\n1,@none.png\n", "line 2: picture: there is no file"),
        ("x.csv", "external_id,picture\n1,@../secret\n", "line 2: picture: .* not beside the table"),
        ("x.csv", "external_id,picture\n1,@/etc/hostname\n", "line 2: picture: .* not beside the table"),
        (
            "x.csv",
            "external_id,text,priority\n1,a,4\n",
            "line 2: priority '4' is no whole number from 0 to 3",
        ),
        ("x.csv", 'external_id,text\n1,"a\n', r"line 2: not CSV \(unexpected end.* is a quote opened"),
        ("x.jsonl", "", "is empty; each of its lines"),
        ("x.jsonl", " \n\n", "is empty; each of its lines"),
        ("x.jsonl", '{"external_id": "1"\n', r"line 1: not JSON \(Expecting ',' delimiter\); each line"),
        ("x.jsonl", '{"external_id": "1", "text": "a"}\n{oops\n', "line 2"),
        ("x.jsonl", "[1]\n", "line 1: an object is needed"),
        ("x.jsonl", '{"external_id": "1", "content": 5}\n', "line 1: content must be a list"),
        ("x.jsonl", '{"external_id": "1", "content": [{"text": "a"}]}\n', "line 1: a part of content needs"),
        ("x.jsonl", '{"external_id": "1", "content": [{"id": "a"}]}\n', "line 1: part 'a' has neither"),
        ("x.txt", "a", "only .csv and .jsonl"),
    ],
)
def test_a_row_that_is_not_sound_is_told_with_file_and_line(
    name: str, text: str, told: str, tmp_path: Path
) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(BadRow, match=told) as caught:
        list(read_items(path))
    assert str(path) in caught.value.message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    for name in ("x.csv", "x.jsonl"):
        path = tmp_path / name
        rows = b"external_id,text\n1,a\n2,\xff\n3,b\n"
        path.write_bytes(rows if name == "x.csv" else b'\n\n{"external_id": "\xff"}\n')
        with pytest.raises(BadRow, match="line 3: not UTF-8 text; save the file as that"):
            list(read_items(path))


def test_lines_with_nothing_but_white_space_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "X.CSV", "\n  \nexternal_id, text\n\n \t\na,hoot\n\n   \nb,tweet\n ")
    first, second = read_items(path)
    assert (first.external_id, first.where) == ("a", f"{path}, line 6")
    assert second.parts == (ContentFile("text", "text/plain", text="tweet"),)
    assert count_items(path) == 2
    assert count_items(write(tmp_path, "none.csv", "external_id,text\n")) == 0


def test_an_item_that_stands_twice_in_a_file_is_not_left_to_chance(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "external_id,text\na,hoot\nb,tweet\na,caw\n")
    with pytest.raises(BadRow, match="line 4: external_id 'a' is that of a row above too"):
        count_items(path)
