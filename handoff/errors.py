"""Errors that people and programs read: one shape, a sentence that says what to do next, in the caller's language."""

from __future__ import annotations

import errno
import math
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from handoff.database import DATABASE_AWAY
from handoff.locales import LANGUAGES, both, catalogue, text
from handoff.privacy.masking import hide_all

log = structlog.get_logger(__name__)
RETRY_STORAGE_AFTER = 5.0
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_type",
    422: "invalid",
    429: "too_many_requests",
    503: "unavailable",
}


class ApiError(Exception):
    """An error answer: HTTP status, snake_case code, details that a program can use, and values for its sentence.

    A value that differs between the languages is given as `{"zh": ..., "en": ...}`. `wording` names the catalogue's
    sentence where one code has several.
    """

    def __init__(
        self,
        status: int,
        code: str,
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
        wording: str | None = None,
        **values: str | int | dict[str, str],
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.details, self.values = status, code, details or {}, values
        self.retry_after, self.wording = retry_after, wording or code

    def body(self, language: str) -> dict[str, Any]:
        """Return the contract's error shape; details quote no personal data."""
        values = {name: value[language] if isinstance(value, dict) else value for name, value in self.values.items()}
        message = text(f"errors.{self.wording}", language, **values)
        details = hide_all(_in_language(self.details, language))
        return {"error": {"code": self.code, "message": message, "details": details}}

    @property
    def headers(self) -> dict[str, str]:
        """Return `Retry-After` where the caller should wait, `WWW-Authenticate` where it should log in."""
        if self.retry_after is not None:
            return {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}


def _in_language(value: Any, language: str) -> Any:
    """Return `value` with each `{"zh": ..., "en": ...}` in it, however deep, replaced by the one that is read."""
    if isinstance(value, dict):
        if value.keys() == set(LANGUAGES):
            return value[language]
        return {key: _in_language(item, language) for key, item in value.items()}
    return [_in_language(item, language) for item in value] if isinstance(value, list) else value


def fields_at_fault(**problems: str) -> ApiError:
    """Return 422 `invalid` with fields and what is wrong with each: the name of a sentence in `problems.yml`."""
    named = [{"field": field, "problem": both(f"problems.{problem}")} for field, problem in problems.items()]
    return ApiError(422, "invalid", {"fields": named})


def invalid(errors: Sequence[Any], *, skip: int = 0) -> ApiError:
    """Return 422 `invalid` with the fields that a model found at fault; the first `skip` parts of a place are left out.

    400 `bad_request` for what is no JSON.
    """
    if any(item["type"] == "json_invalid" for item in errors):
        return ApiError(400, "bad_request")
    fields = [
        {"field": ".".join(str(part) for part in item["loc"][skip:]), "problem": _problem(item)} for item in errors
    ]
    return ApiError(422, "invalid", {"fields": fields})


def _problem(item: Any) -> dict[str, str]:
    key = f"problems.{item['type']}"
    return both(key if key in catalogue() else "problems.other", **item.get("ctx", {}))


def unavailable() -> ApiError:
    """Return the answer while nothing can be stored or read: 503 with the time after which to try again."""
    return ApiError(503, "unavailable", retry_after=RETRY_STORAGE_AFTER)


def asked_language(header: str) -> str | None:
    """Return the first of our languages that an `Accept-Language` header names, if it names one."""
    tags = (part.partition(";")[0].strip().lower()[:2] for part in header.split(","))
    return next((tag for tag in tags if tag in LANGUAGES), None)


def header_language(header: str) -> str:
    """Return the first of our languages that an `Accept-Language` header names, else Chinese."""
    return asked_language(header) or "zh"


def caller_language(request: Request) -> str:
    """Return the language of the caller: the conversation's when known, else `Accept-Language`, else Chinese."""
    known = getattr(request.state, "language", None)
    return known or header_language(request.headers.get("accept-language", ""))


def is_json(request: Request) -> bool:
    """Tell whether the request's body says that it is JSON, or says nothing."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"", "application/json"} or kind.endswith("+json")


def _methods(request: Request) -> str:
    """Return every method that the request's path takes, not only those of the first route that names it."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.matches(request.scope)[0] != Match.NONE:
            methods |= route.methods
    return ", ".join(sorted(methods))


def install(app: FastAPI) -> None:
    """Give every error of `app` the contract's shape, unknown paths and wrong methods included."""

    @app.exception_handler(ApiError)
    async def _api_error(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(caller_language(request)), error.status, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        of_body = any(item["loc"][:1] == ("body",) for item in error.errors())
        shaped = ApiError(415, "not_json") if of_body and not is_json(request) else invalid(error.errors(), skip=1)
        return JSONResponse(shaped.body(caller_language(request)), shaped.status)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal")
        shaped = ApiError(error.status_code, code)
        headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers
        return JSONResponse(shaped.body(caller_language(request)), error.status_code, headers=headers)

    @app.exception_handler(DataError)
    @app.exception_handler(UnicodeEncodeError)
    async def _cannot_be_stored(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(ApiError(422, "invalid").body(caller_language(request)), 422)

    async def _cannot_be_stored_now(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, OSError) and error.errno not in DISK_FULL:
            return await _crash(request, error)
        log.error("storage_unavailable", path=request.url.path, error=type(error).__name__)
        shaped = unavailable()
        return JSONResponse(shaped.body(caller_language(request)), 503, headers=shaped.headers)

    for kind in (*DATABASE_AWAY, OSError):
        app.add_exception_handler(kind, _cannot_be_stored_now)

    @app.exception_handler(Exception)
    async def _crash(request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", path=request.url.path, exc_info=error)
        return JSONResponse(ApiError(500, "internal").body(caller_language(request)), 500)
