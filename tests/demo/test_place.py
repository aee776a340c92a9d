from flexedge.demo import place
from flexedge.demo.charger import CAPACITY_KWH


def test_the_place_is_one_that_can_be() -> None:
    assert place.ZONE.key == place.TIMEZONE
    assert 0 < place.READY_KWH < CAPACITY_KWH
    assert place.LIMIT_KW == 15.0
