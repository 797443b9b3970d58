"""Serving attachments."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse

from handoff.attachments.models import Attachment
from handoff.attachments.service import DOCUMENTS, IMAGES, TEXT, check_signature, path_of
from handoff.desk import desk
from handoff.errors import ApiError

router = APIRouter(tags=["attachments"])


@router.head("/v1/attachments/{attachment_id}/{name}", include_in_schema=False)
@router.get(
    "/v1/attachments/{attachment_id}/{name}",
    response_class=FileResponse,
    responses={200: {"content": {kind: {} for kind in sorted({*IMAGES, *DOCUMENTS, TEXT})}}},
)
async def download(attachment_id: str, name: str, expires: str = "", signature: str = "") -> FileResponse:
    """Serve a file to whoever holds its signed address: images inline, everything else as a download."""
    check_signature(attachment_id, expires, signature)
    async with desk.database.read() as session:
        attachment = await session.get(Attachment, attachment_id)
    if attachment is None or not path_of(attachment).is_file():
        raise ApiError(404, "not_found")
    return FileResponse(
        path_of(attachment),
        media_type=attachment.type,
        filename=attachment.name,
        content_disposition_type="inline" if attachment.type in IMAGES else "attachment",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )
