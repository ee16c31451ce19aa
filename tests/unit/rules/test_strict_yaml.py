"""YAML is read as a plain notation, with the place of everything, and what surprises people is refused."""

import pytest

from crowdroute.router.rules.errors import MOST_PROBLEMS, Problem
from crowdroute.router.rules.source import MOST_BYTES, Position
from crowdroute.router.rules.strict_yaml import MOST_DEPTH, MOST_VALUES, UNREADABLE, read


def value_of(text: str) -> object:
    tree = read(f"key: {text}\n")
    assert tree.problems == ()
    assert isinstance(tree.value, dict)
    return tree.value["key"]


def only_problem(source: str | bytes) -> Problem:
    problems = read(source).problems
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    "written",
    [
        *("yes", "Yes", "NO", "no", "on", "OFF", "y", "n", "True", "FALSE"),
        *("12:30:45", "1_000", "017", "0o17", "0x1F", "0b11", "+5", ".5", "5.", ".inf", "-.INF", ".nan"),
        *("2024-05-01", "2024-05-01T10:00:00Z", "1e", "e5", "--1", "١٢", "=", "None"),
    ],
)
def test_what_other_readers_of_yaml_would_coerce_stays_the_text_it_is(written: str) -> None:
    assert value_of(written) == written


@pytest.mark.parametrize(
    ("written", "value"),
    [("0", 0), ("-12", -12), ("0.05", 0.05), ("-0.5", -0.5), ("1e3", 1000.0), ("2.5E-3", 0.0025)],
)
def test_plain_decimal_digits_are_numbers(written: str, value: float) -> None:
    found = value_of(written)
    assert found == value
    assert type(found) is type(value)


def test_only_true_and_false_are_truth_values() -> None:
    assert value_of("true") is True
    assert value_of("false") is False


@pytest.mark.parametrize("written", ['"1"', "'true'", '"null"', "'~'", '""'])
def test_whatever_is_in_quotes_is_text(written: str) -> None:
    assert value_of(written) == written[1:-1]


def test_a_block_of_text_is_text() -> None:
    assert value_of("|\n  1\n") == "1\n"


def test_lists_and_groups_keep_their_order_and_every_value_its_place() -> None:
    tree = read("b:\n  - x\n  - {c: 1}\na: [y]\n")
    assert tree.problems == ()
    assert tree.value == {"b": ("x", {"c": 1}), "a": ("y",)}
    assert list(tree.values) == [(), ("b",), ("b", 0), ("b", 1), ("b", 1, "c"), ("a",), ("a", 0)]
    assert tree.values["b", 1, "c"] == Position(3, 9)
    assert tree.keys["b", 1, "c"] == Position(3, 6)
    assert tree.keys["a",] == Position(4, 1)
    assert tree.values["a", 0] == Position(4, 5)


def test_columns_count_characters_not_bytes() -> None:
    tree = read("ключ: {ü: 1}\n")
    assert tree.values["ключ", "ü"] == Position(1, 11)


def test_the_text_of_a_number_is_kept_as_written() -> None:
    assert read("version: 1.10").written["version",] == "1.10"


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_document() -> None:
    tree = read(b"\xef\xbb\xbfa: 1\n")
    assert tree.problems == ()
    assert tree.keys["a",] == Position(1, 1)


def test_a_key_given_twice_is_refused_with_both_places() -> None:
    tree = read("a: 1\nb:\n  c: 1\n  d: 2\n  c: {e: 3}\n")
    assert tree.value == {"a": 1, "b": {"c": 1, "d": 2}}
    assert tree.problems == (
        Problem(5, 3, "b.c", "this key is given twice, first in line 3, column 3", "keep one of the two"),
    )


def test_a_key_in_quotes_is_never_a_merge_key() -> None:
    tree = read('"<<": 1\n')
    assert (tree.value, tree.problems) == ({"<<": 1}, ())


def test_keys_that_differ_only_in_quotes_are_the_same_key() -> None:
    assert "given twice" in only_problem('a: 1\n"a": 2\n').what


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("a: &x 1", 1, 4, "the anchor &x is not read"),
        ("a: &x [1]", 1, 4, "the anchor &x is not read"),
        ("&x a: 1", 1, 1, "the anchor &x is not read"),
        ("b: 1\na: *x", 2, 4, "the alias *x is not read"),
        ("a: !!str 5", 1, 4, "the tag tag:yaml.org,2002:str is not read"),
        ("a: !local {b: 1}", 1, 4, "the tag !local is not read"),
        ("a: ! x", 1, 4, "the tag ! is not read"),
        ("a: !!python/object/apply:os.system [ls]", 1, 4, "the tag tag:yaml.org,2002:python/object/apply:os"),
        ("a:\n  <<: {b: 1}", 2, 3, "merge keys (<<) are not read"),
        ("%YAML 1.1\n---\na: 1", 1, 1, "a % directive is not read"),
        ("%TAG ! tag:x,2000:\n---\na: 1", 1, 1, "a % directive is not read"),
        ("\ufeff\ta: 1", 1, 1, "a tab is used for indentation"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document begins here"),
        ("a:\nb: 1", 1, 1, "there is no value"),
        ("a: 1\nb: ~", 2, 1, "there is no value (~)"),
        ("a: [null]", 1, 5, "there is no value (null)"),
        ("- 1\n-\n", 2, 2, "there is no value"),
        ("? [a]\n: b", 1, 3, "a key must be text"),
        ("{{a: 1}: 2}", 1, 2, "a key must be text"),
        ("*x : 1", 1, 1, "a key must be text"),
        ('"": 1', 1, 1, "a key is missing before the colon"),
        ("", 1, 1, "the document is empty"),
        ("# nothing\n", 1, 1, "the document is empty"),
        ("a: 1234567890123456", 1, 4, "a whole number of 16 digits would not stay exact"),
        ("a: 1e999", 1, 4, "1e999 is too large for a number"),
        ("a:\n\tb: 1", 2, 1, "a tab is used for indentation"),
        ("a:\n  b: 1\n  \tc: 2", 3, 3, "a tab is used for indentation"),
        ("a: \x07", 1, 4, "the invisible character U+0007 stands here"),
        ("a: b\nc: d\u2028", 2, 5, "the invisible character U+2028 stands here"),
        ("a: \x00", 1, 4, "the invisible character U+0000 stands here"),
        ("a: b: c", 1, 5, "a second `key:` stands where only a value can"),
        ("a: @b", 1, 4, "a value cannot begin with '@'"),
        ("a: b\nc: [1,\n  2\n", 2, 4, "the list in brackets is not closed"),
        ("a: 'b\nc: d", 1, 4, "the quotes opened here are never closed"),
        ('a: "\\q"', 1, 5, "a backslash and a letter that means nothing"),
        ("- a\nb: c", 2, 1, "a dash should stand here"),
        (" a: 1\nb: 2", 2, 1, "this line is not part of anything above it"),
        ("a:\n  b: 1\n c: 2", 3, 2, "a key should stand here"),
        ("a: 1\nb\nc: 2", 3, 1, "a key without a colon"),
    ],
)
def test_each_trap_is_refused_where_it_stands(text: str, line: int, column: int, what: str) -> None:
    problem = only_problem(text)
    assert (problem.line, problem.column) == (line, column)
    assert problem.what.startswith(what)
    assert problem.advice


def test_a_refused_value_fits_no_type_so_nothing_is_built_on_it() -> None:
    tree = read("a: &x 1\nb: [~, 2]\n")
    assert tree.value == {"a": UNREADABLE, "b": (UNREADABLE, 2)}


def test_every_problem_of_a_document_is_found_in_one_reading() -> None:
    tree = read("a: &x 1\nb: !t 2\nc:\na: 3\n")
    assert [(problem.line, problem.path) for problem in tree.problems] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
        (4, "a"),
    ]


def test_bytes_that_are_not_utf_8_are_refused_at_their_place() -> None:
    problem = only_problem("a: 1\nb: ü".encode("latin-1"))
    assert (problem.line, problem.column) == (2, 4)
    assert problem.what == "byte 0xfc is not UTF-8"


def test_half_of_a_surrogate_pair_is_refused() -> None:
    problem = only_problem("a: b\n\ud800")
    assert (problem.line, problem.column) == (2, 1)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_lines_are_counted_alike_whatever_ends_them(line_break: str) -> None:
    assert only_problem(f"a: 1{line_break}b: 2{line_break}\tc: 3").line == 3
    assert only_problem(f"a: 1{line_break}b: 2{line_break}c: &x 3").line == 3


def test_a_tab_after_a_value_is_harmless() -> None:
    assert read("a: 1\t# one\nb:\t2\n").value == {"a": 1, "b": 2}


def test_a_tab_in_an_otherwise_empty_line_is_refused_as_libyaml_would() -> None:
    assert only_problem("a: 1\n \t\nb: 2\n").what == "a tab is used for indentation"


def test_a_document_of_the_greatest_size_is_read_and_a_longer_one_refused() -> None:
    fitting = "a: 1\n".ljust(MOST_BYTES, "#")
    assert read("a: 1 #".ljust(MOST_BYTES, "#")).problems == ()
    assert only_problem(fitting + "#").what == "the document is too long"
    assert only_problem("#" * MOST_BYTES + "ü").what == "the document is too long"
    assert only_problem(("#" + "ü" * (MOST_BYTES // 2)).encode()).what == "the document is too long"


def test_the_greatest_depth_is_read_and_one_level_more_refused() -> None:
    assert read("[" * MOST_DEPTH + "]" * MOST_DEPTH).problems == ()
    problem = only_problem("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1))
    assert problem.what.startswith("more than 20 levels")
    assert problem.column == MOST_DEPTH + 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "[{a: ", "? - "])
def test_brackets_without_end_are_given_up_at_the_first_level_too_deep(opening: str) -> None:
    # Read to its end, the first of these takes libyaml minutes.
    deep = opening * (MOST_BYTES // len(opening))
    assert len(read(deep).problems) == 1


def test_the_greatest_number_of_values_is_read_and_one_more_refused() -> None:
    # The list is a value too.
    assert read(f"[{'a,' * (MOST_VALUES - 1)}]").problems == ()
    assert only_problem(f"[{'a,' * MOST_VALUES}]").what == "more than 20000 values"


def test_an_alias_bomb_is_refused_at_its_first_anchor_and_never_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    tree = read("\n".join(lines))
    assert tree.problems[0].what == "the anchor &a0 is not read"
    assert isinstance(tree.value, dict)
    assert tree.value["a1"] == (UNREADABLE,) * 9


def test_reading_stops_after_so_many_problems_that_nobody_reads_on() -> None:
    assert len(read("a: 1\n" * 10_000).problems) == MOST_PROBLEMS
    assert len(read("\ta\n" * 10_000).problems) < MOST_PROBLEMS + 1
