"""Who uses the console: the login in a cookie, which requests are the console's own, and which page is for whom.

The cookie holds the login's bearer token, of which the database keeps the hash: every login has a new one, ending
it ends it everywhere, and nothing of it lies on the disk.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from handoff.agents.endpoints import logout
from handoff.agents.models import Role
from handoff.agents.rights import DESK_ROLES, OVERSEERS
from handoff.agents.service import Agents
from handoff.desk import desk
from handoff.errors import ApiError, header_language
from handoff.locales import LANGUAGES
from handoff.principals import AgentCaller, identify
from handoff.settings import settings

LOGIN = "/desk/login"
HOME = {Role.AGENT: "/desk", Role.SUPERVISOR: "/supervisor", Role.DESIGNER: "/designer", Role.ADMIN: "/supervisor"}
PAGES: dict[str, set[Role]] = {"/desk": DESK_ROLES, "/supervisor": OVERSEERS, "/designer": {Role.DESIGNER, Role.ADMIN}}
COOKIE = "jieli_console"
LANGUAGE_COOKIE = "jieli_language"
HEADER = "x-jieli-console"


def is_secure(connection: HTTPConnection) -> bool:
    """Tell whether the browser speaks TLS (uvicorn takes a trusted proxy's word for it)."""
    return connection.url.scheme in {"https", "wss"}


def cookie_name(connection: HTTPConnection) -> str:
    """Return the cookie's name; with TLS one that no other host and no plain page can plant."""
    return f"__Host-{COOKIE}" if is_secure(connection) else COOKIE


async def current(connection: HTTPConnection) -> AgentCaller | None:
    """Return who is logged in in this browser; None when nobody is, or the login ended meanwhile."""
    token = connection.cookies.get(cookie_name(connection))
    if not token:
        return None
    try:
        caller = await identify(token)
    except ApiError:
        return None
    return caller if isinstance(caller, AgentCaller) else None


async def admit(connection: HTTPConnection, page: str) -> AgentCaller | RedirectResponse:
    """Return the caller who may use `page`; others are sent to the login or to the page that is theirs."""
    caller = await current(connection)
    if caller is None:
        return RedirectResponse(f"{LOGIN}?next={page}", 303)
    if caller.agent.role not in PAGES[page]:
        return RedirectResponse(HOME[Role(caller.agent.role)], 303)
    return caller


def is_own_origin(connection: HTTPConnection) -> bool:
    """Tell whether no other site sent this; browsers name the site in `Origin`, programs send none."""
    origin = connection.headers.get("origin")
    hosts = (connection.headers.get("host"), connection.headers.get("x-forwarded-host"))
    return origin is None or urlsplit(origin).netloc.lower() in {host.lower() for host in hosts if host}


def is_own_page(connection: HTTPConnection) -> bool:
    """Tell whether a page of the console sent this: no other site's form or script can set the header."""
    return HEADER in connection.headers and is_own_origin(connection)


def pages_of(role: str) -> list[str]:
    """Return the pages that a role may open."""
    return [page for page, roles in PAGES.items() if role in roles]


def home_of(role: str, wanted: str | None) -> str:
    """Return where to go after the login: the page asked for if this role may open it, else the role's own."""
    return wanted if wanted in pages_of(role) else HOME[Role(role)]


def remember(connection: HTTPConnection, response: Response, token: str) -> None:
    """Give the login to the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(connection),
        token,
        max_age=settings.agent_session_hours * 3600,
        path="/",
        secure=is_secure(connection),
        httponly=True,
        samesite="lax",
    )


def forget(connection: HTTPConnection, response: Response) -> None:
    """Take the login from the browser."""
    response.delete_cookie(cookie_name(connection), path="/", secure=is_secure(connection), httponly=True)


async def end(caller: AgentCaller) -> None:
    """Log out: the token is revoked, and with the last login whoever was on duty goes offline."""
    await logout(caller)


async def replace(old: AgentCaller, agent_id: str) -> None:
    """End this browser's earlier login: another person takes the seat, or the same one comes again, still on duty."""
    if old.agent.id != agent_id:
        await end(old)
        return
    async with desk.database.write() as session:
        await Agents(session).revoke(old.token)


def language_of(connection: HTTPConnection) -> str:
    """Return the console's language: chosen before in this browser, else the browser's own."""
    chosen = connection.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else header_language(connection.headers.get("accept-language", ""))
