"""What the console's pages are made of in the browser: style sheets, pictures and scripts, each kept there for ever."""

from __future__ import annotations

from pathlib import Path

from nicegui import __version__
from nicegui.dependencies import esm_modules, js_components

from handoff.console.components import BROWSER

FOLDER = Path(__file__).parent / "static"
STATIC = "/desk/static"
SHEETS = ("base.css", "desk.css", "panels.css", "boards.css")
NICEGUI = f"/_nicegui/{__version__}"
NICEGUI_FILES = ("vue.esm-browser.prod.js", "socket.io.min.js", "nicegui.js")


def address_of(name: str) -> str:
    """Return the address of a file in `static`; a changed file has a new address."""
    return f"{STATIC}/{name}?v={int((FOLDER / name).stat().st_mtime)}"


def icon() -> str:
    """Return the pages' icon as inline SVG."""
    return (FOLDER / "icon.svg").read_text(encoding="utf8").strip()


def style_links() -> str:
    """Return the tags that load the style sheets."""
    return "".join(f'<link rel="stylesheet" href="{address_of(name)}">' for name in SHEETS)


def module_addresses() -> list[str]:
    """Return the addresses of the browser modules that all components share."""
    key = next(key for key, module in esm_modules.items() if module.name == "jieli")
    return [f"{NICEGUI}/esm/{key}/{path.name}" for path in sorted(BROWSER.glob("*.js"))]


def module_links() -> str:
    """Return the tags that fetch the shared modules at once, not one after the other as each names the next."""
    return "".join(f'<link rel="modulepreload" href="{address}">' for address in module_addresses())


def page_files() -> list[str]:
    """Return everything that the pages behind the login load, for fetching it ahead."""
    own = (key for key, component in js_components.items() if BROWSER.parent in component.path.parents)
    components = [f"{NICEGUI}/components/{key}" for key in own]
    return [*(f"{NICEGUI}/static/{name}" for name in NICEGUI_FILES), *module_addresses(), *components]
