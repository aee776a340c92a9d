"""For all tests."""

import gc


def pytest_unconfigure() -> None:
    """Let the interpreter end in order.

    Hypothesis leaves a callback with the garbage collector; with it, modules are torn down late and
    the bindings of DuckDB print pages of complaints about themselves.
    """
    gc.callbacks.clear()
