"""Who may do what, over HTTP: every operation and route, every kind of caller."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

import pytest

from flexedge.web.api.op import On, Op
from flexedge.web.api.parts import Parts
from tests.web.api.world import CALLERS, KEYS, OTHER, OWN, World
from tests.web.conftest import NOW, Site

BROKEN: Final = 500
EVERYBODY: Final = frozenset(CALLERS)
KNOWN: Final = EVERYBODY - {"nobody"}
ADMINS: Final = frozenset({"admin", "owner", "local"})
ALL_SEERS: Final = ADMINS | {"reader"}
TEAM: Final = frozenset({"member", "head", "consultant"})
HEADS: Final = frozenset({"head", "consultant"})
ANYBODY_OF: Final = KNOWN - frozenset(KEYS)


def by(people: frozenset[str], scope: str) -> frozenset[str]:
    """These people, and the head's key with that scope if the head is among them."""
    return people | ({f"key-{scope}"} if "head" in people else frozenset())


PEOPLE: Final[Mapping[str, frozenset[str]]] = {
    "everybody": EVERYBODY,
    "known": KNOWN,
    "reads": by(ANYBODY_OF, "read"),
    "posts": by(ANYBODY_OF, "data"),
    "plans": by(ANYBODY_OF, "plan"),
    "manages": by(ANYBODY_OF, "manage"),
    "local": frozenset({"local"}),
    "admins": ADMINS,
    "sees all": ALL_SEERS,
    "runs tasks": ADMINS | {"runner"},
    "team reads": by(TEAM | ALL_SEERS, "read"),
    "team posts": by(TEAM | ADMINS, "data"),
    "team plans": by(TEAM | ADMINS, "plan"),
    "team manages": by(TEAM | ADMINS, "manage"),
    "heads read": by(HEADS | ALL_SEERS, "read"),
    "heads delete data": by(HEADS | ADMINS, "data"),
    "heads manage": by(HEADS | ADMINS, "manage"),
    "heads control": by(HEADS | ADMINS, "control"),
    "consultants": ADMINS | {"consultant"},
    "those it is for": ADMINS,
}
EXPECTED: Final[Mapping[str, str]] = {
    "GET /": "everybody",
    "GET /claim": "everybody",
    "GET /centres": "everybody",
    "GET /open": "everybody",
    "GET /health": "everybody",
    "GET /api/session": "everybody",
    "POST /api/claim": "everybody",
    "POST /api/login": "everybody",
    "POST /api/logout": "known",
    "POST /api/password": "known",
    "POST /api/tickets": "local",
    "GET /api/status": "team reads",
    "GET /api/devices": "team reads",
    "GET /api/chart": "team reads",
    "GET /api/beliefs": "team reads",
    "GET /api/totals": "team reads",
    "GET /api/events": "team reads",
    "GET /api/": "everybody",
    "GET /api/v3_0": "everybody",
    "GET /api/v3_0/docs/": "everybody",
    "GET /api/v3_0/docs/openapi.json": "everybody",
    "GET /ui/static/openapi-specs.json": "everybody",
    "GET /api/v3_0/health/ready": "everybody",
    "POST /api/requestAuthToken": "everybody",
    "POST /api/refreshAuthToken": "everybody",
    "POST /api/revokeAuthToken": "known",
    "POST /api/setPassword": "everybody",
    "GET /api/v3_0/accounts": "reads",
    "POST /api/v3_0/accounts": "consultants",
    "GET /api/v3_0/accounts/{id}": "team reads",
    "PATCH /api/v3_0/accounts/{id}": "team manages",
    "DELETE /api/v3_0/accounts/{id}": "admins",
    "GET /api/v3_0/accounts/{id}/auditlog": "heads read",
    "POST /api/v3_0/accounts/{id}/annotations": "heads manage",
    "GET /api/v3_0/accounts/{id}/annotations": "team reads",
    "GET /api/v3_0/users": "reads",
    "POST /api/v3_0/users": "heads manage",
    "GET /api/v3_0/users/{id}": "team reads",
    "PATCH /api/v3_0/users/{id}": "heads manage",
    "DELETE /api/v3_0/users/{id}": "admins",
    "PATCH /api/v3_0/users/{id}/password-reset": "heads manage",
    "GET /api/v3_0/users/{id}/auditlog": "heads read",
    "GET /api/v3_0/tokens": "reads",
    "POST /api/v3_0/tokens": "those it is for",
    "DELETE /api/v3_0/tokens/{number}": "admins",
    "GET /api/v3_0/plans": "sees all",
    "POST /api/v3_0/plans": "admins",
    "PATCH /api/v3_0/plans/{number}": "admins",
    "GET /api/v3_0/assets": "reads",
    "GET /api/v3_0/assets/public": "reads",
    "GET /api/v3_0/assets/types": "reads",
    "POST /api/v3_0/assets": "heads manage",
    "GET /api/v3_0/assets/{id}": "team reads",
    "PATCH /api/v3_0/assets/{id}": "team manages",
    "DELETE /api/v3_0/assets/{id}": "heads manage",
    "POST /api/v3_0/assets/{id}/copy": "heads manage",
    "GET /api/v3_0/assets/{id}/sensors": "team reads",
    "GET /api/v3_0/assets/{id}/status": "team reads",
    "GET /api/v3_0/assets/{id}/jobs": "team reads",
    "POST /api/v3_0/assets/{id}/annotations": "team manages",
    "GET /api/v3_0/assets/{id}/annotations": "team reads",
    "GET /api/v3_0/assets/{id}/chart": "team reads",
    "GET /api/v3_0/assets/{id}/chart_data": "team reads",
    "GET /api/v3_0/assets/{id}/chart_annotations": "team reads",
    "GET /api/v3_0/assets/{id}/kpis": "team reads",
    "GET /api/v3_0/assets/{id}/auditlog": "team reads",
    "POST /api/v3_0/assets/default_asset_view": "reads",
    "POST /api/v3_0/assets/keep_legends_below_graphs": "reads",
    "POST /api/v3_0/assets/{id}/schedules/trigger": "team plans",
    "GET /api/v3_0/sensors": "reads",
    "POST /api/v3_0/sensors": "team manages",
    "GET /api/v3_0/sensors/{id}": "team reads",
    "PATCH /api/v3_0/sensors/{id}": "heads manage",
    "DELETE /api/v3_0/sensors/{id}": "heads manage",
    "GET /api/v3_0/sources": "reads",
    "POST /api/v3_0/sensors/{id}/data": "team posts",
    "GET /api/v3_0/sensors/{id}/data": "team reads",
    "DELETE /api/v3_0/sensors/{id}/data": "heads delete data",
    "POST /api/v3_0/sensors/{id}/data/upload": "team posts",
    "POST /api/v3_0/data": "team posts",
    "GET /api/v3_0/data": "team reads",
    "GET /api/v3_0/data/live": "team reads",
    "POST /api/v3_0/sensors/data": "team posts",
    "GET /api/v3_0/sensors/data": "team reads",
    "POST /api/v3_0/sensors/{id}/schedules/trigger": "team plans",
    "GET /api/v3_0/sensors/{id}/schedules/{uuid}": "team reads",
    "GET /api/v3_0/schedules/{uuid}": "team reads",
    "POST /api/v3_0/sensors/{id}/forecasts/trigger": "team plans",
    "GET /api/v3_0/sensors/{id}/forecasts/{uuid}": "team reads",
    "POST /api/v3_0/schedules/solve": "plans",
    "GET /api/v3_0/jobs/{uuid}": "team reads",
    "GET /api/v3_0/sensors/{id}/stats": "team reads",
    "GET /api/v3_0/sensors/{id}/status": "team reads",
    "POST /api/v3_0/sensors/{id}/annotations": "team manages",
    "GET /api/v3_0/sensors/{id}/annotations": "team reads",
    "GET /api/v3_0/gateway": "reads",
    "GET /api/v3_0/gateway/health": "team reads",
    "GET /api/v3_0/gateway/devices": "team reads",
    "GET /api/v3_0/gateway/devices/{name}": "team reads",
    "GET /api/v3_0/gateway/setpoints": "team reads",
    "GET /api/v3_0/gateway/sync": "team reads",
    "POST /api/v3_0/gateway/sync/now": "heads manage",
    "POST /api/v3_0/gateway/sync/veto": "heads control",
    "GET /api/v3_0/gateway/sync/rejected": "team reads",
    "POST /api/v3_0/gateway/sync/retry": "heads manage",
    "GET /api/v3_0/gateway/centres": "team reads",
    "POST /api/v3_0/gateway/centres": "admins",
    "POST /api/v3_0/gateway/centres/plan": "admins",
    "DELETE /api/v3_0/gateway/centres/{name}": "admins",
    "GET /api/v3_0/gateway/plan": "team reads",
    "GET /api/v3_0/gateway/overrides": "team reads",
    "POST /api/v3_0/gateway/overrides": "heads control",
    "DELETE /api/v3_0/gateway/overrides/{number}": "heads control",
    "GET /api/v3_0/gateway/limits": "team reads",
    "POST /api/v3_0/gateway/limits": "heads control",
    "DELETE /api/v3_0/gateway/limits/{number}": "heads control",
    "GET /api/v3_0/gateway/live": "team reads",
    "GET /api/v3_0/gateway/status": "team reads",
    "GET /api/ops/ping": "everybody",
    "GET /api/ops/getLatestTaskRun": "runs tasks",
    "POST /api/ops/postLatestTaskRun": "runs tasks",
    "GET /api/dev/sensor/{id}": "team reads",
    "GET /api/dev/sensor/{id}/chart": "team reads",
    "GET /api/dev/sensor/{id}/chart_data": "team reads",
    "GET /api/dev/sensor/{id}/chart_annotations": "team reads",
    "GET /api/dev/asset/{id}": "team reads",
    "GET /api/dev/asset/{id}/chart": "team reads",
    "GET /api/dev/asset/{id}/chart_data": "team reads",
    "GET /api/dev/asset/{id}/chart_annotations": "team reads",
}
"""Of things that belong to the account "Own", and of the gateway, which does, too."""
REFUSED_WITH: Final = {"DELETE /api/v3_0/tokens/{number}": 404, "POST /api/v3_0/assets": 422}
"""Where some are told that there is no such thing or, as FlexMeasures does, of a wrong field."""
_DATA: Final = {"start": NOW.isoformat(), "duration": "PT15M", "unit": "kW"}
BODIES: Final[Mapping[str, Callable[[World], dict[str, Any]]]] = {
    "POST /api/v3_0/accounts": lambda world: {"name": f"new {world.number()}"},
    "POST /api/v3_0/users": lambda world: {
        "account_id": OWN, "email": f"new{world.number()}@example.org",
        "username": f"new {world.number()}",
    },
    "POST /api/v3_0/tokens": lambda world: {"name": "new", "user": world.new("user")},
    "POST /api/v3_0/assets": lambda world: {
        "name": f"new {world.number()}", "generic_asset_type_id": 1, "account_id": OWN,
    },
    "POST /api/v3_0/sensors": lambda world: {
        "name": f"new {world.number()}", "unit": "kW", "event_resolution": "PT15M",
        "generic_asset_id": world.new("asset"),
    },
    "POST /api/v3_0/data": lambda world: {
        "data": [{"sensor": world.new("sensor"), "values": [1], **_DATA}]
    },
    "POST /api/v3_0/sensors/data": lambda world: {
        "sensor": f"ea1.2026-01.localhost:fm1.{world.new('sensor')}", "values": [1], **_DATA,
        "type": "PostSensorDataRequest",
    },
    "POST /api/v3_0/gateway/overrides": lambda _world: {
        "asset": "battery", "action": "idle", "until": "2026-04-21T14:00:00Z",
    },
    "POST /api/v3_0/gateway/sync/veto": lambda _world: {"on": True},
    "POST /api/v3_0/gateway/sync/retry": lambda _world: {"all": True},
    "POST /api/v3_0/gateway/centres": lambda _world: {"url": "https://ems.example.com"},
    "POST /api/v3_0/gateway/centres/plan": lambda _world: {"url": "https://ems.example.com"},
    "POST /api/v3_0/gateway/limits": lambda _world: {
        "most_consumption": "5 kW", "until": "2026-04-21T14:00:00Z",
    },
}  # fmt: skip
QUERIES: Final[Mapping[str, Callable[[World], dict[str, Any]]]] = {
    "GET /open": lambda world: {"ticket": world.site.access.issue_ticket()},
    "GET /api/v3_0/data": lambda world: {"sensors": world.new("sensor"), **_DATA},
    "GET /api/v3_0/data/live": lambda world: {"sensors": world.new("sensor")},
    "GET /api/v3_0/sensors/data": lambda world: {
        "sensor": f"ea1.2026-01.localhost:fm1.{world.new('sensor')}", **_DATA,
    },
}  # fmt: skip


@pytest.fixture
def people(site: Site, parts: Parts) -> World:
    return World(site, parts)


def ops(site: Site) -> dict[str, Op | None]:
    """Every operation, and every route of the page."""
    state = site.server._app.state
    found: dict[str, Op | None] = {f"{rule.method} {rule.path}": None for rule in state.rules}
    return found | {f"{op.method} {op.path}": op for op in state.operations}


def asked(world: World, name: str, op: Op | None, caller: str, account: int | None = OWN) -> int:
    """How it is answered, of new things of an account."""
    method, path = name.split(" ")
    if op is not None and op.on is not None:
        path = path.replace(f"{{{op.on.parameter}}}", str(thing(world, op.on, account)))
    elif "{number}" in path:
        kind = {"plans": "plan", "tokens": "key"}.get(path.split("/")[3])
        path = path.replace("{number}", str(world.new(kind) if kind else 1))
    if "{uuid}" in path:
        path = path.replace("{uuid}", job(world, account))
    path = path.replace("{name}", "battery")
    with world.session(caller).request(
        method,
        world.site.url + path,
        params=QUERIES[name](world) if name in QUERIES else {},
        **said(world, name, op),
        stream=True,
        allow_redirects=False,
        timeout=10,
    ) as answer:
        return answer.status_code


def thing(world: World, on: On, account: int | None) -> int:
    """What a path names: an account that is to be deleted, and all else, is new."""
    kept = on.kind == "account" and on.permission != "delete"
    return account or OWN if kept else world.new(on.kind, account)


def said(world: World, name: str, op: Op | None) -> dict[str, Any]:
    """What a request says, as it has to be sent."""
    if op is not None and op.body_is == "files":
        return {"files": {"uploaded-files": ("values.csv", b"")}}
    if op is not None and op.body_is == "form":
        return {"data": {"name": "task"}}
    body = BODIES[name](world) if name in BODIES else {}
    return {} if name.startswith("GET ") else {"json": body}


def job(world: World, account: int | None) -> str:
    """A new job about an asset of an account."""
    asset = world.new("asset", account)
    anew = f"{uuid4()}"
    return world.parts.work.ask("scheduling", {"why": anew}, asset_id=asset, anew=True).id


def refused(name: str, status: int) -> bool:
    return status in (401, 403, REFUSED_WITH.get(name))


def test_every_operation_and_route_has_its_line(site: Site) -> None:
    assert ops(site).keys() == EXPECTED.keys()
    assert set(EXPECTED.values()) <= PEOPLE.keys()


@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_do_what(people: World, caller: str) -> None:
    wrong = []
    for name, op in ops(people.site).items():
        status = asked(people, name, op, caller)
        if status == BROKEN or refused(name, status) == (caller in PEOPLE[EXPECTED[name]]):
            wrong.append(f"{name}: {status}")
        if caller == "nobody" and refused(name, status):
            assert status == 401, name
    assert not wrong, wrong


@pytest.mark.parametrize("caller", CALLERS)
def test_what_is_public_is_read_by_all_and_changed_by_admins(people: World, caller: str) -> None:
    wrong = []
    for name, op in ops(people.site).items():
        if op is None or op.on is None or op.on.kind not in ("asset", "sensor"):
            continue
        reads = op.on.permission == "read" and op.scope == "read"
        welcome = PEOPLE["reads"] if reads else ADMINS
        if name == "POST /api/v3_0/assets/{id}/copy":
            continue  # it reads one thing and makes another
        status = asked(people, name, op, caller, None)
        if status == BROKEN or refused(name, status) == (caller in welcome):
            wrong.append(f"{name}: {status}")
    assert not wrong, wrong


@pytest.mark.parametrize("caller", ["member", "head", "consultant", "adviser", *KEYS])
def test_nothing_of_strangers_is_to_be_had(people: World, caller: str) -> None:
    for name, op in ops(people.site).items():
        if op is not None and op.on is not None:
            assert asked(people, name, op, caller, OTHER) == 403, name
