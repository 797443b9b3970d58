"""The API describes itself: every operation with its errors, on a page that needs no other server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from handoff.app import make_api

EVERYWHERE = {"400", "413", "422", "429", "503"}
OPEN = {"POST /v1/conversations", "POST /v1/agents/login", "GET /v1/attachments/{attachment_id}/{name}"}


@pytest_asyncio.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    """The API's application, asked without a server."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_api()), base_url="http://desk") as client:
        yield client


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def test_every_operation_names_its_errors_and_its_bearer(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    found = operations(document)
    assert len(found) > 30
    for name, operation in found.items():
        assert set(operation["responses"]) >= EVERYWHERE, name
        assert (operation.get("security") is None) == (name in OPEN), name
        assert ("401" in operation["responses"]) or name.startswith("GET /v1/attachments"), name
        assert "{" not in name or {"403", "404"} <= set(operation["responses"]), name
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_every_error_has_the_shape_and_an_example(api: httpx.AsyncClient) -> None:
    components = (await api.get("/openapi.json")).json()["components"]
    assert "HTTPValidationError" not in components["schemas"]
    for status, response in components["responses"].items():
        content = response["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Error"}, status
        assert set(content["example"]["error"]) == {"code", "message", "details"}
        assert ("headers" in response) == (status in {"429", "503"})


async def test_the_page_needs_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    for path, kind in (("/docs", "text/html"), ("/docs.js", "text/javascript"), ("/docs.css", "text/css")):
        answer = await api.get(path)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert not re.search(r"(?:https?:)?//[a-z]|innerHTML|unsafe", answer.text)
