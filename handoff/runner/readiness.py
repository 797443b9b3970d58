"""Knows when a process is ready to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from handoff.runner.environment import Environment

PATHS = {"actions": "/health", "bot": "/webhooks/desk/health", "shop": "/healthz", "desk": "/readyz"}
# Rasa starts without a model after saying one of these, and would then never get ready.
BOT_WITHOUT_MODEL = ("Could not load model due to", "No valid model found at", "Agent loaded with no model")


@dataclass(frozen=True)
class Probe:
    """Where to ask, and with which headers; ready means an answer 200."""

    url: str
    headers: Mapping[str, str]

    async def ask(self, client: httpx.AsyncClient) -> bool:
        """Return whether the process is ready now."""
        try:
            answer = await client.get(self.url, headers=dict(self.headers))
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK


def probes(environment: Environment) -> dict[str, Probe]:
    """Return the probe of each process that has one."""
    headers = {"bot": {"Authorization": f"Bearer {environment.values['BOT_TOKEN']}"}}
    return {name: Probe(environment.address(name) + path, headers.get(name, {})) for name, path in PATHS.items()}


def model_failure(line: str) -> str | None:
    """Return the reason when a line of the bot's log says that it runs without its model."""
    return line.strip()[-200:] if any(mark in line for mark in BOT_WITHOUT_MODEL) else None
