"""Devices, firmware histories and terms."""

import pytest

MODELS = ["band-2", "band-3", "watch-1", "watch-pro", "scale-s1", "router-ax3", "lamp-l1", "camera-c1"]


async def test_devices(shop) -> None:
    devices = (await shop.client.get("/devices")).json()["devices"]
    assert [device["model"] for device in devices] == MODELS
    for device in devices:
        assert set(device) == {
            "model", "category", "name", "price", "for_sale", "platforms", "highlights", "latest_firmware",
            "latest_app", "app", "warranty_months",
        }  # fmt: skip
        assert set(device["name"]) == set(device["app"]) == {"zh", "en"}
        assert len(device["highlights"]["zh"]) == len(device["highlights"]["en"]) >= 3
    assert {d["category"] for d in devices} == {"band", "watch", "scale", "router", "lamp", "camera"}
    assert {d["latest_app"] for d in devices if d["app"]["en"] == "Lanmo Health"} == {"5.2.1"}
    assert {d["latest_app"] for d in devices if d["app"]["en"] == "Lanmo Home"} == {"3.8.0"}


@pytest.mark.parametrize("model", MODELS)
async def test_firmware(shop, model) -> None:
    history = (await shop.client.get(f"/devices/{model}/firmware")).json()
    devices = (await shop.client.get("/devices")).json()["devices"]
    assert history["model"] == model
    assert history["versions"][0]["version"] == next(d for d in devices if d["model"] == model)["latest_firmware"]
    for version in history["versions"]:
        assert set(version) == {"version", "released_on", "notes", "min_app_version", "rollback_allowed"}
        assert len(version["notes"]["zh"]) == len(version["notes"]["en"]) >= 1


async def test_unknown_model(shop) -> None:
    response = await shop.client.get("/devices/toaster/firmware")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


async def test_policies(shop) -> None:
    policies = (await shop.client.get("/policies")).json()
    assert set(policies) == {"delivery", "return", "exchange", "refund", "warranty", "invoice", "address"}
    assert {"free_over", "fee", "days_city", "days_remote", "couriers"} <= set(policies["delivery"])
    assert policies["return"]["days"] == 7
    assert policies["exchange"]["days"] == 15
    assert policies["refund"]["days_original"] > 0
    assert {"months", "months_battery", "conditions"} <= set(policies["warranty"])
    for chapter in ("return", "exchange", "warranty", "invoice", "address"):
        assert set(policies[chapter]["conditions"]) == {"zh", "en"}
