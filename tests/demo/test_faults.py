import pytest

from flexedge.demo.faults import Fault, Faults, parse_fault


def test_a_fault_is_read() -> None:
    assert parse_fault("battery:stop@600+120") == Fault("battery", "stop", 600, 120)
    assert parse_fault("meter:silence@0.5+1.5") == Fault("meter", "silence", 0.5, 1.5)


@pytest.mark.parametrize(
    "text", ["", "battery", "battery:burn@1+1", "battery:stop@1", "a:stop@-1+2"]
)
def test_what_is_no_fault_names_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"battery:stop@600\+120"):
        parse_fault(text)


def test_faults_begin_and_end_in_order() -> None:
    done: list[tuple[str, str]] = []
    faults = Faults(
        [Fault("meter", "silence", 5, 2), Fault("battery", "stop", 6, 10)],
        100.0,
        lambda device, do: done.append((device, do)),
    )
    for moment, count in ((104.9, 0), (105.0, 1), (106.5, 2), (107.0, 3), (200.0, 4), (300.0, 4)):
        faults.step(moment)
        assert len(done) == count
    assert done == [
        ("meter", "silence"),
        ("battery", "stop"),
        ("meter", "speak"),
        ("battery", "start"),
    ]
