"""The whole of what serves, in this process, at a moment of the test's choosing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flexedge.config.settings import Settings
from flexedge.gateway.service.work import Work
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.users import User
from flexedge.web.api.parts import Parts
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.passwords import hashed, normal
from flexedge.web.server import Server
from tests.api.served import ACCOUNT, ADMIN, PASSWORD, USER, Served


@contextmanager
def at(moment: datetime, folder: Path) -> Iterator[Served]:
    """A server whose clock stands still, with the toy account's people."""

    def now() -> datetime:
        return moment

    state = State(folder / "state.db")
    beliefs = Beliefs(LocalArchive(folder, moment), state)
    account = state.accounts.add(Account(ACCOUNT))
    for email, name, role in ((USER, "toy-user", "account-admin"), (ADMIN, "peer-admin", "admin")):
        secret = hashed(normal(PASSWORD))
        zone = "Europe/Amsterdam"
        state.users.add(User(name, account, moment, email, secret, [role], timezone=zone))
    parts = Parts(state, beliefs, Work(state.jobs, {}, now), now, settings=Settings())
    access = Access(state, folder, now)
    server = Server(build(None, access, parts), "127.0.0.1", 0)
    server.start()
    there_is_work, ending = threading.Event(), threading.Event()
    parts.work.wake = there_is_work.set

    def work() -> None:
        while not ending.is_set():
            there_is_work.clear()
            parts.work.step(moment)
            there_is_work.wait()

    with ThreadPoolExecutor(2) as threads:
        ends = [threads.submit(server.serve), threads.submit(work)]
        served = Served(folder)
        served.url = server.url
        try:
            yield served
        finally:
            ending.set()
            there_is_work.set()
            server.stop()
            for end in ends:
                end.result(timeout=30)
            beliefs.close()
            state.close()
