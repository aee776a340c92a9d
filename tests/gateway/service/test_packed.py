"""JSON pressed together."""

from flexedge.gateway.service.packed import pack, unpack


def test_what_is_packed_is_the_same_after_and_takes_less_room() -> None:
    steps = [{"text": f"step {n % 5} waits for a better price"} for n in range(200)]
    said = {"steps": steps, "ä": None}
    text = pack(said)
    assert unpack(text) == said
    assert len(text) < 1000
