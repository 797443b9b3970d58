"""Run the desk: `python -m handoff`."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys

import uvicorn
from uvicorn.main import STARTUP_FAILURE

from handoff.app import create_app
from handoff.desk import desk
from handoff.server import config
from handoff.settings import settings


class Server(uvicorn.Server):
    """Stops in order: waiting readers are answered and sockets closed at once, while running turns end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell everybody, so that they come back as soon as the next desk is there; then end what is under way."""
        desk.hub.release_waiters()
        ending = asyncio.create_task(desk.turns.stop())
        await super().shutdown(sockets)
        await ending


def steady() -> None:
    """Keep Python's own housekeeping from holding up everybody at once.

    What the program consists of is not searched for garbage again and again, and a thread that has stored something
    gets its turn within a millisecond.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 1_000)
    sys.setswitchinterval(0.001)


def main() -> None:
    """Serve until told to stop; running turns are finished first."""
    os.umask(0o077)  # customers' words are nobody else's on this machine
    server = Server(config(create_app(), settings.host, settings.port))
    steady()
    server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
