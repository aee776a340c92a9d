import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message

from flexedge.web.api.body import MOST_FIELDS, MOST_FILES, form_in, json_in, read
from flexedge.web.api.op import File, Rejected

LINE = "line"


def part(name: str, value: bytes, file: str | None = None) -> bytes:
    filename = "" if file is None else f'; filename="{file}"'
    head = f'--{LINE}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
    return head.encode() + value + b"\r\n"


END = f"--{LINE}--\r\n".encode()
MULTIPART = {"content-type": f"multipart/form-data; boundary={LINE}"}


def form(body: bytes, *, files: bool = True, **headers: str) -> tuple[dict[str, str], Any]:
    told = Headers(headers={name.replace("_", "-"): value for name, value in headers.items()})
    return asyncio.run(
        form_in(Headers(headers=MULTIPART) if not headers else told, body, files=files)
    )


def test_reading_stops_when_it_is_too_much() -> None:
    given = []

    async def receive() -> Message:
        given.append(1)
        return {"type": "http.request", "body": b"12345", "more_body": True}

    request = Request({"type": "http", "headers": [], "method": "POST"}, receive)
    with pytest.raises(Rejected) as told:
        asyncio.run(read(request, 12))
    assert told.value.status == 413
    assert len(given) == 3


def test_what_says_it_is_too_much_is_not_read_at_all() -> None:
    async def receive() -> Message:
        raise AssertionError

    head = [(b"content-length", b"13")]
    request = Request({"type": "http", "headers": head, "method": "POST"}, receive)
    with pytest.raises(Rejected) as told:
        asyncio.run(read(request, 12))
    assert told.value.status == 413


def test_what_is_allowed_is_read() -> None:
    pieces: AsyncIterator[Message]

    async def messages() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"123456", "more_body": True}
        yield {"type": "http.request", "body": b"789012", "more_body": False}

    pieces = messages()
    request = Request({"type": "http", "headers": [], "method": "POST"}, pieces.__anext__)
    assert asyncio.run(read(request, 12)) == b"123456789012"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/vnd.x+json", "application/JSON "]
)
def test_json_has_its_types(kind: str) -> None:
    assert json_in(Headers(headers={"content-type": kind}), b'{"a": 1}', "json") == {"a": 1}


def test_wrong_json_is_told_in_its_place() -> None:
    with pytest.raises(Rejected) as told:
        json_in(Headers(headers={"content-type": "application/json"}), b"[1,", "json")
    assert told.value.status == 400
    assert list(told.value.told) == ["json"]


def test_fields_and_files_are_told_apart() -> None:
    body = part("unit", b"kW") + part("uploaded-files", b"1,2", "é.csv") + END
    assert form(body) == ({"unit": "kW"}, (File("é.csv", b"1,2"),))
    assert form(b"") == ({}, ())


def test_files_never_come_to_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    content = b"1" * 3_000_000
    assert form(part("uploaded-files", content, "a") + END)[1] == (File("a", content),)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (part("f", b"", "a") * (MOST_FILES + 1) + END, "Too many files"),
        (part("f", b"") * (MOST_FIELDS + 1) + END, "Too many fields"),
        (part("f", b"1" * 1_100_000) + END, "maximum size"),
        (b"nonsense", "Invalid multipart data"),
        (f"--{LINE}\r\n\r\nx\r\n".encode() + END, "Content-Disposition"),
    ],
)
def test_forms_with_too_much_or_broken_ones_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(Rejected, match="no form") as told:
        form(body)
    assert (told.value.status, why in str(told.value.told)) == (400, True)


def test_files_are_refused_where_only_fields_are_asked_for() -> None:
    with pytest.raises(Rejected, match="Too many files"):
        form(part("f", b"", "a") + END, files=False)


def test_fields_come_encoded_like_an_address_too() -> None:
    head = "application/x-www-form-urlencoded"
    assert form(b"a=b+c&d=%C3%A9", files=False, content_type=head)[0] == {"a": "b c", "d": "é"}
    with pytest.raises(Rejected) as told:
        form(b"a=%00", files=False, content_type=head)
    assert told.value.status == 422


@pytest.mark.parametrize("kind", ["application/json", "multipart/mixed; boundary=line", ""])
def test_what_is_no_form_is_refused(kind: str) -> None:
    with pytest.raises(Rejected) as told:
        form(END, content_type=kind)
    assert told.value.status == 415


def test_a_form_without_a_boundary_is_refused() -> None:
    with pytest.raises(Rejected, match="boundary"):
        form(END, content_type="multipart/form-data")
