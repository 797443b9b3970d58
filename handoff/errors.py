"""Errors that people and programs read: one shape, a sentence that says what to do next, in the caller's language."""

from __future__ import annotations

import errno
import math
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from handoff.database import DATABASE_AWAY
from handoff.locales import LANGUAGES, text
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

    A value that differs between the languages is given as `{"zh": ..., "en": ...}`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
        **values: str | int | dict[str, str],
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.details, self.values = status, code, details or {}, values
        self.retry_after = retry_after

    def body(self, language: str) -> dict[str, Any]:
        """Return the contract's error shape; details quote no personal data."""
        values = {name: value[language] if isinstance(value, dict) else value for name, value in self.values.items()}
        message = text(f"errors.{self.code}", language, **values)
        return {"error": {"code": self.code, "message": message, "details": hide_all(self.details)}}

    @property
    def headers(self) -> dict[str, str]:
        """Return `Retry-After` where the caller should wait, `WWW-Authenticate` where it should log in."""
        if self.retry_after is not None:
            return {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}


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


def install(app: FastAPI) -> None:
    """Give every error of `app` the contract's shape, unknown paths and wrong methods included."""

    @app.exception_handler(ApiError)
    async def _api_error(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(caller_language(request)), error.status, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            {"field": ".".join(str(part) for part in item["loc"][1:]), "problem": item["msg"]}
            for item in error.errors()
        ]
        broken_json = any(item["type"] == "json_invalid" for item in error.errors())
        shaped = ApiError(400, "bad_request") if broken_json else ApiError(422, "invalid", {"fields": problems})
        return JSONResponse(shaped.body(caller_language(request)), shaped.status)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal")
        shaped = ApiError(error.status_code, code)
        return JSONResponse(shaped.body(caller_language(request)), error.status_code, headers=error.headers)

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
