"""Everything that goes wrong, in one shape: `{"error": {"code", "message", "details"}}`."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from examples.shop.texts import say

_HTTP_CODES = {404: "unknown_path", 405: "method_not_allowed"}
_CODES_SEEN_OUTSIDE = {"unknown_model": "not_found", "unknown_report": "not_found", "unknown_path": "not_found"}


class ShopError(Exception):
    """A refusal with its status, code and details; the words are those of `errors.NAME` in `texts.yml`."""

    def __init__(
        self,
        status_code: int,
        name: str,
        *,
        details: Mapping[str, Any] | None = None,
        message: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(name)
        self.status_code = status_code
        self.code = _CODES_SEEN_OUTSIDE.get(name, name)
        self.message = message or say(f"errors.{name}", **values)
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    def response(self, accept_language: str | None) -> JSONResponse:
        """The error for a caller who speaks `accept_language`."""
        error = {"code": self.code, "message": self.message[caller_language(accept_language)], "details": self.details}
        return JSONResponse({"error": error}, self.status_code, self.headers)


def caller_language(accept_language: str | None) -> str:
    """`zh` when the caller's first choice is Chinese, else `en`."""
    first = (accept_language or "").split(",")[0].strip().lower()
    return "zh" if first.startswith("zh") else "en"


def not_allowed(status: str, reason: Mapping[str, str]) -> ShopError:
    """The order's state does not allow the action."""
    return ShopError(409, "not_allowed", message=reason, details={"status": status, "reason": dict(reason)})


def install(app: FastAPI) -> None:
    """Make every failure of `app` answer in the error shape."""
    app.add_exception_handler(ShopError, _shop_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _crash)


async def _shop_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ShopError)
    return error.response(request.headers.get("accept-language"))


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return await _shop_error(request, ShopError(400, "invalid_json"))
    # Only where and why: what was sent may hold a proof or an address.
    fields = [{"field": ".".join(map(str, p["loc"][1:])) or "body", "problem": p["msg"]} for p in problems]
    return await _shop_error(request, ShopError(422, "invalid_request", details={"fields": fields}))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    name = _HTTP_CODES.get(error.status_code, "http_error")
    return await _shop_error(request, ShopError(error.status_code, name, headers=error.headers))


async def _crash(request: Request, _error: Exception) -> JSONResponse:
    return await _shop_error(request, ShopError(500, "internal_error"))
