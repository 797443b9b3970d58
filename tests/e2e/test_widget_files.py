"""Pictures, PDFs and logs in the widget."""

from __future__ import annotations

import struct
import zlib

from playwright.async_api import FilePayload, Page, expect

from tests.e2e.customer import PATIENCE, Widget

LARGEST = 10 * 1024 * 1024
PASTE = """(field, [kind, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "pasted.png", {type: "image/png"}));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true, composed: true})
    : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true, composed: true});
  field.dispatchEvent(event);
}"""

PICK = """(input, size) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(size)], "big.pdf", {type: "application/pdf"}));
  input.files = data.files;
  input.dispatchEvent(new Event("change"));
}"""


def picture() -> bytes:
    """Return a small PNG."""
    rows = b"".join(b"\0" + bytes((11, 101, 112)) * 40 for _ in range(30))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def file(name: str, kind: str, content: bytes) -> FilePayload:
    """Return a file as a person picks it."""
    return {"name": name, "mimeType": kind, "buffer": content}


async def test_picture_arrives_and_is_shown(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.files.set_input_files([file("截图.png", "image/png", picture())])
    image = widget.rows("customer").get_by_role("img", name="图片：截图.png")
    await expect(image).to_be_visible(timeout=PATIENCE)
    await expect(image).to_have_js_property("naturalWidth", 40, timeout=PATIENCE)
    await expect(widget.unsent).to_have_count(0)


async def test_log_and_pdf_become_downloads(phone_page: Page) -> None:
    widget = await Widget(phone_page).open()
    documents = [
        file("app.log", "text/plain", b"2026-11-21 10:00:00 step counter: 0\n" * 400),
        file("invoice.pdf", "application/pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"),
    ]
    await widget.files.set_input_files(documents)
    link = widget.rows("customer").get_by_role("link", name="下载 app.log，14 KB")
    await expect(link).to_be_visible(timeout=PATIENCE)
    async with phone_page.expect_download() as waiting:
        await link.click()
    assert (await waiting.value).suggested_filename == "app.log"
    await expect(widget.rows("customer").get_by_role("link", name="invoice.pdf")).to_be_visible(timeout=PATIENCE)


async def test_what_cannot_be_sent_is_refused_before_the_upload(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    for trouble, size in {"超过 10 MB": LARGEST + 1, "空文件": 0}.items():
        await widget.files.evaluate(PICK, size)
        await expect(widget.warning).to_contain_text(trouble)
    await widget.files.set_input_files([file("setup.exe", "application/x-msdownload", b"MZ")])
    await expect(widget.warning).to_contain_text("格式收不了")
    await expect(widget.unsent).to_have_count(0)
    await widget.warning.get_by_role("button", name="知道了").click()
    await expect(widget.warning).to_be_hidden()


async def test_content_that_is_not_what_it_says_is_explained(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.files.set_input_files([file("photo.png", "image/png", b"MZ\x90\x00 no picture at all")])
    await expect(widget.unsent).to_contain_text("没有发出", timeout=PATIENCE)
    await widget.unsent.get_by_role("button", name="删除").click()
    await expect(widget.unsent).to_have_count(0)


async def test_pasted_and_dropped_pictures_are_sent(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.field.evaluate(PASTE, ["paste", list(picture())])
    await expect(widget.rows("customer").get_by_role("img")).to_have_count(1, timeout=PATIENCE)
    await widget.log.evaluate(PASTE, ["dragover", list(picture())])
    await expect(widget.window.get_by_text("松手就能发送")).to_be_visible()
    await widget.log.evaluate(PASTE, ["drop", list(picture())])
    await expect(widget.rows("customer").get_by_role("img")).to_have_count(2, timeout=PATIENCE)
    await expect(widget.window.get_by_text("松手就能发送")).to_be_hidden()
