"""Questions for one fact, with choices wherever there are some and with help where to look."""

from __future__ import annotations

from bot.actions import catalogue, words
from bot.actions.clients.shop import shop
from bot.actions.turn import Turn, payload

MOST_VERSIONS = 3


async def ask_fact(turn: Turn, fact: str, categories: list[str], again: bool = False, noted: str = "") -> None:
    """Asks for one fact, and offers a person to who is upset; `categories` are the kinds of products it is about.

    `again`: in other words, for who asked where to look. `noted`: what is said before the question.
    """
    name, buttons = f"utter_devices/ask_{fact}", []
    if fact == "device_model":
        buttons = await _devices(turn, categories)
    elif fact == "firmware_version":
        name += "_home" if await _is_at_home(turn) else ""
        buttons = await _versions(turn)
    said = words.words(name, turn.language, int(again))
    if any(said.text in before for before in turn.said_lately(1)):
        said = words.words(name, turn.language, int(not again))
    person = [turn.button("person", "/request_human")] if turn.upset else []
    turn.send(words.Words(noted + said.text, said.buttons), [*buttons, *person])


async def _devices(turn: Turn, categories: list[str]) -> list[words.Button]:
    product = turn.slot("product")
    wanted = [product] if product in categories else categories
    return [
        {"title": turn.local(device["name"]), "payload": payload("inform", device_model=device["model"])}
        for device in (await catalogue.devices()).values()
        if device["category"] in wanted
    ]


async def _is_at_home(turn: Turn) -> bool:
    """Is the device one of those that the app for the home looks after?"""
    device = (await catalogue.devices()).get(turn.slot("device_model") or "", {})
    return device.get("category") in catalogue.HOME_CATEGORIES


async def _versions(turn: Turn) -> list[words.Button]:
    model = turn.slot("device_model")
    versions = [entry["version"] for entry in await shop().firmware(model)][:MOST_VERSIONS] if model else []
    return [
        *({"title": version, "payload": payload("inform", firmware_version=version)} for version in versions),
        turn.button("dont_know", payload("deny", outcome="unknown")),
    ]
