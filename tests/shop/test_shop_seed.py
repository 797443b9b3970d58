"""What the shop is filled with: enough of everything, and true on the day of the first start."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from examples.shop.clock import CHINA, china_date
from examples.shop.models import BugReport, Device, Order, Parcel, Status
from examples.shop.seed import open_database
from examples.shop.settings import SettingsError
from examples.shop.texts import load

MOMENTS = [
    datetime(2026, 3, 11, 4, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 16, 1, tzinfo=UTC),  # one minute past midnight in China, on a Sunday
    datetime(2028, 2, 29, 15, 59, tzinfo=UTC),  # one minute to midnight on a leap day
    datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
]
LATEST = {
    "band-2": "1.0.0.45",
    "band-3": "2.1.0.18",
    "watch-1": "3.2.1.7",
    "watch-pro": "4.0.2.11",
    "scale-s1": "1.3.0.5",
    "router-ax3": "1.1.24.0",
    "lamp-l1": "2.0.1.9",
    "camera-c1": "3.4.0.22",
}


@pytest.fixture(params=MOMENTS, ids=lambda moment: moment.isoformat())
def filled(request: pytest.FixtureRequest, tmp_path: Path):
    """All orders of a shop that was first started at this moment."""
    database = open_database(tmp_path / "shop.db", request.param)
    with database.reading() as session:
        yield request.param, session
    database.close()


def test_enough_orders_in_every_state(filled) -> None:
    _, session = filled
    states = Counter(session.scalars(select(Order.status)))
    assert sum(states.values()) >= 60
    assert set(states) == set(Status)
    assert min(states.values()) >= 4


def test_customers_have_several_orders(filled) -> None:
    _, session = filled
    of_customer = Counter(session.scalars(select(Order.customer_id)))
    assert sum(1 for number in of_customer.values() if number >= 3) >= 10
    assert "cus-1001" in of_customer


def test_all_that_happened_lies_in_the_past(filled) -> None:
    now, session = filled
    for order in session.scalars(select(Order)).unique():
        assert order.placed_at < now
        assert order.number.startswith(f"LM{order.placed_at.astimezone(CHINA):%y%m%d}")
        assert order.delivered_at is None or order.placed_at < order.delivered_at < now
        for parcel in order.parcels:
            times = [event.at for event in parcel.events]
            assert times == sorted(times)
            assert times[0] > order.placed_at
            on_the_way = parcel.status == "out_for_delivery"
            assert times[-1] < now + timedelta(days=1 if on_the_way else 0), (order.number, parcel.status)


def test_expected_dates_lie_ahead(filled) -> None:
    now, session = filled
    for order in session.scalars(select(Order)).unique():
        if order.expected_date is not None:
            assert order.status in {"paid", "packed", "shipped", "delayed"}
            assert china_date(now) <= order.expected_date <= china_date(now) + timedelta(days=4)


def test_states_and_parcels_agree(filled) -> None:
    _, session = filled
    for order in session.scalars(select(Order)).unique():
        outbound = {parcel.status for parcel in order.parcels if parcel.direction == "outbound"}
        match order.status:
            case "unpaid" | "paid" | "cancelled":
                assert not outbound
            case "packed" | "delayed" | "delivered" | "lost":
                assert outbound == {order.status.value}
            case "shipped":
                assert outbound & {"in_transit", "out_for_delivery"}
            case "returning":
                assert [p.direction for p in order.parcels].count("return") == 1
            case "refunded":
                assert order.refund_status == "paid"


def test_special_cases_are_there(filled) -> None:
    _, session = filled
    orders = session.scalars(select(Order)).unique().all()
    assert sum(1 for o in orders if len([p for p in o.parcels if p.direction == "outbound"]) == 2) >= 3
    signed_by_others = [
        o for o in orders if o.status == "delivered" and any("门卫" in p.events[-1].text["zh"] for p in o.parcels)
    ]
    assert signed_by_others
    assert any(o.status == "returning" and o.refund_amount is None for o in orders), "an exchange"
    assert any(o.status == "delayed" and o.expected_date is None for o in orders), "delayed without a new date"


def test_parcel_texts_are_complete(filled) -> None:
    _, session = filled
    for parcel in session.scalars(select(Parcel)):
        for event in parcel.events:
            for words in (event.text, event.place, parcel.carrier):
                assert set(words) >= {"zh", "en"}
                assert not set("{}") & set(words["zh"] + words["en"])
                assert not any("\u4e00" <= c <= "\u9fff" for c in words["en"])


def test_every_story_and_phrase_is_used(filled) -> None:
    told = {parcel["story"] for order in load("orders") for parcel in order.get("parcels", [])}
    assert told == set(load("journeys")["stories"])


def test_devices_and_versions(filled) -> None:
    now, session = filled
    devices = {device.model: device for device in session.scalars(select(Device)).unique()}
    assert {model: device.latest_firmware for model, device in devices.items()} == LATEST
    for device in devices.values():
        assert len(device.firmware) >= 5
        released = [version.released_on for version in device.firmware]
        assert released == sorted(released, reverse=True)
        assert released[0] < china_date(now)
        numbers = [tuple(map(int, version.version.split("."))) for version in device.firmware]
        assert numbers == sorted(numbers, reverse=True)
        assert all(len(number) == 4 for number in numbers)
    assert {"1.0.0.36", "1.0.0.39", "1.0.0.45"} <= {version.version for version in devices["band-2"].firmware}


def test_reports_some_answered_none_overdue(filled) -> None:
    now, session = filled
    reports = session.scalars(select(BugReport)).all()
    answered = [report for report in reports if report.answer is not None]
    assert len(answered) >= 3
    assert all(r.created_at < r.answered_at < r.answer_due_at and r.answered_at < now for r in answered)
    assert all(r.answer_due_at > now for r in reports if r.answer is None)


def test_the_same_shop_every_time(tmp_path: Path) -> None:
    def content(name: str) -> list[object]:
        database = open_database(tmp_path / name, MOMENTS[0])
        with database.reading() as session:
            return [list(session.execute(text(f"SELECT * FROM {t}"))) for t in ("orders", "parcels", "parcel_events")]

    assert content("one.db") == content("two.db")


def test_a_second_start_fills_nothing(tmp_path: Path) -> None:
    open_database(tmp_path / "shop.db", MOMENTS[0]).close()
    database = open_database(tmp_path / "shop.db", MOMENTS[0] + timedelta(days=400))
    with database.reading() as session:
        newest = max(session.scalars(select(Order.placed_at)))
    assert newest < MOMENTS[0]


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    database = open_database(tmp_path / "shop.db", MOMENTS[0])
    with database.writing() as session:
        session.execute(text("PRAGMA user_version = 99"))
    with pytest.raises(SettingsError, match="another version"):
        open_database(tmp_path / "shop.db", MOMENTS[0])
