"""Benches: a simulated site with a gateway beside it. Everything ends with its test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.gateway import Gateway
from hil.programs import Site


@dataclass(frozen=True)
class Bench:
    """A running site, and its gateway, which nobody has started yet."""

    site: Site
    gateway: Gateway


Benches = Callable[..., Bench]


def make_bench(stack: ExitStack, folder: Path, *arguments: str) -> Bench:
    """Start a site with these options; it ends with the stack, after its gateway."""
    site = Site(folder, *arguments)
    stack.callback(site.program.clear)
    gateway = Gateway(folder, site)
    stack.callback(gateway.clear)
    return Bench(site, gateway)


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Benches]:
    """Makes a bench; give it the options of the site."""
    with ExitStack() as stack:
        yield lambda *arguments: make_bench(stack, tmp_path, *arguments)
