"""The first fill of the database from `data/`: always the same shop, its dates counted back from that day."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from examples.shop.bug_reports import new_report
from examples.shop.clock import china_date, china_moment
from examples.shop.database import Database
from examples.shop.models import (
    Base,
    BugReport,
    Customer,
    Device,
    Firmware,
    Order,
    OrderItem,
    Parcel,
    ParcelEvent,
    Policy,
    Status,
)
from examples.shop.parcels import carrier_name, tracking_number, tracking_text
from examples.shop.settings import SettingsError
from examples.shop.texts import load

SCHEMA_VERSION = 1
_RANDOM_SEED = 20161019
_MAX_JITTER_MINUTES = 25
_PAID_BACK_AT = time(15, 30)
_ANSWERED_BEFORE_DUE = timedelta(minutes=80)
_FIRST_BUG_REPORT = 1001


def open_database(path: Path, now: datetime) -> Database:
    """The database at `path`, created and filled when it is new.

    Raises SettingsError when the file belongs to another version of the shop.
    """
    database = Database(path)
    with database.writing() as session:
        version = session.scalar(text("PRAGMA user_version"))
        if version == 0:
            Base.metadata.create_all(session.connection())
            fill_database(session, now)
            session.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
        elif version != SCHEMA_VERSION:
            raise SettingsError(f"{path} was made by another version of the shop: move it away and start again.")
    return database


def fill_database(session: Session, now: datetime) -> None:
    """Write devices, terms, customers, orders and bug reports."""
    today = china_date(now)
    session.add_all(_devices(today))
    session.add_all(Policy(name=name, terms=terms) for name, terms in load("policies").items())
    session.add_all(Customer(id=c["id"], name=c["name"], phone=c["phone"]) for c in load("customers"))
    session.flush()
    session.add_all(_Orders(today).all())
    session.add_all(_bug_reports(now))


def _devices(today: date) -> Iterator[Device]:
    for position, entry in enumerate(load("devices")):
        fields = {k: v for k, v in entry.items() if k not in ("price", "firmware")}
        versions = [
            Firmware(
                version=version["version"],
                released_on=today - timedelta(days=version["released"]),
                notes={"zh": version["zh"], "en": version["en"]},
                min_app_version=version["min_app_version"],
                rollback_allowed=version["rollback_allowed"],
            )
            for version in entry["firmware"]
        ]
        yield Device(position=position, price=entry["price"] * 100, firmware=versions, **fields)


def _bug_reports(now: datetime) -> Iterator[BugReport]:
    about = ("device_model", "firmware_version", "app_version", "os", "os_version", "phone_model")
    for number, entry in enumerate(load("bug_reports"), start=_FIRST_BUG_REPORT):
        content = {name: entry[name] for name in (*about, "symptom", "description", "tried")}
        age = timedelta(days=entry.get("days", 0), hours=entry.get("hours", 0))
        report = new_report(content | {"conversation": None}, now - age)
        report.id = number
        if "answer" in entry:
            report.answer = entry["answer"]
            report.answered_at = report.answer_due_at - _ANSWERED_BEFORE_DUE
            report.fixed_in = entry.get("fixed_in")
        yield report


def _before(today: date, days: int) -> date:
    return today - timedelta(days=days)


class _Orders:
    """Builds the orders of `orders.yml`."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._random = Random(_RANDOM_SEED)  # noqa: S311 - made-up numbers, the same on every machine
        self._customers = {customer["id"]: customer for customer in load("customers")}
        self._prices = {device["model"]: device["price"] * 100 for device in load("devices")}
        self._places = load("places")
        self._journeys = load("journeys")

    def all(self) -> list[Order]:
        """Every order, each with its own serial number."""
        entries = load("orders")
        serials = self._random.sample(range(1, 9999), len(entries))
        return [self._order(entry, serial) for entry, serial in zip(entries, serials, strict=True)]

    def _order(self, entry: Mapping[str, Any], serial: int) -> Order:
        customer = self._customers[entry["customer"]]
        placed_on = _before(self._today, entry["days"])
        language = "en" if customer["address"].isascii() else "zh"
        invoice = entry.get("invoice", {})
        order = Order(
            number=f"LM{placed_on:%y%m%d}{serial:04}",
            customer_id=customer["id"],
            status=Status(entry["status"]),
            placed_at=china_moment(placed_on, time.fromisoformat(entry["time"])),
            recipient_name=customer["name"],
            recipient_phone=customer["phone"],
            recipient_city=self._places["cities"][customer["city"]][language],
            recipient_address=customer["address"],
            expected_date=self._today + timedelta(days=entry["expected"]) if "expected" in entry else None,
            invoice_title=invoice.get("title"),
            invoice_tax_number=invoice.get("tax_number"),
            invoice_status=invoice.get("status"),
            items=[
                OrderItem(model=model, quantity=quantity, price=self._prices[model])
                for model, quantity in entry["items"].items()
            ],
        )
        order.total = sum(item.price * item.quantity for item in order.items)
        order.parcels = [self._parcel(parcel, entry, customer, placed_on) for parcel in entry.get("parcels", [])]
        order.delivered_at = _delivered_at(order)
        self._add_refund(order, entry)
        return order

    def _add_refund(self, order: Order, entry: Mapping[str, Any]) -> None:
        if "refund" not in entry:
            return
        days = entry["refund"]["days"]
        order.refund_amount = order.total
        order.refund_status = "paid" if days < 0 else "pending"
        order.refund_expected_at = china_moment(self._today + timedelta(days=days), _PAID_BACK_AT)

    def _parcel(
        self, parcel: Mapping[str, Any], entry: Mapping[str, Any], customer: Mapping[str, Any], placed_on: date
    ) -> Parcel:
        returning = "days" in parcel
        story = self._journeys["stories"][parcel["story"]]
        warehouse = self._places["warehouses"][parcel["from"]]
        start = _before(self._today, parcel["days"]) if returning else placed_on
        return Parcel(
            number=tracking_number(parcel["carrier"], self._random.randrange),
            direction="return" if returning else "outbound",
            carrier=carrier_name(parcel["carrier"]),
            warehouse=warehouse["name"],
            city=warehouse["city"],
            models=parcel.get("items", list(entry["items"])),
            status=story["status"],
            events=self._events(parcel, story["stops"], start, warehouse, customer),
        )

    def _events(
        self,
        parcel: Mapping[str, Any],
        stops: list[Any],
        start: date,
        warehouse: Mapping[str, Any],
        customer: Mapping[str, Any],
    ) -> list[ParcelEvent]:
        city = self._places["cities"][customer["city"]]
        words = {
            "carrier": carrier_name(parcel["carrier"]),
            "driver": self._random.choice(self._journeys["drivers"]),
            "warehouse": warehouse["name"],
            "city_from": warehouse["city"],
            "hub_from": warehouse["hub"],
            "city_to": city,
            "hub_to": city["hub"],
            "depot": customer["depot"],
        }
        places = {"origin": warehouse["city"], "city": {"zh": city["zh"], "en": city["en"]}}
        signed = f"signed_{parcel.get('sign')}"
        jitter = timedelta(minutes=self._random.randrange(_MAX_JITTER_MINUTES))
        return [
            ParcelEvent(
                at=china_moment(start + timedelta(days=day), time.fromisoformat(at)) + jitter,
                place=places[place],
                text=tracking_text(signed if phrase == "signed" else phrase, parcel["carrier"], words),
            )
            for day, at, phrase, place in _flat(stops)
        ]


def _flat(stops: list[Any]) -> Iterator[list[Any]]:
    """A story may begin with the stops of another one."""
    for stop in stops:
        if isinstance(stop[0], list):
            yield from _flat(stop)
        else:
            yield stop


def _delivered_at(order: Order) -> datetime | None:
    """The last hand-over, once every parcel to the customer has arrived."""
    outbound = [parcel for parcel in order.parcels if parcel.direction == "outbound"]
    if not outbound or any(parcel.status != "delivered" for parcel in outbound):
        return None
    return max(parcel.events[-1].at for parcel in outbound)
