"""Questions for one fact, with choices wherever there are some and with help where to look."""

from __future__ import annotations

from bot.actions import catalogue
from bot.actions.clients.shop import shop
from bot.actions.turn import Turn, payload

MOST_VERSIONS = 3


async def ask_fact(turn: Turn, fact: str, categories: list[str]) -> None:
    """Asks for one fact; `categories` are the kinds of products that the trouble concerns."""
    if fact == "device_model":
        await _ask_device(turn, categories)
    elif fact == "firmware_version":
        await _ask_firmware(turn)
    else:
        turn.say(f"utter_devices/ask_{fact}")


async def _ask_device(turn: Turn, categories: list[str]) -> None:
    product = turn.slot("product")
    wanted = [product] if product in categories else categories
    devices = [device for device in (await catalogue.devices()).values() if device["category"] in wanted]
    turn.say(
        "utter_devices/ask_device_model",
        buttons=[
            {"title": turn.local(device["name"]), "payload": payload("inform", device_model=device["model"])}
            for device in devices
        ],
    )


async def _ask_firmware(turn: Turn) -> None:
    model = turn.slot("device_model")
    versions = [entry["version"] for entry in await shop().firmware(model)][:MOST_VERSIONS] if model else []
    home = (await catalogue.devices()).get(model, {}).get("category") in catalogue.HOME_CATEGORIES if model else False
    turn.say(
        "utter_devices/ask_firmware_version_home" if home else "utter_devices/ask_firmware_version",
        buttons=[
            *({"title": version, "payload": payload("inform", firmware_version=version)} for version in versions),
            turn.button("dont_know", payload("deny", outcome="unknown")),
        ],
    )
