import numpy as np

from flexedge.store.postgres.packed import copied, received, sent, sql_type
from flexedge.store.rows import Beliefs, Readings


def test_rows_survive_the_wire() -> None:
    columns = {"sensor": "i4", "event_us": "i8", "value": "f8", "quality": "i2"}
    rows = np.array([(1, -5, 2.5, 255), (2**31 - 1, 2**62, -0.0, 0)],
                    [(name, f">{kind}") for name, kind in columns.items()])  # fmt: skip
    found = Readings.of(received(tuple(columns), rows.tobytes()))
    assert found.sensor.tolist() == [1, 2**31 - 1]
    assert found.event_us.tolist() == [-5, 2**62]
    assert found.value.tolist() == [2.5, 0.0]
    assert found.quality.tolist() == [255, 0]
    assert len(Beliefs.of(received(tuple(Beliefs.empty().columns()), b""))) == 0


def test_a_copy_is_as_the_manual_says() -> None:
    data = copied({"quality": np.array([3], np.uint8), "value": np.array([1.0])})
    assert data == (
        b"PGCOPY\n\xff\r\n\0" + bytes(8)
        + b"\0\2" + b"\0\0\0\2" + b"\0\3" + b"\0\0\0\x08" + b"\x3f\xf0" + bytes(6)
        + b"\xff\xff"
    )  # fmt: skip


def test_columns_have_the_types_that_are_sent() -> None:
    assert sql_type("quality") == "smallint"
    assert sent(("sensor", "value")) == "int4send(sensor) || float8send(value)"
