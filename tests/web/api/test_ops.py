from pathlib import Path

from flexedge.web.api.ops import operations
from tests.web.api.asking import NOW, platform

LATEST, NOTE = "/api/ops/getLatestTaskRun", "/api/ops/postLatestTaskRun"


def test_the_latest_run_of_a_task_is_noted_and_told(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        assert here.ask("GET", "/api/ops/ping").body.message == "ok"
        never = here.ask("GET", LATEST, query={"name": "prices"})
        assert (never.status, never.body.reason) == (404, "Task prices has no last run time.")
        assert here.ask("GET", LATEST).status == 400
        assert here.ask("POST", NOTE, body={"status": "True"}).status == 400
        assert here.ask("POST", NOTE, body={"name": "prices"}).body == {"status": "OK"}
        told = here.ask("GET", LATEST, query={"name": "prices"}).body
        assert (told.status, told.lastrun) == ("OK", NOW)
        failed = {"name": "prices", "status": "False", "datetime": "2026-04-14T00:00:00+02:00"}
        here.ask("POST", NOTE, body=failed)
        told = here.ask("GET", LATEST, query={"name": "prices"}).body
        assert (told.status, told.lastrun.isoformat()) == ("ERROR", "2026-04-13T22:00:00+00:00")
        who = {op.path.rpartition("/")[2]: op.who for op in here.ops.values()}
    assert who == {"ping": "anybody", "getLatestTaskRun": "task-runner",
                   "postLatestTaskRun": "task-runner"}  # fmt: skip
