"""What is answered when something is refused or broke."""

from typing import Any, Literal

from pydantic import ConfigDict

from flexedge.wire.shape import Told


class Problem(Told):
    """Why a request was refused."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "message": {"json": {"duration": ["Missing data for required field."]}},
                    "result": "Rejected",
                    "status": "UNPROCESSABLE_ENTITY",
                }
            ]
        },
    )
    message: str | dict[str, Any]
    """A sentence, or sentences by place and field."""
    status: str
    """A name for the reason."""
    result: Literal["Rejected"] = "Rejected"


class Failed(Told):
    """That something broke inside."""

    message: str
