"""Run the desk: `python -m handoff`."""

from __future__ import annotations

import uvicorn

from handoff.app import create_app
from handoff.settings import settings

GRACE_SECONDS = 10


def main() -> None:
    """Serve until told to stop; running turns are finished first."""
    uvicorn.run(
        create_app(),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=64 * 1024,
        server_header=False,
    )


if __name__ == "__main__":
    main()
