"""Linking with central servers: what would be done, doing it, and undoing it.

Who links lets another server have what the gateway knows, and do what the site file allows: that
is for admins and the owner alone. Passwords and tokens go to where credentials are kept, and
nowhere else.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from pydantic import TypeAdapter

from flexedge.cloud.keys import Key
from flexedge.errors import CentreAway, CentreError, CentreRefused
from flexedge.gateway.sync import linking, unlinking
from flexedge.store.tables.centres import Centre
from flexedge.web.api.gateway import ROOT
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.parts import Parts
from flexedge.web.api.sync import TAG, demand
from flexedge.wire.centres import (
    AccountThere,
    AskLink,
    AskUnlink,
    CentreTold,
    LinkPlanTold,
    LinkStepTold,
    LinkToldSoFar,
    UnlinkedTold,
)

CENTRES: Final = f"{ROOT}/centres"
_NO_OFFICE: Final = (
    "This gateway runs from memory, because its disk takes no writes: link it when it does."
)
_CENTRES = TypeAdapter(tuple[CentreTold, ...])


class _Handlers:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def centres(self, call: Call[object, None]) -> Reply:
        demand(self._parts, call.caller)
        state = self._parts.state
        links = [one.centre_id for one in state.links.all().values()]
        told = [_centre(one, links.count(number)) for number, one in state.centres.all().items()]
        return Reply(_CENTRES.dump_json(tuple(told)))

    def plan(self, call: Call[object, AskLink]) -> Reply:
        with _answered():
            return Reply(_plan(linking.plan_link(self._office(), _asked(call.body))))

    def link(self, call: Call[object, AskLink]) -> Reply:
        office = self._office()
        with _answered(), self._resting(call.body.name):
            done = linking.link(office, _asked(call.body), _who(call))
        if not done.left:
            self._begin(done.name)
        return Reply(
            LinkToldSoFar(
                name=done.name, done=done.done, left=done.left, refused=dict(done.refused),
                undecided=tuple(_step(one) for one in done.undecided), wait_s=done.wait_s,
            )
        )  # fmt: skip

    def unlink(self, call: Call[AskUnlink, None]) -> Reply:
        name, there, office = call.path["name"], call.query.delete_there, self._office()
        with _answered(), self._resting(name):
            gone = unlinking.unlink(office, name, _who(call), delete_there=there)
            self._begin(None)  # nothing is done with it any more when it may be done again
        return Reply(
            UnlinkedTold(
                name=gone.name, url=gone.url, links=gone.links, deleted=gone.deleted,
                kept=dict(gone.kept), left=gone.left, wait_s=gone.wait_s,
            )
        )  # fmt: skip

    def _office(self) -> linking.Office:
        centres = self._parts.centres
        office = None if centres is None else centres.linkable
        if office is None:
            raise Rejected(409, "NO_DISK", _NO_OFFICE)
        return office

    def _resting(self, name: str) -> AbstractContextManager[None]:
        """Nothing else is done with that centre meanwhile."""
        return nullcontext() if self._parts.centres is None else self._parts.centres.resting(name)

    def _begin(self, name: str | None) -> None:
        """Have what was linked begin, and what was unlinked end."""
        if self._parts.centres is not None:
            self._parts.centres.refresh()
            if name is not None:
                self._parts.centres.ask(name)


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations of this module."""
    do = _Handlers(parts)
    return (
        Op(method="GET", path=CENTRES, run=do.centres, tag=TAG,
           answers={200: tuple[CentreTold, ...]},
           summary="The central servers this gateway is linked with"),
        Op(method="POST", path=f"{CENTRES}/plan", run=do.plan, tag=TAG, who="admin",
           scope="manage", body=AskLink, answers={200: LinkPlanTold, 409: None, 502: None},
           summary="What linking with a server would do; nothing is changed"),
        Op(method="POST", path=CENTRES, run=do.link, tag=TAG, who="admin", scope="manage",
           body=AskLink, answers={200: LinkToldSoFar, 409: None, 502: None},
           summary="Link with a server, a part of it with each call: until nothing is left"),
        Op(method="DELETE", path=f"{CENTRES}/{{name}}", run=do.unlink, tag=TAG, who="admin",
           scope="manage", query=AskUnlink, answers={200: UnlinkedTold, 409: None, 502: None},
           summary="Forget a server: its credential, and what is what there; what was made there"
           " is deleted a part with each call, until nothing is left"),
    )  # fmt: skip


@contextmanager
def _answered() -> Iterator[None]:
    """Tell what a server did not do as what it is: not our caller's doing, but its.

    Never 401: that would be about who calls us.
    """
    try:
        yield
    except CentreAway as error:
        words = f"No useful answer from there: {_sentence(error)}"
        raise Rejected(502, "CENTRE_AWAY", words) from error
    except CentreRefused as error:
        raise Rejected(422, error.code or "CENTRE_REFUSED", _sentence(error)) from error
    except CentreError as error:
        raise Rejected(422, "CENTRE_LOCKED", _sentence(error)) from error


def _sentence(error: CentreError) -> str:
    text = error.message[:1].upper() + error.message[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _asked(body: AskLink) -> linking.Asked:
    password, token = (one.get_secret_value() for one in (body.password, body.token))
    key = None
    if body.email or password or token:
        key = Key(email=body.email, password=password, token=token)
    return linking.Asked(
        url=body.url, key=key, name=body.name, account_id=body.account, scopes=body.scopes,
        same_name=body.same_name,
    )  # fmt: skip


def _plan(plan: linking.Plan) -> LinkPlanTold:
    accounts = (AccountThere(id=number, name=name) for number, name in plan.accounts.items())
    return LinkPlanTold(
        name=plan.name, url=plan.url, server=plan.greeting.server, version=plan.greeting.version,
        user=plan.who.email, accounts=tuple(accounts), account=plan.account_id,
        steps=tuple(_step(one) for one in plan.steps), notes=plan.notes,
    )  # fmt: skip


def _step(one: linking.Step) -> LinkStepTold:
    return LinkStepTold(
        thing=one.thing, id=one.local_id, role=one.role, path=one.path, name=one.name, way=one.way,
        central_id=one.central_id, notes=one.notes,
    )  # fmt: skip


def _centre(centre: Centre, links: int) -> CentreTold:
    details = centre.details
    return CentreTold(
        name=centre.name, url=centre.url, server=str(details.get("server", "")),
        version=str(details.get("version", "")), account=centre.account_id,
        account_name=centre.account, user=centre.user, linked=centre.linked,
        scopes=tuple(centre.scopes), complete=bool(details.get("complete")), links=links,
    )  # fmt: skip


def _who(call: Call[Any, Any]) -> str:
    return call.caller.name or call.caller.kind
