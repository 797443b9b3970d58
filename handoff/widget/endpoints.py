"""What browsers fetch: the widget's script for any site, and in the demo the shop page that shows it."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel

from handoff.errors import caller_language
from handoff.settings import settings
from handoff.widget import demo
from handoff.widget.bundle import bundle

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent
SCRIPT_HEADERS = {
    # Sites load the script from other origins; five minutes old is new enough, the tag makes asking again cheap.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=300",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


@router.api_route("/widget.js", methods=["GET", "HEAD"])
async def widget(request: Request) -> Response:
    """Serve the widget's script, compressed where the browser takes it, or 304 when it has this version already."""
    script = bundle()
    headers = {**SCRIPT_HEADERS, "ETag": script.etag}
    if script.etag in request.headers.get("if-none-match", "").replace("W/", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(script.compressed, media_type="text/javascript", headers=headers)
    return Response(script.plain, media_type="text/javascript", headers=headers)


def only_in_demo() -> None:
    """Dependency: the shop page exists in the demo alone; 404 elsewhere."""
    if not settings.demo:
        raise HTTPException(404)


demo_router = APIRouter(dependencies=[Depends(only_in_demo)])


class SignIn(BaseModel):
    """Body of `POST /demo/customer-token`: the id of one of the demo's customers."""

    customer: str


@demo_router.get("/")
async def shop_page(request: Request, language: str | None = None) -> HTMLResponse:
    """Serve the demo shop's page in the language asked for, else the browser's."""
    chosen = language if language in ("zh", "en") else caller_language(request)
    page = demo.page(await demo.stock(), chosen)
    return HTMLResponse(page, headers=demo.page_headers(request.url.netloc, secure=request.url.scheme == "https"))


@demo_router.get("/demo/{name}")
async def shop_file(name: str) -> FileResponse:
    """Serve the page's style sheet and script."""
    if name not in demo.FILES:
        raise HTTPException(404)
    return FileResponse(FOLDER / name, headers={"Cache-Control": "no-cache"})


@demo_router.post("/demo/customer-token")
async def customer_token(body: SignIn) -> dict[str, str]:
    """Sign a token as a company's own site would for a customer who has logged in; 404 for unknown customers."""
    customers = {customer["id"]: customer for customer in (await demo.stock()).customers}
    if body.customer not in customers or not settings.identity_secret:
        raise HTTPException(404)
    return {"token": demo.sign(customers[body.customer])}


router.include_router(demo_router)
