"""The exception tree: what people read of it."""

from flexedge.errors import ConfigError, DeviceUnreachable, Infeasible, Problem, SolverGaveUp


def test_a_problem_is_one_line_with_its_place() -> None:
    assert str(Problem("site.yaml", 3, 7, "unknown key 'x'")) == "site.yaml:3:7: unknown key 'x'"
    assert str(Problem("site.yaml", None, None, "is empty")) == "site.yaml: is empty"


def test_a_config_error_shows_every_problem() -> None:
    problems = [Problem("a.yaml", 1, 1, "one"), Problem("a.yaml", 2, 1, "two")]
    error = ConfigError(problems)
    assert error.problems == tuple(problems)
    assert str(error).splitlines() == ["a.yaml:1:1: one", "a.yaml:2:1: two"]


def test_errors_name_device_culprit_and_status() -> None:
    assert str(DeviceUnreachable("hybrid", "no answer")) == "hybrid: no answer"
    assert str(Infeasible(["battery.soc-min", "site"])) == (
        "no plan satisfies battery.soc-min, site"
    )
    assert str(Infeasible([])) == "no plan satisfies the limits"
    assert str(SolverGaveUp("time limit", 10.04)) == "the solver stopped after 10.0 s: time limit"
