from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.cloud.answers import LONGEST, cleaned, meaning, parsed, retry_after, told
from flexedge.cloud.transport import Answer
from flexedge.errors import CentreAway, CentreError, CentreLocked, CentreRefused

JSON = {"content-type": "application/json", "flexmeasures-version": "1.0.1"}
HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = b"<!doctype html><title>Log in</title>"
NO = b'{"message": "No.", "status": "INVALID_SENDER"}'


def mean(status: int, content: bytes = b"{}", headers: dict[str, str] | None = None) -> Any:
    return meaning("main", Answer(status, JSON if headers is None else headers, content), ())


def error(status: int, content: bytes = NO, headers: dict[str, str] | None = None) -> CentreError:
    with pytest.raises(CentreError) as caught:
        mean(status, content, headers)
    assert caught.value.centre == "main"
    return caught.value


def kind(status: int, content: bytes = NO, headers: dict[str, str] | None = None) -> str:
    found = error(status, content, headers)
    assert isinstance(found, CentreAway), found
    return found.kind


def test_good_answers_are_their_json() -> None:
    assert mean(200, b'{"a": [1, null]}') == {"a": [1, None]}
    assert mean(201, b"[]") == []
    assert mean(202, b"{}", {"content-type": "application/problem+json; charset=utf-8"}) == {}
    assert mean(204, b"") is None
    assert mean(200, b'{"a": NaN, "b": Infinity}') == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("status", "content", "headers", "away"),
    [
        (200, b"", JSON, "garbled"), (200, b'{"a": ', JSON, "garbled"),
        (200, b"\xff\xfe", JSON, "garbled"), (200, b"[" * 100_000, JSON, "garbled"),
        (200, b"9" * 5000, JSON, "garbled"),
        (200, PAGE, HTML, "portal"), (200, PAGE, {}, "portal"), (200, PAGE, JSON, "garbled"),
        (200, b"ok", {"content-type": "text/plain"}, "garbled"),
        (404, PAGE, HTML, "portal"), (403, PAGE, HTML, "portal"), (401, PAGE, HTML, "portal"),
        (404, b"default backend", {"content-type": "text/plain"}, "portal"),
        (404, b'{"detail": "Not Found"}', {"content-type": "application/json"}, "portal"),
        (422, b'{"message": ', JSON, "garbled"),
        (204, b"what", {}, "garbled"), (304, b"", JSON, "garbled"), (100, b"", JSON, "garbled"),
        (407, b"", {}, "connect"), (408, b"", {}, "server"), (425, b"", {}, "server"),
        (500, NO, JSON, "server"), (502, PAGE, HTML, "server"), (503, PAGE, HTML, "server"),
        (504, b"", {}, "server"), (599, b"", {}, "server"),
        (429, NO, JSON, "busy"), (429, PAGE, HTML, "busy"),
        (511, PAGE, HTML, "portal"),
    ],
)  # fmt: skip
def test_what_counts_as_away(
    status: int, content: bytes, headers: dict[str, str], away: str
) -> None:
    assert kind(status, content, headers) == away


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_says_when_to_come_back(status: int) -> None:
    found = error(status, b"", JSON | {"retry-after": "120"})
    assert isinstance(found, CentreAway)
    assert (found.kind, found.retry_after) == ("busy", timedelta(minutes=2))


@pytest.mark.parametrize("status", [400, 403, 409, 410, 422, 405, 415])
def test_what_counts_as_a_no(status: int) -> None:
    found = error(status)
    assert isinstance(found, CentreRefused)
    assert (found.status, found.code) == (status, "INVALID_SENDER")
    assert found.message == f"{status} INVALID_SENDER: No."


def test_what_is_not_there_is_told_with_one_status() -> None:
    missing = b'{"message": {"path": {"id": ["No sensor found with ID 9."]}}, "status": "X"}'
    plain = b'{"message": {"id": ["No asset found with ID 9."]}, "status": "X"}'
    for status, content in (
        (404, b'{"message": "Gone.", "status": 404}'),
        (422, missing),
        (422, plain),
    ):
        found = error(status, content)
        assert isinstance(found, CentreRefused)
        assert (found.status, found.code) == (404, "NOT_FOUND")
    inside = b'{"message": {"json": {"sensor": ["No sensor found with ID 9."]}}, "status": "X"}'
    found = error(422, inside)
    assert isinstance(found, CentreRefused)
    assert found.status == 422


def test_too_much_is_too_much_whoever_says_so() -> None:
    for content, headers in ((NO, JSON), (PAGE, HTML), (b"", {})):
        found = error(413, content, headers)
        assert isinstance(found, CentreRefused)
        assert (found.status, found.code) == (413, "PAYLOAD_TOO_LARGE")


def test_who_is_not_known_is_locked_out() -> None:
    found = error(401, b'{"errors": ["User password does not match."]}')
    assert isinstance(found, CentreLocked)
    assert found.message == "User password does not match."
    assert isinstance(error(401, b"[]"), CentreLocked)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("7", 7), ("3600", 3600), ("3601", 3600), ("9" * 5000, 3600), (" 12 ", 12),
        ("Thu, 26 Nov 2026 12:10:30 GMT", 30), ("Thu, 26 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 27 Nov 2026 12:00:00 GMT", 3600),
        ("-5", None), ("1.5", None), ("", None), ("soon", None), ("٣", None),
        ("Thu, 99 Nov 2026 12:00:30 GMT", None),
    ],
)  # fmt: skip
def test_waits_are_understood_and_bounded(text: str, seconds: float | None) -> None:
    found = retry_after({"retry-after": text, "date": "Thu, 26 Nov 2026 12:10:00 GMT"})
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_a_date_says_nothing_without_the_clock_it_is_meant_by() -> None:
    assert retry_after({"retry-after": "Thu, 26 Nov 2026 12:00:30 GMT"}) is None
    assert retry_after({}) is None


def test_what_a_server_says_is_put_into_a_sentence() -> None:
    tree = {"json": {"values": {"0": ["Not a number."]}, "start": ["Missing."]}}
    assert told({"message": tree}) == "values: 0: Not a number.; start: Missing."
    assert told({"message": {"query": {"_schema": ["All wrong."]}}}) == "All wrong."
    assert told({"errors": ["One.", "Two."]}) == "One. Two."
    assert told({"message": ["x"] * 100}) == " ".join("x" * 8)
    assert told(["odd"]) == "odd"
    assert told({}) == ""


@given(st.text(max_size=2000))
def test_what_a_server_says_is_one_short_line_of_text(text: str) -> None:
    found = cleaned(text)
    assert len(found) <= LONGEST
    assert found.isprintable()
    assert found == found.strip()


def test_control_characters_do_not_get_to_a_terminal() -> None:
    assert cleaned("a\x1b[31mred\x00\r\n\u202eb\u200bc") == "a [31mred b c"
    assert cleaned("x" * 400) == "x" * 299 + "…"


def test_secrets_are_not_told_on() -> None:
    answer = Answer(403, JSON, b'{"message": "secret-token may not", "status": "secret-token"}')
    with pytest.raises(CentreRefused) as caught:
        meaning("main", answer, ("secret-token",))
    assert "secret-token" not in str(caught.value)
    assert "may not" in str(caught.value)


def test_json_is_found_in_answers_of_any_status() -> None:
    assert parsed("main", Answer(422, JSON, b'{"status": "FAILED"}')) == {"status": "FAILED"}
    with pytest.raises(CentreAway):
        parsed("main", Answer(422, HTML, PAGE))
