"""From the database's rows to the API's shapes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from examples.shop import schemas
from examples.shop.masking import mask_address, mask_name, mask_phone
from examples.shop.models import BugReport, Device, Order, Parcel
from examples.shop.rules import allowed


def order_view(order: Order, policies: Mapping[str, Any], now: datetime) -> schemas.OrderOut:
    """The order, its people masked."""
    return schemas.OrderOut.model_validate(
        {
            "number": order.number,
            "status": order.status,
            "placed_at": order.placed_at,
            "total": order.total / 100,
            "currency": order.currency,
            "items": [
                {"model": item.model, "name": item.device.name, "quantity": item.quantity, "price": item.price / 100}
                for item in order.items
            ],
            "recipient": {
                "name": mask_name(order.recipient_name),
                "phone": mask_phone(order.recipient_phone),
                "city": order.recipient_city,
                "address": mask_address(order.recipient_address),
            },
            "parcels": [_parcel_view(parcel, now) for parcel in order.parcels],
            "expected_date": order.expected_date,
            "delivered_at": order.delivered_at,
            "refund": _refund_view(order),
            "invoice": order.invoice_title and {"title": order.invoice_title, "status": order.invoice_status},
            "allowed": allowed(order, policies, now),
        }
    )


def _parcel_view(parcel: Parcel, now: datetime) -> dict[str, Any]:
    return {
        "number": parcel.number,
        "direction": parcel.direction,
        "carrier": parcel.carrier,
        "status": parcel.status,
        "models": parcel.models,
        # Today's stops may lie ahead: couriers announce nothing before it happens.
        "events": [{"at": e.at, "place": e.place, "text": e.text} for e in parcel.events if e.at <= now],
    }


def _refund_view(order: Order) -> dict[str, Any] | None:
    if order.refund_amount is None:
        return None
    return {
        "amount": order.refund_amount / 100,
        "status": order.refund_status,
        "expected_at": order.refund_expected_at,
    }


def device_view(device: Device) -> schemas.DeviceOut:
    """A device with its newest versions."""
    return schemas.DeviceOut.model_validate(
        {
            "model": device.model,
            "category": device.category,
            "name": device.name,
            "price": device.price / 100,
            "for_sale": device.for_sale,
            "platforms": device.platforms,
            "highlights": device.highlights,
            "latest_firmware": device.latest_firmware,
            "latest_app": device.latest_app,
            "app": device.app,
            "warranty_months": device.warranty_months,
        }
    )


def firmware_view(device: Device) -> schemas.FirmwareHistoryOut:
    """A device's firmware history."""
    return schemas.FirmwareHistoryOut(
        model=device.model,
        versions=[schemas.FirmwareOut.model_validate(version, from_attributes=True) for version in device.firmware],
    )


def bug_report_view(report: BugReport) -> schemas.BugReportOut:
    """A report and its answer, if there is one."""
    return schemas.BugReportOut.model_validate(
        {
            "id": f"BR-{report.id}",
            "status": "open" if report.answer is None else "answered",
            "created_at": report.created_at,
            "answer_due_at": report.answer_due_at,
            "answer": report.answer,
            "answered_at": report.answered_at,
            "fixed_in": report.fixed_in,
            "device_model": report.report.get("device_model"),
            "symptom": report.report["symptom"],
        }
    )
