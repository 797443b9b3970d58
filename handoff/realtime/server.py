"""The desk's Socket.IO server; its name spaces register themselves at start-up."""

from __future__ import annotations

from handoff.gate import may_call
from handoff.realtime.agents import AgentsNamespace
from handoff.realtime.customers import CustomersNamespace
from handoff.realtime.guard import GuardedServer
from handoff.settings import settings

LARGEST_FRAME = 512 * 1024


def make_server() -> GuardedServer:
    """Return the server with `/jieli` and `/agents`, and `/` when Rasa's own channel is on."""
    server = GuardedServer(
        async_mode="asgi",
        cors_allowed_origins=lambda origin, environ: may_call(origin, environ.get("HTTP_HOST")),
        max_http_buffer_size=LARGEST_FRAME,
        ping_interval=15,
        ping_timeout=15,
    )
    server.register_namespace(CustomersNamespace("/jieli"))
    server.register_namespace(AgentsNamespace("/agents"))
    if settings.rasa_socketio:
        from handoff.integrations.rasa_socketio import RasaNamespace

        server.register_namespace(RasaNamespace("/"))
    return server
