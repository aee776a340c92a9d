"""What everybody may ask: versions, services and whether the server is ready."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from flexedge.errors import StoreError
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.web.api.problems import VERSIONS
from flexedge.wire.public import Ready, Service, Services, Versions

ROOT: Final = "/api/v3_0"
_VERSIONS: Final = Versions(
    flexmeasures_version=VERSIONS["FlexMeasures-Version"],
    message=(
        "For these API versions a public endpoint is available, listing its service. For example: "
        "/api/v3_0. An authentication token can be requested at: /api/requestAuthToken"
    ),
    status=200,
    versions=["v3_0"],
)
_TAG: Final = "Public"


def operations(parts: Parts, others: Sequence[Op]) -> tuple[Op, ...]:
    """The operations; ``others`` are listed as services beside them."""

    def versions(_call: Call[None, None]) -> Reply:
        return Reply(_VERSIONS)

    def services(call: Call[None, None]) -> Reply:
        return Reply(listed((*others, *own), f"http://{call.headers.get('host', '')}"))

    def ready(_call: Call[None, None]) -> Reply:
        try:
            parts.state.fact("ready")
        except StoreError:
            return Reply(Ready(database_sql=False, status=503), 503)
        return Reply(Ready(database_sql=True, status=200))

    own = (
        Op(
            method="GET", path="/api/", run=versions, who="anybody", tag=_TAG,
            summary="List the versions of the API", answers={200: Versions},
        ),
        Op(
            method="GET", path=ROOT, run=services, who="anybody", tag=_TAG,
            summary="List what can be asked", answers={200: Services},
        ),
        Op(
            method="GET", path=f"{ROOT}/health/ready", run=ready, who="anybody", tag=_TAG,
            summary="Tell whether requests can be answered",
            description="200 when the data store can be used, else 503; not counted by any rate.",
            answers={200: Ready, 503: Ready},
        ),
    )  # fmt: skip
    return own


def listed(ops: Sequence[Op], server: str) -> Services:
    """The operations under the root as FlexMeasures lists services."""
    methods: dict[str, list[Op]] = defaultdict(list)
    for op in ops:
        if op.path.startswith(ROOT):
            methods[op.path].append(op)
    return Services(
        services=[
            Service(
                url=server + path,
                name=f"{'/'.join(op.method for op in there)} {path.removeprefix(ROOT)}",
                description="; ".join(op.summary for op in there),
            )
            for path, there in sorted(methods.items())
        ],
        version="3.0",
        message="Request has been processed.",
        status="PROCESSED",
    )
