from tests.gateway.sync.linked import Here, There
from tests.gateway.sync.test_survey import plan


def test_settings_that_refer_to_what_is_not_sent_are_told(here: Here, there: There) -> None:
    odd = here.sensor(here.battery, "odd", "furlongs")
    here.change(here.site, flex_context={"consumption-price": {"sensor": odd}})
    (told,) = plan(here, there).notes
    assert told == (
        f"{here.name}: its settings refer to {here.battery}.odd, which the centre does not get:"
        " left out"
    )
    here.link(there.url)
    number = here.links()["asset", here.site, ""]
    assert there.ask("GET", f"/assets/{number}")["flex_context"] == "{}"


def test_fields_that_become_others_are_told(here: Here, there: There) -> None:
    site = there.add_asset(here.name, flex_context={"site-power-capacity": "9 kW"}, latitude=1.0)
    battery = there.add_asset("battery", site, flex_model={"soc-min": "3 kWh", "soc-max": "10 kWh"})
    of_site, of_battery = plan(here, there, same_name="adopt").notes
    same = "will be as they are here"
    assert of_site == f"{here.name}: flex_context.consumption-price, longitude {same}"
    fields = "flex_model.consumption, flex_model.soc-min, sensors_to_show"
    assert of_battery == f"{here.name} / battery: {fields} {same}"
    here.link(there.url, same_name="adopt")
    power = here.links()["sensor", here.power, ""]
    now = there.ask("GET", f"/assets/{battery}")
    assert now["flex_model"] == (
        f'{{"soc-min": "1 kWh", "soc-max": "10 kWh", "consumption": {{"sensor": {power}}}}}'
    )
    site_now = there.ask("GET", f"/assets/{site}")
    assert (site_now["latitude"], site_now["longitude"]) == (1.0, 4.9)
    assert '"site-power-capacity": "9 kW"' in site_now["flex_context"]
    assert plan(here, there).notes == ()


def test_of_many_fields_some_are_told(here: Here, there: There) -> None:
    there.add_asset(here.name)
    here.change(here.site, attributes={f"a{n}": n for n in range(9)})
    (told,) = [one for one in plan(here, there).notes if one.startswith(f"{here.name}:")]
    assert told.endswith(" and 6 more will be as they are here")
