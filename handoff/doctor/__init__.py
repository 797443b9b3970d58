"""`jieli doctor`: looks at every part and says what to do about the broken ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from handoff.doctor import backlog, machine, processes, stores
from handoff.doctor.finding import Finding, sentence

__all__ = ["Finding", "examine", "sentence"]
Look = Callable[[Mapping[str, str]], Awaitable[Finding]]
LOOKS: dict[str, Look] = {
    "disk": machine.disk,
    "folder": machine.folder,
    "secrets": machine.secrets,
    "model": machine.model,
    "database": stores.database,
    "trackers": stores.trackers,
    "attachments": stores.attachments,
    "redis": stores.redis_part,
    "actions": processes.actions,
    "bot": processes.bot,
    "shop": processes.shop,
    "desk": processes.desk,
    "clock": machine.clock,
    "backlog": backlog.backlog,
}


async def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look at every part; one broken part never hides another."""
    findings = []
    for part, look in LOOKS.items():
        try:
            findings.append(await look(environment))
        except Exception as error:  # a look that fails is a finding too
            findings.append(Finding(part, "unknown", {"reason": f"{type(error).__name__}: {error}"[:200]}))
    return findings
