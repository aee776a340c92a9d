"""Files with the values of a sensor: CSV and XLSX."""

from typing import Any, Final

from flexedge.domain.convert import convertible
from flexedge.errors import BadField
from flexedge.gateway.service.files_in import Upload, beliefs_in
from flexedge.gateway.service.sheets import sheet
from flexedge.gateway.service.values_in import Target
from flexedge.gateway.service.wholes import between
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.tables.placed import PlacedSensor
from flexedge.web.api.data import MOST_BYTES, Data, source_of
from flexedge.web.api.op import Call, On, Op, Reply, invalid
from flexedge.web.api.parts import Parts
from flexedge.wire.data import Uploaded

PLACE: Final = "combined_sensor_data_upload"
"""What FlexMeasures calls the place of everything said of files."""
_MOST_FILES: Final = 20


def operations(parts: Parts) -> tuple[Op, ...]:
    """What can be asked with files."""
    return (
        Op(
            method="POST",
            path="/api/v3_0/sensors/{id}/data/upload",
            run=Files(parts).post,
            summary="Upload sensor data by file",
            tag="Sensors",
            scope="data",
            on=On("sensor", "create-children"),
            body=Uploaded,
            body_is="files",
            place=PLACE,
            most_bytes=MOST_BYTES,
            answers={202: dict[str, Any], 200: dict[str, Any]},
        ),
    )


class Files:
    """Takes files in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._data = Data(parts)

    def post(self, call: Call[None, Uploaded | None]) -> Reply:
        """Store what is in all files, or nothing."""
        said, placed, number = call.body or Uploaded(), call.found, call.number
        if not 0 < len(call.files) <= _MOST_FILES:
            told = f"Send 1 to {_MOST_FILES} files, CSV or XLSX, not {len(call.files)}."
            invalid({"uploaded-files": [told]}, PLACE)
        unit = placed.unit if said.unit is None else said.unit
        if not convertible(unit, placed.unit, whole=True):
            told = f"Provided unit '{unit}' is not convertible to sensor unit '{placed.unit}'"
            invalid({"unit": [told]}, PLACE)
        rows = self._rows(call, unit, said, (number, placed))
        reply = self._data.keep(call, rows, (number, placed))
        names = ", ".join(file.name for file in call.files)
        self._data.note(call, f"Data from {names} uploaded to sensor '{placed.name}': {number}")
        return reply

    def _rows(
        self, call: Call[Any, Any], unit: str, said: Uploaded, sensor: tuple[int, PlacedSensor]
    ) -> Rows:
        number, placed = sensor
        target = Target(number, placed, self._parts.beliefs.source(source_of(call.caller)))
        whole = between(unit, placed.unit, placed, self._parts.state)
        instantly = said.belief_time_measured_instantly
        upload = Upload(unit, call.now, instantly, placed.timezone, whole)
        found, wrong = [], {}
        for place, file in enumerate(call.files):
            try:
                found.append(beliefs_in(sheet(file.name, file.content), target, upload))
            except BadField as error:
                wrong[str(place)] = [f"{error.path}: {error.message}"]
        if wrong:
            invalid({"uploaded-files": wrong}, PLACE)
        return Rows.joined(found)
