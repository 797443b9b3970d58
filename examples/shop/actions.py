"""What customers may have done to an order. Each function changes the order and returns the words for the customer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from examples.shop import schemas
from examples.shop.clock import add_working_days, china_date, china_moment
from examples.shop.masking import mask_address, mask_email, mask_name, mask_phone
from examples.shop.models import Order, Parcel, ParcelEvent, Status, Text
from examples.shop.parcels import city_in, pickup_parcel
from examples.shop.rules import Action, ReturnKind
from examples.shop.texts import day_text, say, yuan

_END_OF_DAY = time(18, 0)
_WAY_BACK_DAYS = 3


@dataclass(frozen=True)
class Context:
    """What an action needs besides the order: the terms and the time."""

    policies: Mapping[str, Any]
    now: datetime

    @property
    def today(self) -> date:
        """The day in China."""
        return china_date(self.now)


def cancel(order: Order, _request: schemas.CancelRequest, context: Context) -> Text:
    """Call the order off, stop its parcel in the warehouse, and pay back what was paid."""
    paid = order.status is not Status.UNPAID
    for parcel in order.parcels:
        _stop(parcel, context.now)
    order.status = Status.CANCELLED
    order.expected_date = None
    if not paid:
        return say("done.cancel_unpaid", number=order.number)
    by = _promise_refund(order, add_working_days(context.today, context.policies["refund"]["days_original"]))
    return say("done.cancel_paid", number=order.number, amount=yuan(order.total), date=day_text(by))


def change_address(order: Order, request: schemas.AddressRequest, _context: Context) -> Text:
    """Send the order elsewhere, or to somebody else."""
    order.recipient_name = request.recipient or order.recipient_name
    order.recipient_phone = request.phone or order.recipient_phone
    if request.address:
        order.recipient_address = request.address
        order.recipient_city = city_in(request.address)
    return say(
        "done.address",
        recipient=mask_name(order.recipient_name),
        phone=mask_phone(order.recipient_phone),
        address=mask_address(order.recipient_address),
    )


def request_invoice(order: Order, request: schemas.InvoiceRequest, context: Context) -> Text:
    """Ask accounting for an invoice; a second wish replaces the first until it is issued."""
    order.invoice_title = request.title
    order.invoice_tax_number = request.tax_number
    order.invoice_email = request.email
    order.invoice_status = "requested"
    by = china_date(context.now + timedelta(hours=context.policies["invoice"]["hours"]))
    if request.email is None:
        return say("done.invoice", title=request.title, date=day_text(by))
    return say("done.invoice_mail", title=request.title, date=day_text(by), email=mask_email(request.email))


def return_order(order: Order, request: schemas.ReturnRequest, context: Context) -> Text:
    """Have the order picked up, for money back or a new device."""
    pickup = context.today + timedelta(days=1)
    parcel = pickup_parcel(order, context.now)
    order.parcels.append(parcel)
    order.status = Status.RETURNING
    terms = context.policies["refund"]
    inspected = pickup + timedelta(days=_WAY_BACK_DAYS + terms["days_inspection"])
    if request.kind is ReturnKind.EXCHANGE:
        by = add_working_days(inspected, 1)
    else:
        by = _promise_refund(order, add_working_days(inspected, terms["days_original"]))
    return say(
        f"done.{request.kind}",
        carrier=parcel.carrier,
        pickup=day_text(pickup),
        amount=yuan(order.total),
        date=day_text(by),
    )


Perform = Callable[[Order, Any, Context], Text]
PERFORM: Mapping[Action, Perform] = {
    Action.CANCEL: cancel,
    Action.ADDRESS: change_address,
    Action.INVOICE: request_invoice,
    Action.RETURN: return_order,
}
REFERENCE_PREFIX: Mapping[Action, str] = {
    Action.CANCEL: "CX",
    Action.ADDRESS: "AD",
    Action.INVOICE: "IN",
    Action.RETURN: "RT",
}


def _stop(parcel: Parcel, now: datetime) -> None:
    parcel.status = "cancelled"
    text = say("done.cancelled_parcel", warehouse=parcel.warehouse)
    parcel.events.append(ParcelEvent(at=now, place=parcel.city, text=text))


def _promise_refund(order: Order, by: date) -> date:
    order.refund_amount = order.total
    order.refund_status = "pending"
    order.refund_expected_at = china_moment(by, _END_OF_DAY)
    return by
