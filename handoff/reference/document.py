"""The OpenAPI document: what FastAPI derives from the code, with the errors, the bearer and examples added."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from handoff.errors import CODES, ApiError

DESCRIPTION = (
    "Customers bring the bearer token of their own conversation, people at work the one from their login. "
    "Every error has the same shape; its message says what to do next, in the caller's language (`Accept-Language`)."
)
OPEN = {("post", "/v1/conversations"), ("post", "/v1/agents/login"), ("get", "/v1/attachments/{attachment_id}/{name}")}
MEANING = {
    400: "The body is no JSON, or no form.",
    401: "No bearer, or one that is wrong, expired or revoked; a wrong password; a bad customer token.",
    403: "The caller may not do this.",
    404: "There is no such thing.",
    409: "The state does not allow it; `code` says why.",
    413: "The body is too large.",
    415: "The media type, or the file's type by its content, is not taken.",
    422: "A value is not right; `details.fields` names it.",
    429: "Too many calls; `Retry-After` says when to come again.",
    503: "The desk cannot do it right now; `Retry-After` says when to come again.",
}
EXAMPLES = {409: "not_owner"}
ALSO = {
    ("post", "/v1/conversations/{id}/messages"): (200, "This `client_id` was stored before, with the same content."),
    ("post", "/v1/conversations/{id}/handoff"): (200, "The customer is in line already."),
}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
                "message": {"type": "string", "minLength": 1},
                "details": {"type": "object"},
            },
        }
    },
}


def install(api: FastAPI) -> None:
    """Let `api` answer with the completed document."""

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = complete(get_openapi(title=api.title, version=api.version, routes=api.routes))
        return api.openapi_schema

    api.openapi = document  # type: ignore[method-assign]


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with description, server, bearer, and the errors of every operation."""
    document["info"]["description"] = DESCRIPTION
    document["servers"] = [{"url": "/api"}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    components.setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["responses"] = {str(status): _error(status) for status in MEANING}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete_operation(method, path, operation)
    return document


def _complete_operation(method: str, path: str, operation: dict[str, Any]) -> None:
    if (method, path) not in OPEN:
        operation["security"] = [{"bearer": []}]
    responses = operation["responses"]
    if also := ALSO.get((method, path)):
        status, meaning = also
        first = next(iter(responses.values()))
        responses[str(status)] = {"description": meaning, "content": first.get("content", {})}
    for status in _errors_of(method, path, operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _errors_of(method: str, path: str, operation: dict[str, Any]) -> set[int]:
    errors = {400, 413, 422, 429, 503}
    if (method, path) not in OPEN:
        errors |= {401, 403}
    if method == "post" and (method, path) in OPEN:
        errors |= {401}
    if "{" in path:
        errors |= {403, 404}
    if "requestBody" in operation:
        errors |= {415}
    if method in {"post", "put", "delete"} and (method, path) not in OPEN:
        errors |= {404, 409}
    return errors


def _error(status: int) -> dict[str, Any]:
    code = EXAMPLES.get(status, CODES.get(status, ""))
    response: dict[str, Any] = {
        "description": MEANING[status],
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": ApiError(status, code).body("en"),
            }
        },
    }
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}}
    return response
