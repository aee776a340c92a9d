"""Key figures of an asset."""

from typing import Final

from flexedge.gateway.service.kpis import figures, kpi
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Call, On, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.kpis import KpisAsked, KpisTold, KpiTold

ROOT: Final = "/api/v3_0"


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""

    def kpis(call: Call[KpisAsked, None]) -> Reply:
        asset: Asset = call.found
        told = []
        for figure in figures(asset.sensors_to_show_as_kpis):
            sensor = parts.state.placed.get(figure.sensor)
            if sensor is None:
                continue  # it was deleted
            found = kpi(parts.beliefs, sensor, figure.function, call.query.start, call.query.end)
            told.append(
                KpiTold(
                    title=figure.title or sensor.name,
                    unit=found.unit,
                    sensor=figure.sensor,
                    downsample_value=found.value,
                    downsample_function=found.function,
                )
            )
        return Reply(KpisTold(data=told))

    return (
        Op(
            method="GET", path=f"{ROOT}/assets/{{id}}/kpis", run=kpis, tag="Assets",
            summary="Tell what the values of an asset's key figures come to in a time span",
            on=On("asset", "read"), query=KpisAsked, place="query", answers={200: KpisTold},
        ),
    )  # fmt: skip
