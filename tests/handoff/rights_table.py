"""The contract's table of rights, written out: route and situation -> the status that each caller gets.

A situation is a state of the conversation: with the `bot`, of `concern` (待干预), `waiting`, `owned`, `closed`. Its
group is `tech`; `owner` and `colleague` serve `tech`, `stranger` another group. In other situations than `owned` and
`closed`, `owner` is one more agent of the group.
"""

from __future__ import annotations

from datetime import timedelta

from handoff.clock import iso, now

CALLERS = (
    "customer",
    "other_customer",
    "owner",
    "colleague",
    "stranger",
    "designer",
    "supervisor",
    "admin",
    "nobody",
)
Statuses = tuple[int, ...]


def _row(
    customer: int, other_customer: int, owner: int, colleague: int, stranger: int, designer: int, overseers: int
) -> Statuses:
    return (customer, other_customer, owner, colleague, stranger, designer, overseers, overseers, 401)


def _anybody(status: int) -> Statuses:
    return (status,) * len(CALLERS)


def _customer_only(status: int) -> Statuses:
    return _row(status, 403, 403, 403, 403, 403, 403)


def _at_work(status: int, designer: int = 403) -> Statuses:
    return _row(403, 403, status, status, status, designer, status)


def _owner_acts(status: int) -> Statuses:
    return _row(403, 403, status, 409, 403, 403, status)


def _readers(status: int, customer: int = 403) -> dict[str, Statuses]:
    near = _row(customer, 403, status, status, 403, 403, status)
    return {
        "owned": _row(customer, 403, status, 403, 403, 403, status),
        "closed": _row(customer, 403, status, 403, 403, 403, status),
        "waiting": near,
        "concern": near,
        "bot": _row(customer, 403, 403, 403, 403, 403, status),
    }


ROUTES: dict[str, dict[str, Statuses]] = {
    "POST /v1/conversations": {"bot": _anybody(201)},
    "GET /v1/conversations": {"owned": _at_work(200)},
    "GET /v1/conversations/{id}": _readers(200),
    "POST /v1/conversations/{id}/messages": {
        "owned": _row(201, 403, 201, 409, 403, 403, 409),
        "waiting": _row(201, 403, 409, 409, 403, 403, 409),
        "bot": _row(201, 403, 409, 409, 403, 403, 409),
        "closed": _row(201, 403, 409, 409, 403, 403, 409),
    },
    "GET /v1/conversations/{id}/messages": _readers(200, customer=200),
    "POST /v1/conversations/{id}/handoff": {
        "bot": _customer_only(202),
        "waiting": _customer_only(200),
        "owned": _customer_only(409),
        "closed": _customer_only(202),
    },
    "DELETE /v1/conversations/{id}/handoff": {"waiting": _customer_only(200), "owned": _customer_only(409)},
    "POST /v1/conversations/{id}/rating": {"closed": _customer_only(201), "owned": _customer_only(409)},
    "DELETE /v1/conversations/{id}/token": {"owned": _row(200, 403, 403, 403, 403, 403, 200)},
    "POST /v1/conversations/{id}/language": {"owned": _customer_only(200)},
    "POST /v1/conversations/{id}/read": _readers(200, customer=200),
    "POST /v1/conversations/{id}/typing": _readers(202, customer=202),
    "GET /v1/conversations/{id}/events": _readers(200),
    "GET /v1/conversations/{id}/summary": _readers(200),
    "GET /v1/conversations/{id}/summary/polished": _readers(200),
    "GET /v1/conversations/{id}/summary/closing": _readers(200),
    "POST /v1/conversations/{id}/summary/wrong": _readers(404),
    "GET /v1/summary/corrections": {"bot": _row(403, 403, 403, 403, 403, 200, 200)},
    "GET /v1/conversations/{id}/notes": _readers(200),
    "POST /v1/conversations/{id}/notes": _readers(201),
    "POST /v1/conversations/{id}/take-over": {
        "owned": _row(403, 403, 200, 403, 403, 403, 200),
        "waiting": _row(403, 403, 200, 200, 403, 403, 200),
        "concern": _row(403, 403, 200, 200, 403, 403, 200),
        "bot": _row(403, 403, 200, 200, 403, 403, 200),
        "closed": _row(403, 403, 403, 403, 403, 403, 409),
    },
    "POST /v1/conversations/{id}/release": {
        "owned": _owner_acts(200),
        "waiting": _row(403, 403, 409, 409, 403, 403, 409),
    },
    "POST /v1/conversations/{id}/resolve": {
        "owned": _owner_acts(200),
        "waiting": _row(403, 403, 409, 409, 403, 403, 200),
    },
    "POST /v1/conversations/{id}/transfer": {
        "owned": _owner_acts(200),
        "waiting": _row(403, 403, 409, 409, 403, 403, 200),
    },
    "GET /v1/conversations/{id}/promises": _readers(200),
    "POST /v1/conversations/{id}/promises": {"owned": _row(403, 403, 201, 409, 403, 403, 409)},
    "POST /v1/conversations/{id}/promises/{promise_id}/kept": {"owned": _owner_acts(200)},
    "GET /v1/queue": {"waiting": _at_work(200)},
    "POST /v1/handoffs/{id}/claim": {
        "waiting": _row(403, 403, 200, 200, 403, 403, 200),
        "owned": _row(403, 403, 409, 409, 403, 403, 409),
    },
    "POST /v1/agents/login": {"bot": _anybody(200)},
    "POST /v1/agents/logout": {"bot": _at_work(200, designer=200)},
    "GET /v1/agents": {"bot": _at_work(200, designer=200)},
    "GET /v1/agents/me": {"bot": _at_work(200, designer=200)},
    "GET /v1/groups": {"bot": _at_work(200, designer=200)},
    "PUT /v1/groups/{name}": {"bot": _row(403, 403, 403, 403, 403, 403, 200)},
    "PUT /v1/agents/me/presence": {"bot": _at_work(200, designer=200)},
    "GET /v1/attachments/{attachment_id}/{name}": {"owned": _anybody(200)},
}

BODIES: dict[str, dict[str, object]] = {
    "POST /v1/conversations": {},
    "POST /v1/conversations/{id}/messages": {"client_id": "rights", "text": "在吗"},
    "POST /v1/conversations/{id}/rating": {"score": 4},
    "POST /v1/conversations/{id}/language": {"language": "en"},
    "POST /v1/conversations/{id}/read": {"seq": 1},
    "POST /v1/conversations/{id}/notes": {"text": "客户着急"},
    "POST /v1/conversations/{id}/summary/wrong": {"part": "hopes", "seq": 1, "said": "没有这句话"},
    "POST /v1/conversations/{id}/resolve": {"outcome": "solved"},
    "POST /v1/conversations/{id}/transfer": {"group": "orders", "note": "订单问题"},
    "POST /v1/conversations/{id}/promises": {"text": "后天回电", "due_at": iso(now() + timedelta(days=2))},
    "PUT /v1/agents/me/presence": {"status": "online"},
    "PUT /v1/groups/{name}": {"title_zh": "夜班", "title_en": "Night shift"},
}

# Event of a name space -> what each caller gets: "ok", an error code, or "refused" without a connection.
REFUSED = "refused"
SOCKET_EVENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "/jieli": {
        "connect": ("ok", *("forbidden",) * 7, "unauthenticated"),
        "send": ("ok", *(REFUSED,) * 8),
        "typing": ("ok", *(REFUSED,) * 8),
        "disconnect": ("ok", *(REFUSED,) * 8),
    },
    "/agents": {
        "connect": ("forbidden", "forbidden", "ok", "ok", "ok", "forbidden", "ok", "ok", "unauthenticated"),
        "send": (REFUSED, REFUSED, "ok", "not_owner", "forbidden", REFUSED, "not_owner", "not_owner", REFUSED),
        "typing": (REFUSED, REFUSED, "ok", "unheard", "unheard", REFUSED, "unheard", "unheard", REFUSED),
        "disconnect": (REFUSED, REFUSED, "ok", "ok", "ok", REFUSED, "ok", "ok", REFUSED),
    },
}

# Who hears on `/agents` what happens in a conversation of that situation.
HEARS: dict[str, frozenset[str]] = {
    "owned": frozenset({"owner", "supervisor", "admin"}),
    "waiting": frozenset({"owner", "colleague", "supervisor", "admin"}),
    "concern": frozenset({"owner", "colleague", "supervisor", "admin"}),
    "bot": frozenset({"supervisor", "admin"}),
}
