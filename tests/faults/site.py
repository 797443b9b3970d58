"""Where a test's people go: the desks of one installation, its databases and logins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.product import Product


@dataclass(frozen=True)
class Site:
    """`urls` are desks that share `database` (a SQLAlchemy address); `logins` holds `{name, password, role}`."""

    urls: tuple[str, ...]
    database: str
    shop_database: Path
    logins: tuple[dict[str, str], ...]

    def login(self, role: str, number: int = 0) -> dict[str, str]:
        """Return the name and password of a person at work."""
        return [login for login in self.logins if login["role"] == role][number]


def site_of(product: Product) -> Site:
    """Return the product's own site, on SQLite."""
    return Site(
        (product.url,), f"sqlite:///{product.var / 'desk.db'}", product.var / "shop.db", tuple(product.demo["agents"])
    )
