"""YAML, strictly, with places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.load import Document, read_text, read_yaml, scalar
from flexedge.errors import ConfigError


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("True", "True"), ("yes", "yes"), ("on", "on"),
        ("off", "off"), ("no", "no"), ("null", None), ("~", None), ("", None),
        ("12", 12), ("-3", -3), ("+3", 3), ("0", 0), ("012", "012"), ("0x0D10", 0xD10),
        ("0o17", 15), ("1e3", 1000.0), ("1.5", 1.5), ("-.5", -0.5), ("5.", 5.0),
        ("12:30", "12:30"), ("2025-01-01", "2025-01-01"), ("1_000", "1_000"), (".inf", ".inf"),
        (".nan", ".nan"), ("1e999", "1e999"), ("5 kW", "5 kW"), ("012.5", "012.5"),
    ],
)  # fmt: skip
def test_words(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_values_and_their_places() -> None:
    document = read_text('a: 1\nb:\n  c: [x, "1", 012]\n  d: {e: 0.5}\n', "f.yaml")
    assert document.data == {"a": 1, "b": {"c": ["x", "1", "012"], "d": {"e": 0.5}}}
    assert document.get(("b", "c", 2)) == "012"
    assert document.get(("b", "nothing", 2)) is None
    assert str(document.problem(("b", "c", 1), "!")) == "f.yaml:3:10: !"
    assert str(document.problem(("b", "d", "e"), "!")) == "f.yaml:4:10: !"
    assert str(document.problem(("b", "d", "e"), "!", at_key=True)) == "f.yaml:4:7: !"


def test_what_is_not_there_is_shown_at_what_holds_it() -> None:
    document = read_text("a: 1\nb:\n  c: {d: 1}\n", "f.yaml")
    assert str(document.problem(("b", "c", "x", "y"), "!")) == "f.yaml:3:3: !"
    assert str(document.problem(("b", "c"), "!")) == "f.yaml:3:3: !"
    assert str(document.problem(("z",), "!")) == "f.yaml:1:1: !"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: duplicate key 'a': it stands in line 1 already"),
        ("a: *x", "f.yaml:1:4: '*x': aliases are not allowed; write it out"),
        ("a: !!int 3", ("f.yaml:1:4: 'tag:yaml.org,2002:int': anchors and tags are not allowed; "
         "put text that begins with & or ! in quotes")),
        ("a: &x 3", ("f.yaml:1:4: '&x': anchors and tags are not allowed; put text that begins "
         "with & or ! in quotes")),
        ("<<: {a: 1}", "f.yaml:1:1: merge keys (<<) are not allowed; write the keys out"),
        ("\ta: 1", "f.yaml:1:1: a tab: indent with spaces"),
        ("a: b: c", ("f.yaml:1:5: a ':' where none fits: is the line indented wrongly, or does a "
         "text with ': ' in it lack quotes?")),
        ("a: 'x", "f.yaml:1:6: a quote that is never closed"),
        ("a: [1, 2\n", "f.yaml:2:1: a bracket that is never closed, or a ',' missing before this"),
        ("a:\n  b: 1\n c: 2", "f.yaml:3:2: the indentation does not fit the lines above"),
        ("a: @x", "f.yaml:1:4: text that begins with @ needs quotes around it"),
        ("[a]: 1", "f.yaml:1:1: a key is a single word, not a list or a mapping"),
        ("---\na: 1\n---\nb: 1", "f.yaml:3:1: only one document per file: remove '---'"),
        ("# nothing\n", "f.yaml:1:1: is empty"),
        ("ab\x01", "f.yaml:1:3: a character that YAML does not allow"),
        ('a: "\\ud800"', "f.yaml:1:4: half a character (a lone surrogate)"),
        ("a: " + "[" * 60, "f.yaml:1:54: nested deeper than 50 levels"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_several_problems_at_once() -> None:
    assert len(problems("a: &x 1\nb: *x\na: !t 2\n")) == 4


def test_escapes_beyond_unicode_are_a_problem_not_a_crash() -> None:
    (said,) = problems('a: "\\UFFFFFFFF"')
    assert said.startswith("f.yaml: is not YAML")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    def said(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            read_yaml(path)
        return str(caught.value).removeprefix(str(path))

    assert said(tmp_path / "none.yaml") == ": there is no such file"
    assert said(tmp_path) == ": cannot be read: Is a directory"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: K\xfcche\n")
    assert said(latin) == ":2:5: is not UTF-8 text: save the file as UTF-8"
    big = tmp_path / "big.yaml"
    big.write_bytes(b"# " + b"x" * 1_000_000)
    assert said(big) == ": is larger than 1 MB: not a file of ours"
    marked = tmp_path / "marked.yaml"
    marked.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(marked).data == {"a": 1}


_yamlish = st.text(st.sampled_from("ab:- \n\t[]{},'\"&*!|>#%@\\?~<0123456789.eé\x01\u2028"))


@given(_yamlish | st.text())
def test_any_text_is_a_document_or_a_config_error(text: str) -> None:
    try:
        document = read_text(text, "f.yaml")
    except ConfigError as error:
        problems = error.problems
    else:
        problems = ()
        assert isinstance(document, Document)
        assert set(document.keys) <= set(document.values)
    assert all(problem.message for problem in problems)


_plain = st.recursive(
    st.integers(-(10**9), 10**9) | st.booleans() | st.from_regex(r"[a-z]{1,5}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


@given(_plain)
def test_what_is_written_is_read(value: object) -> None:
    assert read_text(f"a: {_flow(value)}", "f.yaml").data == {"a": value}
