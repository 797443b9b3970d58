"""The shop's figures of delivery, returns, warranty and invoices, under the names that answers use."""

from __future__ import annotations

from typing import Any

from bot.actions import words
from bot.actions.clients.shop import shop
from bot.actions.turn import Turn


async def policy_values(turn: Turn) -> dict[str, Any]:
    """The shop's figures under the names that answers use."""
    policies = await shop().policies()
    delivery, refund, warranty, invoice = (policies[name] for name in ("delivery", "refund", "warranty", "invoice"))
    return {
        "delivery_free_over": delivery["free_over"],
        "delivery_fee": delivery["fee"],
        "delivery_hours": delivery["hours_to_ship"],
        "delivery_days_city": delivery["days_city"],
        "delivery_days_remote": delivery["days_remote"],
        "remote_regions": turn.local(delivery["remote_regions"]),
        "couriers": words.listed([turn.local(courier) for courier in delivery["couriers"]], turn.language),
        "return_days": policies["return"]["days"],
        "return_conditions": turn.local(policies["return"]["conditions"]),
        "exchange_days": policies["exchange"]["days"],
        "exchange_conditions": turn.local(policies["exchange"]["conditions"]),
        "refund_days": refund["days_original"],
        "inspection_days": refund["days_inspection"],
        "refund_method": turn.local(refund["method"]),
        "warranty_months": warranty["months"],
        "battery_months": warranty["months_battery"],
        "warranty_conditions": turn.local(warranty["conditions"]),
        "invoice_hours": invoice["hours"],
        "invoice_days": invoice["days"],
        "address_conditions": turn.local(policies["address"]["conditions"]),
    }
