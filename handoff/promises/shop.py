"""The shop's bug reports, as far as promises need them: has R&D answered?"""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

TIMEOUT = 4.0


class BugReport(BaseModel):
    """A report at the shop; `answer` holds R&D's words in both languages once there are any."""

    model_config = ConfigDict(extra="ignore")

    id: str
    answer: dict[Literal["zh", "en"], str] | None = None


class ShopUnreachable(Exception):
    """The shop does not answer; asking for further reports now would fail as well."""


class NoReport(Exception):
    """The shop answered, but with no report: an unknown one, or an error of its own; the next round asks again."""


class Shop:
    """Asks the shop; use it as an async context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def bug_report(self, reference: str) -> BugReport:
        """Return the report; raises ShopUnreachable or NoReport."""
        try:
            response = await self._client.get(f"/bug-reports/{quote(reference, safe='')}")
        except httpx.HTTPError as error:
            raise ShopUnreachable(type(error).__name__) from error
        if response.status_code != 200:
            raise NoReport(f"HTTP {response.status_code}")
        try:
            return BugReport.model_validate_json(response.content)
        except ValidationError as error:
            raise NoReport(f"malformed answer: {error.error_count()} problems") from error
