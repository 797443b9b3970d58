"""How large a picture becomes once it is shown: a few kilobytes can hold a flood of pixels that stops a browser."""

from __future__ import annotations

import struct

MOST_PIXELS = 64_000_000
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_BARE = {0x01, *range(0xD0, 0xDA)}


def pixels(content: bytes) -> int | None:
    """Return the number of pixels that a PNG, JPEG, GIF or WebP says it has; None when it does not say."""
    try:
        size = _size(content)
    except (struct.error, IndexError):
        return None
    return size[0] * size[1] if size else None


def _size(content: bytes) -> tuple[int, int] | None:
    if content.startswith(b"\x89PNG"):
        return struct.unpack(">II", content[16:24])
    if content.startswith(b"GIF8"):
        return struct.unpack("<HH", content[6:10])
    if content.startswith(b"\xff\xd8"):
        return _jpeg_size(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp_size(content)
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Go from segment to segment; the largest frame counts, since a later one may be the one that is shown."""
    place, largest = 2, None
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return largest
        kind = content[place + 1]
        if kind == 0xFF:
            place += 1
            continue
        if kind in JPEG_BARE:
            if kind == 0xD9:
                return largest
            place += 2
            continue
        if kind in JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            largest = max(largest or (0, 0), (width, height), key=lambda size: size[0] * size[1])
        if kind == 0xDA:  # the picture's data: nothing that follows is a segment
            return largest
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
    return largest


def _webp_size(content: bytes) -> tuple[int, int] | None:
    kind, data = content[12:16], content[20:]
    if kind == b"VP8X":
        return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    if kind == b"VP8L":
        bits = struct.unpack("<I", data[1:5])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None
