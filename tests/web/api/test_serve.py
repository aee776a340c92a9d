import gzip
import http.client
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from flexedge.domain.asset import Sensor
from flexedge.domain.rights import Scope
from flexedge.errors import BadField, RequestError, StoreError, StoreSlow
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Call, On, Op, Rejected, Reply, Welcome, Who, forbidden, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.shape import Duration, KebabShape, Shape
from tests.web.api.conftest import PEOPLE, Serve, Served

MEGABYTE = 1024 * 1024
UNKNOWN = {
    "message": "You could not be properly authenticated for this content or functionality.",
    "status": "UNAUTHORIZED",
}
FORBIDDEN = {
    "message": "You cannot be authorized for this content or functionality.",
    "result": "Rejected",
    "status": "INVALID_SENDER",
}


class Query(KebabShape):
    most_often: int = 1
    names: list[str] | None = None


class Body(Shape):
    name: str
    count: int = 0
    span: Duration | None = None


def echo(call: Call[Any, Any]) -> Reply:
    said = call.body.model_dump() if call.body else None
    asked = call.query.model_dump(by_alias=False) if call.query else None
    files = [[one.name, one.content.decode()] for one in call.files]
    return Reply(
        {"caller": call.caller.name, "query": asked, "body": said, "path": dict(call.path),
         "number": call.number, "found": getattr(call.found, "name", None), "files": files}
    )  # fmt: skip


def op(method: str = "GET", path: str = "/api/v3_0/things", **more: Any) -> Op:
    return Op(**{"method": method, "path": path, "run": echo, "summary": "", "tag": "", **more})


def rejected(message: Any, status: str = "UNPROCESSABLE_ENTITY") -> dict[str, Any]:
    return {"message": message, "result": "Rejected", "status": status}


@pytest.fixture
def posts(serve: Serve) -> Served:
    return serve(op("POST", body=Body, most_bytes=1000))


@pytest.fixture
def asset(parts: Parts) -> int:
    return parts.state.assets.add(Asset(name="Shed", kind="building", account_id=1))


# ---- who


@pytest.mark.parametrize("token", [None, "", "Bearer", "nobody I know", "Basic bWVtYmVyOg=="])
def test_nobody_gets_no_further(serve: Serve, token: str | None) -> None:
    answer = serve(op()).ask("GET", "/api/v3_0/things", token)
    assert (answer.status_code, answer.json()) == (401, UNKNOWN)
    assert answer.headers["FlexMeasures-Version"] == "1.0.1"
    assert answer.headers["API-Version"] == "v3_0"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["member", "Bearer member"])
def test_a_token_is_taken_with_and_without_its_scheme(serve: Serve, token: str) -> None:
    assert serve(op()).ask("GET", "/api/v3_0/things", token).json()["caller"] == "member"


def test_everybody_may_ask_what_anybody_may(serve: Serve) -> None:
    served = serve(op(who="anybody"))
    assert served.ask("GET", "/api/v3_0/things", None).json()["caller"] == ""
    assert served.ask("GET", "/api/v3_0/things", "member").json()["caller"] == "member"


@pytest.mark.parametrize(
    ("who", "method", "welcome"),
    [
        ("somebody", "GET", {"member", "admin", "reader", "runner", "owner"}),
        ("admin", "GET", {"admin", "reader", "owner"}),
        ("admin", "POST", {"admin", "owner"}),
        ("task-runner", "GET", {"admin", "runner", "owner"}),
    ],
)
def test_some_things_are_for_some_people(
    serve: Serve, who: Who, method: str, welcome: set[str]
) -> None:
    served = serve(op(method, who=who))
    for name in ("member", "admin", "reader", "runner", "owner"):
        answer = served.ask(method, "/api/v3_0/things", name)
        assert answer.status_code == (200 if name in welcome else 403), name
        if name not in welcome:
            assert answer.json() == FORBIDDEN


@pytest.mark.parametrize(("scope", "status"), [("read", 200), ("manage", 403)])
def test_a_token_is_good_for_its_scopes(serve: Serve, scope: Scope, status: int) -> None:
    answer = serve(op(scope=scope)).ask("GET", "/api/v3_0/things", "key")
    assert answer.status_code == status
    assert ("lacks the scope 'manage'" in answer.text) == (status == 403)


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("POST", {}, 403),
        ("POST", {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {"Authorization": "member"}, 200),
    ],
)
def test_a_session_changes_things_from_our_own_page_only(
    serve: Serve, method: str, headers: dict[str, str], status: int
) -> None:
    served = serve(op("GET"), op("POST"))
    cookie = {"Cookie": f"flexedge-{urlsplit(served.url).port}=member"}
    answer = served.ask(method, "/api/v3_0/things", None, headers=headers | cookie)
    assert answer.status_code == status


# ---- how often


def test_requests_are_counted_by_who_asks_but_not_those_for_health(serve: Serve) -> None:
    served = serve(op(), op(path="/api/v3_0/health/ready", who="anybody"))
    served.ask("GET", "/api/v3_0/things", "member")
    served.ask("GET", "/api/v3_0/things", None)
    served.ask("GET", "/api/v3_0/health/ready", None)
    assert served.limits.requests == ["member", "127.0.0.1"]


def test_only_accepted_triggers_count_and_too_many_are_refused(serve: Serve, asset: int) -> None:
    served = serve(
        op("POST", "/api/v3_0/assets/{id}", on=On("asset", "read"), triggers=True, body=Body)
    )
    for body in ({"name": "a"}, {}, {"name": "b"}):
        served.ask("POST", f"/api/v3_0/assets/{asset}", json=body)
    assert served.limits.triggers == [asset, asset]
    answer = served.ask("POST", f"/api/v3_0/assets/{asset}", json={"name": "c"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert answer.json()["status"] == "TOO_MANY_REQUESTS"
    assert served.limits.triggers == [asset, asset]


# ---- on what


def test_the_object_of_the_path_is_handed_over(serve: Serve, parts: Parts, asset: int) -> None:
    number = parts.beliefs.register(Sensor("1/power", "kW"))
    parts.state.placed.place(number, asset, "power", "Europe/Amsterdam", {})
    served = serve(
        op(path="/api/v3_0/assets/{id}", on=On("asset", "read")),
        op(path="/api/v3_0/sensors/{id}", on=On("sensor", "read")),
        op(path="/api/v3_0/accounts/{id}", on=On("account", "read")),
    )
    for path, name in (
        (f"assets/{asset}", "Shed"), (f"sensors/{number}", "power"), ("accounts/1", "Toys")
    ):  # fmt: skip
        assert served.ask("GET", f"/api/v3_0/{path}").json()["found"] == name
        assert served.ask("GET", f"/api/v3_0/{path}", "stranger").json() == FORBIDDEN
        assert served.ask("GET", f"/api/v3_0/{path}", "reader").status_code == 200


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("asset", "99", "No asset found with ID 99."),
        ("sensor", "999999", "No sensor found with ID 999999."),
        ("account", "99", "No account found with id 99."),
        ("user", "99", "No user found with id 99."),
        ("asset", str(2**63), f"No asset found with ID {2**63}."),
        ("asset", "9" * 5000, f"No asset found with ID {'9' * 30}."),
        ("asset", "one", "Not a valid integer."),
        ("asset", "-1", "Not a valid integer."),
        ("asset", "%D9%A3", "Not a valid integer."),
        ("asset", "1%00", "Not a valid integer."),
    ],
)
def test_what_is_not_there_is_told(serve: Serve, kind: Any, text: str, told: str) -> None:
    served = serve(op(path="/api/v3_0/x/{id}", on=On(kind, "read")))
    answer = served.ask("GET", f"/api/v3_0/x/{text}", "admin")
    assert (answer.status_code, answer.json()) == (422, rejected({"path": {"id": [told]}}))


def test_who_may_not_is_told_before_what_is_wrong(serve: Serve, asset: int) -> None:
    served = serve(op("PATCH", "/api/v3_0/assets/{id}", on=On("asset", "update"), body=Body))
    assert served.ask("PATCH", f"/api/v3_0/assets/{asset}", "stranger", json={}).status_code == 403
    assert served.ask("PATCH", f"/api/v3_0/assets/{asset}", "member", json={}).status_code == 422


def test_named_paths_come_before_numbered_ones(serve: Serve) -> None:
    served = serve(
        op(path="/api/v3_0/a/{id}"), op(path="/api/v3_0/a/types"), op(path="/api/v3_0/{x}/y")
    )
    assert served.ask("GET", "/api/v3_0/a/types").json()["path"] == {}
    assert served.ask("GET", "/api/v3_0/a/5").json()["path"] == {"id": "5"}


# ---- with what


def test_a_query_is_read(serve: Serve) -> None:
    served = serve(op(query=Query))
    for text in ("most-often=3&names=a&names=b&unknown=1", "most_often=3&names=a&names=b"):
        asked = served.ask("GET", f"/api/v3_0/things?{text}").json()["query"]
        assert asked == {"most_often": 3, "names": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("most-often=x", {"most-often": ["Not a valid integer."]}),
        ("most_often=1.5", {"most_often": ["Not a valid integer."]}),
        ("most-often=", {"most-often": ["Not a valid integer."]}),
        ("names=a&names=%00", {"names": ["The character 0 is not allowed in a text."]}),
    ],
)
def test_a_wrong_query_is_told(serve: Serve, text: str, told: dict[str, Any]) -> None:
    for place in ("json", "args_and_json", "named"):
        answer = serve(op(query=Query, place=place)).ask("GET", f"/api/v3_0/things?{text}")
        expected = {"json": {"query": told}, "args_and_json": told, "named": {"named": told}}[place]
        assert (answer.status_code, answer.json()) == (422, rejected(expected)), place


def test_a_body_is_read(posts: Served) -> None:
    answer = posts.ask("POST", "/api/v3_0/things", json={"name": "é", "span": "PT15M"})
    assert answer.json()["body"] == {"name": "é", "count": 0, "span": "PT15M"}


def test_a_missing_body_is_an_empty_object(posts: Served, serve: Serve) -> None:
    answer = posts.ask("POST", "/api/v3_0/things")
    told = {"json": {"name": ["Missing data for required field."]}}
    assert (answer.status_code, answer.json()) == (422, rejected(told))

    class Empty(Shape):
        count: int = 7

    answer = serve(op("POST", body=Empty)).ask("POST", "/api/v3_0/things")
    assert answer.json()["body"] == {"count": 7}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], {"_schema": ["Invalid input type."]}),
        (None, {"_schema": ["Invalid input type."]}),
        ({}, {"name": ["Missing data for required field."]}),
        ({"name": "a", "nmae": 1}, {"nmae": ["Unknown field."]}),
        ({"name": None, "count": "x"},
         {"name": ["Field may not be null."], "count": ["Not a valid integer."]}),
        ({"name": 5, "count": 1.5},
         {"name": ["Not a valid string."], "count": ["Not a valid integer."]}),
    ],
)  # fmt: skip
def test_wrong_fields_are_told(posts: Served, body: Any, told: Any) -> None:
    answer = posts.ask("POST", "/api/v3_0/things", data=json.dumps(body), headers=JSON)
    assert (answer.status_code, answer.json()) == (422, rejected({"json": told}))


JSON = {"Content-Type": "application/json"}
NAMED = b'{"name": "a"}'


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (NAMED, JSON, 200),
        (NAMED, {"Content-Type": "Application/JSON; charset=UTF-8"}, 200),
        (NAMED, {"Content-Type": "application/json;charset=latin-1"}, 415),
        (NAMED, {"Content-Type": "text/plain"}, 415),
        (NAMED, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (NAMED, {}, 415),
        (gzip.compress(NAMED, mtime=0), JSON | {"Content-Encoding": "gzip"}, 415),
        ('{"name": "a"}'.encode("utf-16"), JSON, 400),
        ('{"name": "é"}'.encode("latin-1"), JSON, 400),
        (gzip.compress(NAMED, mtime=0), JSON, 400),
        (b"{", JSON, 400),
        (b'{"name": "a", "name": "b"}', JSON, 400),
        (b'{"name": "a", "count": NaN}', JSON, 400),
        (b'{"name": "a", "count": 1e999}', JSON, 400),
        (b'{"name": "a", "count": 99999999999999999999}', JSON, 400),
        (b'{"name": "\\ud800"}', JSON, 400),
        (b"[" * 900, JSON, 400),
        (b'{"name": "' + b"a" * 1000 + b'"}', JSON, 413),
    ],
)
def test_bodies_that_are_no_json_are_refused(
    posts: Served, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = posts.ask("POST", "/api/v3_0/things", data=body, headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["result"] == "Rejected"
        assert "name" not in answer.json()["message"] or body.count(b"name") > 1


def test_a_deep_body_is_refused_where_it_may_be_long(serve: Serve) -> None:
    served = serve(op("POST", body=Body, most_bytes=MEGABYTE))
    for body in (b"[" * 1_000_000, b'{"name":' * 100_000 + b"1" + b"}" * 100_000):
        answer = served.ask("POST", "/api/v3_0/things", data=body, headers=JSON)
        assert (answer.status_code, "deeply" in answer.text) == (400, True)


def connect(served: Served) -> socket.socket:
    place = urlsplit(served.url)
    return socket.create_connection((str(place.hostname), place.port or 0), timeout=10)


HEAD = (
    b"POST /api/v3_0/things HTTP/1.1\r\nHost: localhost\r\n%s"
    b"Content-Type: application/json\r\n%s\r\n\r\n"
)


def test_a_body_that_says_it_is_too_long_is_not_waited_for(posts: Served) -> None:
    with connect(posts) as plug:
        plug.sendall(HEAD % (b"Authorization: member\r\n", b"Content-Length: 10485760"))
        assert b" 413 " in plug.recv(1000)  # though nothing of it was sent


def test_a_body_that_grows_too_long_is_answered_before_its_end(posts: Served) -> None:
    with connect(posts) as plug:
        plug.sendall(HEAD % (b"Authorization: member\r\n", b"Transfer-Encoding: chunked"))
        plug.sendall(b"3e9\r\n" + b" " * 1001 + b"\r\n")
        assert b" 413 " in plug.recv(1000)


def test_a_strangers_body_is_not_waited_for(posts: Served) -> None:
    with connect(posts) as plug:
        plug.sendall(HEAD % (b"", b"Content-Length: 1000"))
        assert b" 401 " in plug.recv(1000)


def test_ten_megabytes_are_refused_and_the_server_goes_on(posts: Served) -> None:
    body = b"1" * (10 * MEGABYTE)
    connection = http.client.HTTPConnection(urlsplit(posts.url).netloc, timeout=10)
    connection.request("POST", "/api/v3_0/things", body, JSON | {"Authorization": "member"})
    assert connection.getresponse().status == 413
    connection.close()
    assert posts.ask("POST", "/api/v3_0/things", json={"name": "a"}).status_code == 200


# ---- forms and files


def test_a_form_is_read(serve: Serve) -> None:
    served = serve(op("POST", body=Body, body_is="form"))
    answer = served.ask("POST", "/api/v3_0/things", data={"name": "a b", "count": "3"})
    assert answer.json()["body"] == {"name": "a b", "count": 3, "span": None}
    assert served.ask("POST", "/api/v3_0/things", json={"name": "a"}).status_code == 415


def test_files_are_read(serve: Serve) -> None:
    served = serve(op("POST", body=Body, body_is="files"))
    files = [("uploaded-files", ("a.csv", b"1,2")), ("uploaded-files", ("b.csv", b"3"))]
    answer = served.ask("POST", "/api/v3_0/things", data={"name": "x"}, files=files)
    assert answer.json()["files"] == [["a.csv", "1,2"], ["b.csv", "3"]]
    assert answer.json()["body"]["name"] == "x"


# ---- what is answered


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (Rejected(400, "UNKNOWN_SCHEDULE", "None."), 400, rejected("None.", "UNKNOWN_SCHEDULE")),
        (RequestError(409, "Taken."), 409, rejected("Taken.", "CONFLICT")),
        (RequestError(404, "Gone."), 404, {"message": "Gone.", "status": "NOT_FOUND"}),
        (BadField("soc-max", "Too low."), 422, rejected({"json": {"soc-max": ["Too low."]}})),
        (StoreSlow("1 s"), 503,
         rejected("This took too long: 1 s. Ask for less.", "SERVICE_UNAVAILABLE")),
        (StoreError("/data/state.db: no disk"), 503,
         rejected("The data store cannot be used at the moment; the log says why.",
                  "SERVICE_UNAVAILABLE")),
        (ValueError("secret"), 500, {"message": "Something went wrong; the log says what."}),
    ],
)  # fmt: skip
def test_what_is_raised_is_told(serve: Serve, error: Exception, status: int, told: Any) -> None:
    def fail(_call: Call[Any, Any]) -> Reply:
        raise error

    answer = serve(op(run=fail)).ask("GET", "/api/v3_0/things")
    assert (answer.status_code, answer.json()) == (status, told)


def test_handlers_refuse_fields_and_people(serve: Serve) -> None:
    served = serve(
        op(path="/api/v3_0/a", run=lambda _: invalid({"b": ["No."]}, "query")),
        op(path="/api/v3_0/b", run=lambda _: forbidden("It is defined in the site file.")),
    )
    assert served.ask("GET", "/api/v3_0/a").json() == rejected({"query": {"b": ["No."]}})
    told = served.ask("GET", "/api/v3_0/b").json()
    assert told == rejected("It is defined in the site file.", "INVALID_SENDER")


def test_bytes_are_sent_as_they_are(serve: Serve) -> None:
    reply = Reply(b"a,b", 200, {"X-Rows": "1"}, "text/csv; charset=utf-8")
    answer = serve(op(run=lambda _: reply)).ask("GET", "/api/v3_0/things")
    assert (answer.content, answer.headers["X-Rows"]) == (b"a,b", "1")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_a_stream_is_sent_while_its_reader_is_welcome(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pieces(welcome: Welcome) -> AsyncIterator[bytes]:
        while await welcome():
            yield b"piece"
            monkeypatch.delitem(PEOPLE, "member")
        yield b"end"

    served = serve(op(run=lambda _: Reply(stream=pieces, media_type="text/event-stream")))
    answer = served.ask("GET", "/api/v3_0/things")
    assert answer.content == b"pieceend"
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_body_and_missing_numbers_are_sent(serve: Serve) -> None:
    served = serve(
        op("DELETE", run=lambda _: Reply(None, 204)),
        op("GET", run=lambda _: Reply({"a": [float("nan"), 1.5]})),
    )
    answer = served.ask("DELETE", "/api/v3_0/things")
    assert (answer.status_code, answer.content) == (204, b"")
    assert served.ask("GET", "/api/v3_0/things").content == b'{"a":[null,1.5]}'


def test_what_somebody_has_already_is_not_sent_again(serve: Serve) -> None:
    told = ["one"]
    served = serve(op(run=lambda _: Reply({"a": told[0]})))
    first = served.ask("GET", "/api/v3_0/things")
    tag = first.headers["ETag"]
    assert (tag[:3], first.headers["Cache-Control"]) == ('W/"', "private, no-cache")
    for asked in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = served.ask("GET", "/api/v3_0/things", headers={"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    told[0] = "two"
    again = served.ask("GET", "/api/v3_0/things", headers={"If-None-Match": tag})
    assert (again.status_code, again.json()) == (200, {"a": "two"})


def test_only_what_was_found_has_a_tag(serve: Serve) -> None:
    served = serve(op("POST"), op("GET", run=lambda _: Reply({}, 202)))
    for method in ("GET", "POST"):
        assert "ETag" not in served.ask(method, "/api/v3_0/things").headers


def test_a_deprecated_operation_says_so(serve: Serve) -> None:
    assert (
        serve(op(deprecated=True)).ask("GET", "/api/v3_0/things").headers["Deprecation"] == "true"
    )


def test_further_methods(serve: Serve) -> None:
    served = serve(op("GET"), op("POST", body=Body), op("POST", "/api/v3_0/only", body=Body))
    head = served.ask("HEAD", "/api/v3_0/things")
    got = served.ask("GET", "/api/v3_0/things")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
    options = served.ask("OPTIONS", "/api/v3_0/things", None)
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    for method, path, allow in (
        ("DELETE", "things", "GET, HEAD, OPTIONS, POST"), ("GET", "only", "OPTIONS, POST")
    ):  # fmt: skip
        answer = served.ask(method, f"/api/v3_0/{path}")
        assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
        assert answer.json()["status"] == "INVALID_METHOD"


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1_3/getMeterData", "/api/v2_0/asset/1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_past_versions_are_gone(serve: Serve, path: str, method: str) -> None:
    answer = serve(op()).ask(method, path, None)
    assert (answer.status_code, answer.json()["status"]) == (410, "GONE")


def test_operations_do_not_wait_for_one_another(serve: Serve) -> None:
    met = threading.Barrier(2, timeout=10)

    def meet(_call: Call[Any, Any]) -> Reply:
        met.wait()
        return Reply({})

    served, others = serve(op(run=meet)), []
    other = threading.Timer(0, lambda: others.append(served.ask("GET", "/api/v3_0/things")))
    other.start()
    assert served.ask("GET", "/api/v3_0/things").status_code == 200
    other.join()
    assert others[0].status_code == 200
