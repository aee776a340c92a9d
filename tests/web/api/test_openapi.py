from collections import Counter
from typing import Any

import pytest
from openapi_spec_validator import validate

from flexedge.web.api.op import Call, On, Op, Reply, Sent
from flexedge.web.api.openapi import document, operation_id
from flexedge.web.api.parts import Parts
from flexedge.web.api.table import operations
from flexedge.web.auth import Access
from flexedge.wire.shape import Duration, KebabShape, Told


class Question(KebabShape):
    most_often: int | None = None
    """How often at most."""
    names: list[str]


class Inner(KebabShape):
    span: Duration


class Said(KebabShape):
    flex_model: Inner


class Unit(KebabShape):
    unit: str | None = None


class Answer(Told):
    value: float


def run(_call: Call[Any, Any]) -> Reply:
    return Reply()


def op(method: str = "GET", path: str = "/api/v3_0/things/{id}", **more: Any) -> Op:
    given = {"method": method, "path": path, "run": run, "summary": "Do it", "tag": "Things"}
    return Op(**{**given, "answers": {200: Answer}, **more})


def told(one: Op) -> dict[str, Any]:
    made = document((one,))
    validate(made)
    found: dict[str, Any] = made["paths"][one.path][one.method.lower()]
    return found


def test_the_whole_table_makes_a_valid_document(parts: Parts, access: Access) -> None:
    ops = operations(parts, access)
    made = document(ops)
    validate(made)
    there = [
        operation["operationId"] for path in made["paths"].values() for operation in path.values()
    ]
    assert len(there) == len(ops)
    assert Counter(there).most_common(1)[0][1] == 1
    for path in made["paths"].values():
        for operation in path.values():
            assert operation["summary"], operation
            assert operation["responses"]


def test_an_operation_is_described() -> None:
    found = told(op(description="More.", on=On("asset", "update"), scope="manage", deprecated=True))
    assert found["operationId"] == "get_things_by_id"
    assert found["summary"] == "Do it"
    assert found["description"] == "More.\n\nScope: `manage`. Permission on the asset: `update`."
    assert found["tags"] == ["Things"]
    assert found["deprecated"] is True
    assert found["security"] == [{"token": []}, {"bearer": []}]
    assert found["parameters"] == [
        {"name": "id", "in": "path", "required": True, "description": "The number of the asset.",
         "schema": {"type": "integer", "minimum": 0}},
    ]  # fmt: skip


def test_who_may_ask_is_described() -> None:
    assert told(op(who="anybody"))["security"] == []
    assert "401" not in told(op(who="anybody"))["responses"]
    assert told(op(who="admin", triggers=True))["description"] == (
        "For callers with the role `admin`. Scope: `read`. Counts as a trigger."
    )


def test_a_query_is_described_by_its_kebab_names_and_without_null() -> None:
    assert told(op(query=Question))["parameters"][1:] == [
        {"name": "most-often", "in": "query", "description": "How often at most.",
         "schema": {"type": "integer"}},
        {"name": "names", "in": "query", "required": True,
         "schema": {"type": "array", "items": {"type": "string"}}},
    ]  # fmt: skip


def test_a_body_is_described() -> None:
    made = document((op("POST", body=Said, most_bytes=7),))
    body = made["paths"]["/api/v3_0/things/{id}"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["description"] == "At most 7 bytes."
    assert body["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Said"}}
    }
    inner = made["components"]["schemas"]["Inner"]["properties"]["span"]
    assert (inner["type"], inner["format"]) == ("string", "duration")
    assert made["components"]["schemas"]["Said"]["additionalProperties"] is False


def test_forms_and_files_are_described() -> None:
    form = told(op("POST", body=Unit, body_is="form"))["requestBody"]
    assert form["required"] is False
    assert list(form["content"]) == ["application/x-www-form-urlencoded"]
    files = told(op("POST", body=Unit, body_is="files"))["requestBody"]
    schema = files["content"]["multipart/form-data"]["schema"]
    assert list(schema["properties"]) == ["uploaded-files", "unit"]
    assert schema["required"] == ["uploaded-files"]
    assert "multipart/form-data" in told(op("POST", body_is="files"))["requestBody"]["content"]


def test_answers_are_described() -> None:
    found = told(op(answers={200: Sent("text/csv"), 202: dict[str, Any], 204: None, 409: None}))
    answers = found["responses"]
    assert answers["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert "application/json" in answers["202"]["content"]
    assert "content" not in answers["204"]
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert answers["409"]["content"] == problem
    assert answers["422"] == {"$ref": "#/components/responses/Problem422"}
    assert "304" in answers
    assert {"413", "415"} & answers.keys() == set()
    assert {"413", "415"} <= told(op("POST", body=Said))["responses"].keys()


def test_only_schemas_that_are_referred_to_are_there() -> None:
    made = document((op(query=Question), op("POST", body=Said)))
    assert sorted(made["components"]["schemas"]) == ["Answer", "Failed", "Inner", "Problem", "Said"]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/", "get_versions"),
        ("GET", "/api/v3_0", "get_root"),
        ("POST", "/api/requestAuthToken", "post_requestAuthToken"),
        ("GET", "/api/v3_0/docs/openapi.json", "get_docs_openapi_json"),
        ("PATCH", "/api/v3_0/users/{id}/password-reset", "patch_users_by_id_password_reset"),
    ],
)
def test_operations_have_names(method: str, path: str, name: str) -> None:
    assert operation_id(op(method, path)) == name
