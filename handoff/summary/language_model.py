"""The client of an optional language model behind an OpenAI-compatible address (`LLM_URL`); off unless that is set."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
import structlog

from handoff.settings import settings

log = structlog.get_logger(__name__)
LONGEST_ANSWER = 64 * 1024
PATH = "/chat/completions"
_FENCE = re.compile(r"^\s*```[a-z]*\s*|\s*```\s*$")


async def ask(instruction: str, evidence: str) -> dict[str, Any] | None:
    """Return the model's JSON object, or None: not configured, late, unreachable, too long, or no JSON object.

    Failures are logged without a word of what was sent or answered.
    """
    if not settings.llm_url:
        return None
    try:
        return await asyncio.wait_for(_ask(instruction, evidence), settings.llm_timeout)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, IndexError, TypeError) as error:
        log.info("language_model_unused", reason=type(error).__name__)
        return None


async def _ask(instruction: str, evidence: str) -> dict[str, Any]:
    address = settings.llm_url.rstrip("/")
    address = address if address.endswith(PATH) else address + PATH
    headers = {"Authorization": f"Bearer {settings.llm_api_key}"} if settings.llm_api_key else {}
    body = {
        "model": settings.llm_model,
        "temperature": 0,
        "messages": [{"role": "system", "content": instruction}, {"role": "user", "content": evidence}],
    }
    async with (
        httpx.AsyncClient(timeout=settings.llm_timeout, trust_env=False) as client,
        client.stream("POST", address, json=body, headers=headers) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"status {response.status_code}")
        received = b""
        async for piece in response.aiter_bytes():
            received += piece
            if len(received) > LONGEST_ANSWER:
                raise ValueError("answer too long")
    content = json.loads(received)["choices"][0]["message"]["content"]
    answer = json.loads(_FENCE.sub("", content))
    if not isinstance(answer, dict):
        raise ValueError("no object")
    return answer
