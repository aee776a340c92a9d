"""What holds for every operation, whatever it does."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from flexedge.web.api.op import Op
from tests.api.platform import Platform

UNKNOWN = "You could not be properly authenticated for this content or functionality."


def filled(op: Op, number: int = 1) -> str:
    """The path of an operation with something in its places."""
    path = op.path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = f"{before}{number}{rest.partition('}')[2]}"
    return path


def asked(served: Platform) -> Iterator[tuple[Op, str]]:
    for op in served.ops:
        yield op, filled(op)


def test_nobody_gets_anything_but_what_is_public(served: Platform) -> None:
    for op, path in asked(served):
        answer = served.ask(op.method, path, None, stream=True)
        if op.who == "anybody":
            assert answer.status_code != 403, path
        else:
            assert (answer.status_code, answer.json()["message"]) == (401, UNKNOWN), (
                op.method,
                path,
            )
        answer.close()


def test_every_answer_says_which_flexmeasures_it_speaks(served: Platform) -> None:
    for op, path in asked(served):
        answer = served.ask(op.method, path, None, stream=True)
        assert answer.headers["FlexMeasures-Version"] == "1.0.1", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert ("API-Version" in answer.headers) == path.startswith("/api/v3_0"), path
        answer.close()


def test_every_path_tells_its_methods(served: Platform) -> None:
    there: dict[str, set[str]] = {}
    for op, path in asked(served):
        there.setdefault(path, set()).add(op.method)
    for path, methods in there.items():
        allowed = served.ask("OPTIONS", path, None).headers["Allow"].split(", ")
        assert methods <= set(allowed), path
        for method in {"GET", "POST", "PATCH", "PUT", "DELETE"} - set(allowed):
            assert served.ask(method, path, "admin").status_code == 405, (method, path)


def test_an_absurd_number_is_no_object(served: Platform) -> None:
    for op in served.ops:
        if op.on is not None:
            for number in (0, 10**18, 2**63, 10**40):
                answer = served.ask(op.method, filled(op, number), "admin")
                assert answer.status_code == 422, (op.method, op.path, answer.text)


def test_no_body_is_too_deep_too_wrong_or_too_long(served: Platform) -> None:
    place = urlsplit(served.url).netloc
    for op in served.ops:
        if op.body is None or op.body_is != "json":
            continue
        for body, statuses in (
            (b"[" * 40_000, {400}),
            (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, {400, 413}),
            (b'{"a": "\xff"}', {400}),
            ("{}".encode("utf-16"), {400}),
            (b"{} {}", {400}),
            (b"[1, 2]", {400, 422}),
            (b'"text"', {400, 422}),
        ):
            headers = {"Content-Type": "application/json"}
            answer = served.ask(op.method, filled(op), "admin", data=body, headers=headers)
            assert answer.status_code in statuses | {422, 404}, (op.path, body[:9], answer.text)
        connection = http.client.HTTPConnection(place, timeout=10)
        head = {"Content-Type": "application/json", "Authorization": served.tokens["admin"]}
        head["Content-Length"] = str(op.most_bytes + 1)
        connection.request(op.method, filled(op), headers=head)
        assert connection.getresponse().status == 413, op.path
        connection.close()


def test_the_document_is_that_of_the_server(served: Platform) -> None:
    told = json.loads(served.ask("GET", "/api/v3_0/docs/openapi.json", None).content)
    there = {(method.upper(), path) for path, ops in told["paths"].items() for method in ops}
    assert there == {(op.method, op.path) for op in served.ops}
