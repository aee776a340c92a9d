"""Who changed what on an asset; the same shape serves for accounts and users."""

import shlex
from collections.abc import Mapping
from typing import Final

from flexedge.errors import RequestError
from flexedge.store.tables.audit import AuditTrail, Sought
from flexedge.web.api.op import Call, On, Op, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.audit import Event, Log, LogAsked

ROOT: Final = "/api/v3_0"


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""

    def asset_log(call: Call[LogAsked, None]) -> Reply:
        return Reply(log(parts.state.audit, {"asset_id": call.number}, call.query))

    return (
        Op(
            method="GET", path=f"{ROOT}/assets/{{id}}/auditlog", run=asset_log, tag="Assets",
            summary="List what was done to an asset", on=On("asset", "read"), query=LogAsked,
            place="query", answers={200: Log},
        ),
    )  # fmt: skip


def log(trail: AuditTrail, about: Mapping[str, int | None], asked: LogAsked) -> Log:
    """A page of what was done to something; ``about``: see ``Sought``.

    Raises ``RequestError`` (404) for a page behind the last.
    """
    first = 0 if asked.page is None else (asked.page - 1) * asked.per_page
    newest_first = asked.sort_dir != "asc"
    found = trail.search(Sought(about, words(asked.filter), newest_first, first, asked.per_page))
    if first and not found.entries:
        raise RequestError(404, f"There is no page {asked.page}.")
    events = [
        Event(
            event=one.what,
            event_datetime=one.at,
            active_user_name=one.who,
            active_user_id=one.user_id,
        )
        for one in found.entries
    ]
    return Log(data=events, num_records=found.whole, filtered_records=found.fitting)


def words(text: str | None) -> list[str]:
    """What is searched for: words, and phrases in quotes."""
    try:
        return [] if text is None else shlex.split(text)
    except ValueError:
        invalid({"filter": ["A quote is missing at the end of a phrase."]}, "query")
