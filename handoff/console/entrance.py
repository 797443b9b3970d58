"""`/desk/login`: the one way in and out, for all pages. A plain page: who is not let in costs the server nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from handoff.agents.endpoints import Login
from handoff.agents.service import authenticate
from handoff.console import access
from handoff.console.assets import address_of, page_files, style_links
from handoff.console.words import words
from handoff.conversations.schemas import LanguageCode
from handoff.errors import ApiError
from handoff.locales import LANGUAGES
from handoff.settings import settings

router = APIRouter(include_in_schema=False)
TEMPLATE = Path(__file__).parent / "templates" / "login.html"
VISIT = "jieli_visit"
WORDS = ("brand", "login", "login_lead", "name", "password", "other_language", "no_answer")


def _proof(visit: str) -> str:
    """Return what the form must bring along with the cookie `visit`: another site can neither read nor guess it."""
    return hmac.new(settings.secret_key.encode(), f"login:{visit}".encode(), hashlib.sha256).hexdigest()


@router.get(access.LOGIN)
async def login_page(request: Request, next: str | None = None) -> Response:
    """Show the form; whoever is logged in already goes on to work."""
    caller = await access.current(request)
    if caller is not None:
        return RedirectResponse(access.home_of(caller.agent.role, next), 303)
    language: LanguageCode = "en" if access.language_of(request) == "en" else "zh"
    visit = request.cookies.get(VISIT) or secrets.token_urlsafe(16)
    texts = {key: {name: words()[key][name] for name in LANGUAGES} for key in WORDS}
    page = Template(TEMPLATE.read_text(encoding="utf8")).substitute(
        {key: escape(text[language]) for key, text in texts.items()},
        language=language,
        lang={"zh": "zh-CN", "en": "en"}[language],
        title=escape(words()["title"][language].replace("{page}", words()["page_login"][language])),
        icon=address_of("icon.svg"),
        script=address_of("login.js"),
        styles=style_links(),
        words=escape(json.dumps(texts, ensure_ascii=False)),
        files=escape(json.dumps(page_files())),
        proof=_proof(visit),
    )
    response = HTMLResponse(page, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        VISIT, visit, path=access.LOGIN, secure=access.is_secure(request), httponly=True, samesite="strict"
    )
    return response


@router.post(access.LOGIN)
async def log_in(request: Request) -> Response:
    """Take `{name, password, next?, proof}` from the form; the guard that slows down guesses is the API's."""
    language = access.language_of(request)
    try:
        return await _log_in(request)
    except ValidationError:
        return _refusal(ApiError(401, "bad_login"), language)
    except ApiError as error:
        return _refusal(error, language)


async def _log_in(request: Request) -> Response:
    body = await _body(request)
    visit = request.cookies.get(VISIT, "")
    if not access.is_own_page(request) or not hmac.compare_digest(_proof(visit), str(body.get("proof", ""))):
        raise ApiError(403, "forbidden")
    login = Login.model_validate(body)
    address = request.client.host if request.client else "unknown"
    before = await access.current(request)
    agent, token = await authenticate(login.name, login.password, address)
    if before is not None:
        await access.replace(before, agent.id)
    response = JSONResponse({"go": access.home_of(agent.role, body.get("next"))})
    access.remember(request, response, token)
    response.delete_cookie(VISIT, path=access.LOGIN)
    return response


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise ApiError(400, "bad_request") from None
    if not isinstance(body, dict):
        raise ApiError(400, "bad_request")
    return body


@router.post("/desk/logout")
async def log_out(request: Request) -> Response:
    """End the login on the server and in the browser."""
    if not access.is_own_page(request):
        return _refusal(ApiError(403, "forbidden"), access.language_of(request))
    caller = await access.current(request)
    if caller is not None:
        await access.end(caller)
    response = Response(status_code=204)
    access.forget(request, response)
    return response


def _refusal(error: ApiError, language: str) -> JSONResponse:
    return JSONResponse(error.body(language), error.status, headers=error.headers)
