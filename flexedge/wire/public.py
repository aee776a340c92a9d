"""What everybody may know: versions, services and whether the server is ready."""

from typing import Literal

from flexedge.wire.shape import Told


class Versions(Told):
    """The versions of the API."""

    flexmeasures_version: str
    """The version of FlexMeasures whose API this is."""
    message: str
    status: int
    versions: list[str]


class Service(Told):
    """One thing that can be asked."""

    url: str
    name: str
    """Methods and path."""
    description: str


class Services(Told):
    """What can be asked."""

    services: list[Service]
    version: str
    message: str
    status: str


class Ready(Told):
    """Whether requests can be answered."""

    database_sql: bool
    status: Literal[200, 503]
