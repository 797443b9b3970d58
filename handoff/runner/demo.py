"""The demo: who may log in, which orders can be asked about, and the page of both that a tester needs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from handoff.runner.environment import Environment, with_secrets
from handoff.runner.messages import role_name, say
from handoff.runner.terminal import Terminal

if TYPE_CHECKING:
    from handoff.demo import DemoAccount

ORDERS_SHOWN = 3  # on the terminal; `demo.json` has them all
PAGES = (("address_page", "/"), ("address_desk", "/desk"), ("address_supervisor", "/supervisor"),
         ("address_designer", "/designer"), ("address_api", "/api/docs"))


def with_passwords(environment: Environment) -> Environment:
    """Return the environment with the demo accounts' passwords: random at the first start, the same ever after."""
    return with_secrets(environment, [account.secret_name for account in _accounts()])


def _accounts() -> tuple[DemoAccount, ...]:
    """Return the desk's demo accounts; imported late, because the desk reads its settings on import."""
    from handoff.demo import ACCOUNTS

    return ACCOUNTS


def page_path(environment: Environment) -> Path:
    """Where the demo's addresses, logins and orders stand while the product runs."""
    return environment.var / "demo.json"


async def collect(environment: Environment) -> dict[str, Any]:
    """Return the demo's addresses and logins, and what the shop has to ask about."""
    values = environment.values
    return {
        "desk": environment.address("desk"),
        "shop": values["SHOP_API_URL"],
        "agents": [{"name": account.name, "password": values[account.secret_name], "role": str(account.role),
                    "groups": list(account.groups)} for account in _accounts()],
        "orders": [] if "shop" in environment.elsewhere() else await _orders(environment),
        "devices": await _devices(values),
    }


async def _orders(environment: Environment) -> list[dict[str, str]]:
    """Return the example shop's orders with their proofs, which its API rightly never tells."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.shop", "demo-orders", cwd=environment.root, env=dict(environment.values),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    orders: list[dict[str, str]] = json.loads(output) if child.returncode == 0 else []
    return orders


async def _devices(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the shop's devices; none when a shop of one's own is down just now."""
    headers = {"Authorization": f"Bearer {values['SHOP_API_TOKEN']}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=10) as client:
        try:
            answer = (await client.get(f"{values['SHOP_API_URL'].rstrip('/')}/devices")).raise_for_status()
        except httpx.HTTPError:
            return []
    devices: list[dict[str, Any]] = answer.json()["devices"]
    return devices


def write(path: Path, page: Mapping[str, Any]) -> None:
    """Write the page for its owner's eyes only, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(page, file, ensure_ascii=False, indent=2)
    fresh.replace(path)


def announce(environment: Environment, page: Mapping[str, Any] | None, terminal: Terminal) -> None:
    """Print the addresses and, in the demo, the logins and a few orders."""
    terminal.line()
    desk = environment.address("desk")
    width = len(desk) + max(len(path) for _, path in PAGES)
    for key, path in PAGES:
        terminal.line(f"  {desk + path:<{width}}  {say(key)}")
    if page:
        terminal.line(f"\n{say('logins')}")
        for account in page["agents"]:
            terminal.line(f"  {account['name']:<10} {account['password']:<14} {role_name(account['role'])}")
        if page["orders"]:
            terminal.line(f"\n{say('sample_orders')}")
        for order in _one_of_each_state(page["orders"])[:ORDERS_SHOWN]:
            terminal.line(f"  {order['number']}  {order['phone_last4']}  {order['status']}")
    terminal.line(f"\n{say('hint_stop', logs=environment.logs)}")


def _one_of_each_state(orders: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return an order of each state, those under way first."""
    first = ("shipped", "delayed", "delivered")
    chosen = {order["status"]: order for order in orders}
    return sorted(chosen.values(), key=lambda order: (order["status"] not in first, order["status"]))
