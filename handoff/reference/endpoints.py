"""`/api/docs`: the OpenAPI document as a page of our own; nothing is fetched from anywhere else."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def page() -> FileResponse:
    """Return the page."""
    return FileResponse(FOLDER / "page.html", media_type="text/html", headers=HEADERS)


@router.get("/docs.js")
async def script() -> FileResponse:
    """Return the page's script."""
    return FileResponse(FOLDER / "page.js", media_type="text/javascript", headers=HEADERS)


@router.get("/docs.css")
async def style() -> FileResponse:
    """Return the page's style."""
    return FileResponse(FOLDER / "page.css", media_type="text/css", headers=HEADERS)
