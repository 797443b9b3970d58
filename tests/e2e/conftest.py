"""The whole product, running for real, and a real browser in front of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.product import ROOT, Product

FAILURES = ROOT / "test-results"
FAILED = pytest.StashKey[bool]()
DESKTOP = {"width": 1280, "height": 800}
SLOW_START_SECONDS = 900
PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the async tests here in one event loop, the browser's; give slow machines time to start the product."""
    one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if pytest_asyncio.is_async_test(item):
            item.add_marker(one_loop, append=False)
        if {"product", "own_product"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(SLOW_START_SECONDS), append=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let a page's fixture know whether its test failed, so that it can keep a screenshot."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product that all tests share. Who kills a part of it waits until it is back."""
    running = Product(tmp_path_factory.mktemp("product"))
    try:
        yield running.start()
    finally:
        running.destroy()


@pytest.fixture
def own_product(tmp_path: Path) -> Iterator[Product]:
    """A product for one test alone, not started yet."""
    one = Product(tmp_path / "var")
    try:
        yield one
    finally:
        one.destroy()


def chromium() -> str:
    """Return the browser's path; the test fails with what to do when there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("No Chromium here. Install it (Debian, Ubuntu: apt install chromium) or set CHROMIUM to its path.")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        running = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield running
        await running.close()


async def _open_page(request: pytest.FixtureRequest, browser: Browser, url: str, **options: Any) -> AsyncIterator[Page]:
    """Yield a page in a context of its own; keep a screenshot of a failure, and let no script error pass."""
    context = await browser.new_context(base_url=url, locale="zh-CN", timezone_id="Asia/Shanghai", **options)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    if request.node.stash.get(FAILED, False):
        FAILURES.mkdir(exist_ok=True)
        await page.screenshot(path=FAILURES / f"{request.node.name.replace('/', '_')}.png")
    await context.close()
    assert not errors, f"script errors on the page: {errors}"


@pytest_asyncio.fixture(loop_scope="session")
async def desktop_page(request: pytest.FixtureRequest, browser: Browser, product: Product) -> AsyncIterator[Page]:
    """A page of a desktop's size; relative addresses go to the desk."""
    async for page in _open_page(request, browser, product.url, viewport=DESKTOP):
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def phone_page(request: pytest.FixtureRequest, browser: Browser, product: Product) -> AsyncIterator[Page]:
    """A page of a phone's size, with touch; relative addresses go to the desk."""
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    async for page in _open_page(request, browser, product.url, **options):
        yield page
