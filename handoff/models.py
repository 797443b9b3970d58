"""Every table of the desk, imported once so that migrations and start-up know them all."""

from __future__ import annotations

from handoff.agents import models as agents
from handoff.attachments import models as attachments
from handoff.conversations import models as conversations
from handoff.customers import models as customers
from handoff.database import Base
from handoff.integrations import models as integrations
from handoff.privacy import models as privacy
from handoff.promises import models as promises
from handoff.queue import models as queue
from handoff.summary import models as summary

MODULES = (agents, attachments, conversations, customers, integrations, privacy, promises, queue, summary)
TABLES = Base.metadata.sorted_tables
