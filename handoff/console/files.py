"""Files that agents send from the console, through the same checks as the API's."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from handoff.console import access
from handoff.conversations.endpoints import read_message, store
from handoff.errors import ApiError

router = APIRouter(include_in_schema=False)


async def _receive(id: str, request: Request) -> dict[str, Any]:
    caller = await access.current(request)
    # A cookie alone never sends a file, and none is sent as somebody else than the page shows.
    if caller is None or not access.is_own_page(request) or request.headers[access.HEADER] != caller.agent.id:
        raise ApiError(401, "unauthenticated")
    said, content, name = await read_message(request)
    if content is None:
        raise ApiError(415, "unsupported_type")
    message, _ = await store(caller, id, said, content, name)
    return {"seq": message.seq}


@router.post("/desk/files/{id}")
async def receive_file(id: str, request: Request) -> JSONResponse:
    """Store a file (multipart `client_id`, `file`, `text?`) as a message of the person who is logged in."""
    try:
        return JSONResponse(await _receive(id, request), 201)
    except ApiError as error:
        return JSONResponse(error.body(access.language_of(request)), error.status, headers=error.headers)
