"""Who uses the console: the login kept on the server's side, and which page is for whom."""

from __future__ import annotations

from nicegui import app
from starlette.requests import Request
from starlette.responses import RedirectResponse

from handoff.agents.endpoints import logout
from handoff.agents.models import Role
from handoff.agents.rights import DESK_ROLES, OVERSEERS
from handoff.errors import ApiError, caller_language
from handoff.locales import LANGUAGES
from handoff.principals import AgentCaller, identify

LOGIN = "/desk/login"
HOME = {Role.AGENT: "/desk", Role.SUPERVISOR: "/supervisor", Role.DESIGNER: "/designer", Role.ADMIN: "/supervisor"}
PAGES: dict[str, set[Role]] = {"/desk": DESK_ROLES, "/supervisor": OVERSEERS, "/designer": {Role.DESIGNER, Role.ADMIN}}
TOKEN = "token"  # noqa: S105 - the name of the place, not the token


async def current() -> AgentCaller | None:
    """Return who is logged in in this browser; None when nobody is, or the login ended meanwhile."""
    token = app.storage.user.get(TOKEN)
    if not token:
        return None
    try:
        caller = await identify(token)
    except ApiError:
        app.storage.user.pop(TOKEN, None)
        return None
    return caller if isinstance(caller, AgentCaller) else None


async def admit(page: str) -> AgentCaller | RedirectResponse:
    """Return the caller who may use `page`; others are sent to the login or to the page that is theirs."""
    caller = await current()
    if caller is None:
        return RedirectResponse(f"{LOGIN}?next={page}", 303)
    if caller.agent.role not in PAGES[page]:
        return RedirectResponse(HOME[Role(caller.agent.role)], 303)
    return caller


def pages_of(role: str) -> list[str]:
    """Return the pages that a role may open."""
    return [page for page, roles in PAGES.items() if role in roles]


def home_of(role: str, wanted: str | None) -> str:
    """Return where to go after the login: the page asked for if this role may open it, else the role's own."""
    return wanted if wanted in pages_of(role) else HOME[Role(role)]


def remember(token: str) -> None:
    """Keep the login's token; the browser only holds a signed number of its storage."""
    app.storage.user[TOKEN] = token


async def end(caller: AgentCaller) -> None:
    """Log out: the token is revoked, and whoever was on duty goes offline."""
    await logout(caller)
    app.storage.user.pop(TOKEN, None)


def language_of(request: Request) -> str:
    """Return the console's language: chosen before in this browser, else the browser's own."""
    chosen = app.storage.user.get("language")
    return chosen if chosen in LANGUAGES else caller_language(request)


def choose_language(language: str) -> None:
    """Remember the choice for this browser."""
    if language in LANGUAGES:
        app.storage.user["language"] = language
