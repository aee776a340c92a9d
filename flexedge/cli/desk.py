"""The operations on accounts and users, on the store of a gateway that does not run."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import Headers

from flexedge.cli.people import as_json, refused
from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.errors import FlexedgeError, RequestError, StoreError
from flexedge.store import lock, swap
from flexedge.store.opening import open_state
from flexedge.store.owner import acting_as_owner
from flexedge.store.state import State
from flexedge.web.api.desk import Desk
from flexedge.web.api.op import Call, Op
from flexedge.web.api.table import of_people
from flexedge.web.auth import Access
from flexedge.web.callers import LOCAL


@contextmanager
def opened(settings: Settings) -> Iterator[Desk]:
    """The store that settings name, for oneself. Raises ``StoreLocked`` while a gateway has it."""
    folder, clock = settings.data_dir, WallClock()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}; choose another data-dir") from error
    with ExitStack() as stack:
        stack.enter_context(acting_as_owner(folder))
        stack.enter_context(lock.hold(folder))
        if settings.database is None:
            swap.finish(folder)
            state, _ = open_state(folder, clock.now())
        else:
            state = State(settings.database)
        stack.callback(state.close)
        if settings.site.exists() and not state.accounts.all():
            raise FlexedgeError(
                "start the gateway once first: its first account is the site's, "
                f"which {settings.site} defines"
            )
        yield Desk(state, Access(state, folder, clock.now), clock.now)


class LocalDesk:
    """Answers as the API does, for a program on the machine."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ops = of_people(desk)

    def send(
        self, method: str, path: str, parameters: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The JSON answer; None where there is none. Raises ``FlexedgeError``."""
        op, given = self._find(method, path)
        number, found = self._object(op, given)
        try:
            call: Call[Any, Any] = Call(
                LOCAL, self._desk.now(), given,
                None if op.query is None else op.query.model_validate(parameters or {}),
                None if op.body is None else op.body.model_validate(body or {}),
                Headers(), "local", number, found,
            )  # fmt: skip
            reply = op.run(call)
        except RequestError as error:
            raise refused(error) from error
        except ValidationError as error:
            one = error.errors()[0]
            place = ".".join(str(part) for part in one["loc"])
            raise FlexedgeError(f"{place}: {one['msg'].removeprefix('Value error, ')}") from error
        return None if reply.body is None else as_json(reply.body)

    def _find(self, method: str, path: str) -> tuple[Op, dict[str, str]]:
        parts = path.split("/")
        for op in self._ops:
            names = op.path.split("/")
            if op.method == method and len(names) == len(parts):
                pairs = list(zip(names, parts, strict=True))
                if all(name == part or name.startswith("{") for name, part in pairs):
                    return op, {name[1:-1]: part for name, part in pairs if name.startswith("{")}
        raise FlexedgeError(f"{method} {path} needs a gateway that runs")

    def _object(self, op: Op, given: Mapping[str, str]) -> tuple[int, Any]:
        if op.on is None:
            return 0, None
        number = int(given[op.on.parameter])
        state = self._desk.state
        found = (
            state.users.get(number) if op.on.kind == "user" else state.accounts.get(number)
        )  # fmt: skip
        if found is None:
            raise FlexedgeError(f"there is no {op.on.kind} {number}")
        return number, found
