"""Taking files in and handing them out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import filetype
from sqlalchemy import inspect

from handoff.attachments.models import Attachment
from handoff.attachments.pictures import MOST_PIXELS, pixels
from handoff.clock import now
from handoff.errors import ApiError
from handoff.identifiers import new_id
from handoff.settings import settings

IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
DOCUMENTS = {"application/pdf"}
TEXT = "text/plain"
LONGEST_NAME = 120
LONGEST_TIME = 12


def detect_type(content: bytes) -> str:
    """Return the media type by content, not by name; 415 `unsupported_type` unless image, PDF or plain text.

    Raises 413 `too_many_pixels` for a picture that would flood whoever looks at it.
    """
    guessed = filetype.guess_mime(content)
    if guessed in IMAGES and (pixels(content) or 0) > MOST_PIXELS:
        raise ApiError(413, "too_many_pixels", {"limit": MOST_PIXELS})
    if guessed in IMAGES or guessed in DOCUMENTS:
        return str(guessed)
    if guessed is None and content and _is_plain_text(content):
        return TEXT
    raise ApiError(415, "unsupported_type")


def _is_plain_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = sum(1 for letter in decoded if ord(letter) < 32 and letter not in "\t\r\n\x1b\f")
        markup = re.match(r"\s*<[a-z?!]", decoded, re.IGNORECASE)
        return controls <= len(decoded) // 100 and not markup
    return False


def clean_name(name: str | None) -> str:
    """Return the file's own name without folders and control characters, shortened with its ending kept."""
    base = PurePosixPath((name or "").replace("\\", "/")).name
    base = re.sub(r"[\x00-\x1f\x7f<>:\"|?*\u202a-\u202e\u2066-\u2069]", "_", base).strip(" .") or "file"
    stem, dot, ending = base.rpartition(".")
    return base if len(base) <= LONGEST_NAME else f"{(stem or base)[: LONGEST_NAME - 12]}{dot}{ending[-10:]}"


@asynccontextmanager
async def kept_if_stored(conversation_id: str, name: str | None, content: bytes) -> AsyncIterator[Attachment]:
    """Write a file safely to disk and yield its row, for the block to store; the file goes when the row is not stored.

    Where the database was lost meanwhile, nobody knows whether the row is stored: the file stays, and the repair at the
    next start removes it if it belongs to nothing. Raises 413 `too_large`, `too_many_pixels`, 415 `unsupported_type`,
    422 `empty_file`.
    """
    check(content)
    attachment = Attachment(
        id=new_id("f"),
        conversation_id=conversation_id,
        name=clean_name(name),
        type=detect_type(content),
        size=len(content),
        created_at=now(),
    )
    try:
        await asyncio.to_thread(_write, path_of(attachment), content)
        yield attachment
    except (ApiError, OSError):
        await asyncio.to_thread(path_of(attachment).unlink, missing_ok=True)
        raise
    else:
        if not inspect(attachment).persistent and not inspect(attachment).detached:
            await asyncio.to_thread(path_of(attachment).unlink, missing_ok=True)


def check(content: bytes) -> None:
    """Refuse empty and too large files and types that are not welcome."""
    if len(content) > settings.attachment_limit:
        raise ApiError(413, "too_large", {"limit": settings.attachment_limit})
    if not content:
        raise ApiError(422, "empty_file")
    detect_type(content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name too survives a power cut
    finally:
        os.close(folder)


def path_of(attachment: Attachment) -> Path:
    """Return where the bytes lie; the name comes from our id, never from the customer."""
    return settings.attachments_folder / attachment.id[-2:] / attachment.id


def signed_url(attachment: Attachment) -> str:
    """Return an address that works for `settings.attachment_link_seconds`."""
    expires = int(time.time()) + settings.attachment_link_seconds
    path = f"/api/v1/attachments/{attachment.id}/{quote(attachment.name)}"
    return f"{path}?expires={expires}&signature={_sign(attachment.id, expires)}"


def check_signature(attachment_id: str, expires: str, signature: str) -> None:
    """Raise 403 `bad_link` for a wrong, incomplete or old address."""
    until = int(expires) if expires.isascii() and expires.isdecimal() and len(expires) <= LONGEST_TIME else 0
    if until < time.time() or not hmac.compare_digest(_sign(attachment_id, until).encode(), signature.encode()):
        raise ApiError(403, "bad_link")


def _sign(attachment_id: str, expires: int) -> str:
    return hmac.new(settings.secret_key.encode(), f"{attachment_id}:{expires}".encode(), hashlib.sha256).hexdigest()
