"""`python -m examples.shop`: serve the API, list demo orders, sign a customer's token."""

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

import uvicorn
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from examples.shop import identity, logs
from examples.shop.app import create_app
from examples.shop.clock import utc_now
from examples.shop.models import Customer, Order
from examples.shop.seed import open_database
from examples.shop.settings import Settings, SettingsError, database_path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 2 when something must be set up first."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "demo-orders":
            return _demo_orders()
        if options.command == "customer-token":
            return _customer_token(options.customer)
        return _serve(options.host, options.port)
    except (SettingsError, OSError, DatabaseError) as error:
        reason = f"database {database_path()}: {error.orig}" if isinstance(error, DatabaseError) else str(error)
        print(f"shop: {reason}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.shop", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=os.environ.get("SHOP_PORT") or "8100")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve the API (what happens without a command)")
    commands.add_parser("demo-orders", help="print the orders with their proofs as JSON")
    token = commands.add_parser("customer-token", help="sign a five-minute token for a known customer")
    token.add_argument("customer", help="customer id, for example cus-1001")
    return parser


def _serve(host: str, port: int) -> int:
    app = create_app(Settings.from_environment())
    logs.configure()
    with _listen(host, port) as listener:
        print(f"shop: http://{host}:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            app, access_log=False, log_level="warning", log_config=None, timeout_graceful_shutdown=5
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = f"cannot listen on {host}:{port} ({error.strerror}): choose another port with SHOP_PORT."
        raise OSError(reason) from error


def _demo_orders() -> int:
    database = open_database(database_path(), utc_now())
    with database.reading() as session:
        orders = [
            {
                "number": order.number,
                "phone_last4": order.recipient_phone[-4:],
                "status": order.status,
                "customer": order.customer_id,
            }
            for order in session.scalars(select(Order).order_by(Order.customer_id, Order.placed_at.desc())).unique()
        ]
    print(json.dumps(orders, ensure_ascii=False, indent=2))
    return 0


def _customer_token(customer_id: str) -> int:
    secret = os.environ.get("IDENTITY_SECRET")
    if not secret:
        raise SettingsError("IDENTITY_SECRET is not set: use the secret that the desk and the shop share.")
    now = utc_now()
    with open_database(database_path(), now).reading() as session:
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise SettingsError(f"no customer {customer_id!r}; demo-orders lists the known ones.")
        print(identity.sign(customer.id, customer.name, secret, now))
    return 0


if __name__ == "__main__":
    sys.exit(main())
