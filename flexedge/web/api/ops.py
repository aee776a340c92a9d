"""What those ask who look after the server: whether it is there, when tasks ran last."""

from datetime import UTC, datetime
from typing import Final

from flexedge.store.tables.tasks import TaskRun
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.ops import Noted, Pong, TaskAsked, TaskReport, TaskTold

ROOT: Final = "/api/ops"
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAMELESS: Final = "No task name given."


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""
    tasks = parts.state.tasks

    def latest(call: Call[TaskAsked, None]) -> Reply:
        name = call.query.name
        if not name:
            return Reply(TaskTold(status="ERROR", reason=_NAMELESS, lastrun=_NEVER), 400)
        run = tasks.get(name)
        if run is None:
            why = f"Task {name} has no last run time."
            return Reply(TaskTold(status="ERROR", reason=why, lastrun=_NEVER), 404)
        return Reply(TaskTold(status="OK" if run.good else "ERROR", reason="", lastrun=run.at))

    def note(call: Call[None, TaskReport]) -> Reply:
        body = call.body
        if not body.name:
            return Reply(Noted(status="ERROR", reason=_NAMELESS), 400)
        tasks.note(TaskRun(body.name, body.datetime or call.now, body.status == "True"))
        return Reply({"status": "OK"})

    return (
        Op(
            method="GET", path=f"{ROOT}/ping", run=lambda _call: Reply(Pong()), who="anybody",
            tag="Operations", summary="Answer", answers={200: Pong},
        ),
        Op(
            method="GET", path=f"{ROOT}/getLatestTaskRun", run=latest, who="task-runner",
            tag="Operations", summary="Tell when a task ran last, and how", query=TaskAsked,
            place="query", answers={200: TaskTold, 400: TaskTold, 404: TaskTold},
        ),
        Op(
            method="POST", path=f"{ROOT}/postLatestTaskRun", run=note, who="task-runner",
            tag="Operations", summary="Note that a task ran", scope="manage", body=TaskReport,
            body_is="form", place="form", answers={200: Noted, 400: Noted},
        ),
    )  # fmt: skip
