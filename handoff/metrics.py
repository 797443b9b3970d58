"""Prometheus metrics of the desk."""

from __future__ import annotations

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

TURNS = Counter("jieli_turns", "Turns of the bot by how they ended", ["result"])
TURN_SECONDS = Histogram("jieli_turn_seconds", "Seconds from asking the bot to its stored answer")
MESSAGES = Counter("jieli_messages", "Stored messages by sender", ["sender"])
HANDOFFS = Counter("jieli_handoffs", "Handoffs by reason", ["reason"])
OWNER_CHANGES = Counter("jieli_owner_changes", "Changes of owner", ["before", "after"])


def page() -> Response:
    """Return all metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
