"""The whole way through the desk, with a scripted bot."""

from __future__ import annotations

from tests.handoff.conftest import RunningDesk


async def test_bot_person_bot_closed_rated(running: RunningDesk) -> None:
    customer = await running.customer(context={"os": "iOS", "os_version": "17.4"})
    sent = await customer.send("你好")
    assert sent.status_code == 201 and sent.json()["seq"] == 1
    page = await customer.until(2)
    assert [(m["seq"], m["sender"], m["text"]) for m in page["messages"]] == [
        (1, "customer", "你好"),
        (2, "bot", "echo 你好"),
    ]
    assert (await customer.ask_for_person()).status_code == 202
    page = await customer.read()
    assert page["owner"] == "queue" and page["queue"]["position"] == 1
    assert (await customer.ask_for_person()).status_code == 200

    person = await running.person("lin")
    claimed = await person.claim(customer.id)
    assert claimed.status_code == 200 and claimed.json()["owner"] == person.owner
    assert (await person.reply(customer.id, "您好,我是小林")).status_code == 201
    assert (await customer.read())["messages"][-1]["text"] == "您好,我是小林"
    summary = await person.get(f"/conversations/{customer.id}/summary", language="zh")
    assert summary.status_code == 200 and summary.json()["headline"]

    assert (await person.post(f"/conversations/{customer.id}/release")).status_code == 200
    await customer.send("再问一个")
    page = await customer.until(owner="bot", count=8)
    assert page["messages"][-1]["text"] == "echo 再问一个" and running.bot.resets

    assert (await person.post(f"/conversations/{customer.id}/take-over")).status_code == 200
    closed = await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
    assert closed.status_code == 200 and closed.json()["owner"] == "closed"
    rated = await running.http.post(f"{customer.path}/rating", json={"score": 5}, headers=customer.headers)
    assert rated.status_code == 201
    again = await running.http.post(f"{customer.path}/rating", json={"score": 5}, headers=customer.headers)
    assert again.status_code == 409
    events = (await person.get(f"/conversations/{customer.id}/events")).json()
    assert [event["to"] for event in events["items"]] == ["queue", person.owner, "bot", person.owner, "closed"]
