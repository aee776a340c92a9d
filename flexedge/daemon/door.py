"""How others reach the program: its web server, and the word on where that is."""

import json
import os
from contextlib import ExitStack

import structlog

from flexedge.config.settings import Settings
from flexedge.daemon.clock import Clock
from flexedge.daemon.loops import Loop, Service
from flexedge.gateway.guard import guarded
from flexedge.gateway.health import Health
from flexedge.gateway.view import Window
from flexedge.store.local import durable
from flexedge.web.api.parts import Parts
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server

_log = structlog.get_logger()


def open_door(
    settings: Settings, parts: Parts, window: Window | None, clock: Clock, stack: ExitStack
) -> None:
    """Serve pages and API until the stack ends. Raises ``WebUnavailable``."""
    access = Access(parts.state, settings.data_dir, clock.now, settings.web.hosts)
    server = Server(build(window, access, parts), settings.web.host, settings.web.port)
    server.start()
    stack.enter_context(Service("web", server.serve, server.stop))
    runtime = settings.data_dir / "runtime.json"
    about = {"url": server.url, "token": access.local_token, "pid": os.getpid()}
    durable.write(runtime, json.dumps(about).encode())
    stack.callback(runtime.unlink, missing_ok=True)
    _log.info("page", url=server.url)
    if not access.claimed and access.claim_code is not None:
        _log.warning("nobody owns this gateway yet", claim_code=access.claim_code, url=server.url)


def work_on(parts: Parts, health: Health, clock: Clock, stack: ExitStack) -> None:
    """Do in a thread of its own what is asked for as jobs, beginning with what was left over."""
    parts.state.jobs.requeue()
    loop = Loop("work", guarded("work", health, parts.work.step), clock)
    parts.work.wake = loop.wake
    stack.enter_context(loop)
