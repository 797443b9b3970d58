"""Where a callback may go: never into our own network by accident, whatever a name resolves to at that moment."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

from handoff.locales import text

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class CallbackRefused(Exception):
    """The callback's address is not one that we may send to; the text says why, in both languages."""

    def __init__(self, key: str, **values: object) -> None:
        sentences = [
            text("integrations.callback_refused", language, reason=text(f"integrations.{key}", language, **values))
            for language in ("zh", "en")
        ]
        super().__init__(" / ".join(sentences))


class CallbackUnresolved(CallbackRefused):
    """The callback's host cannot be found right now."""


@dataclass(frozen=True)
class Target:
    """One checked address of the callback: the connection goes to the number, name and certificate stay the host's."""

    url: httpx.URL
    host: str
    host_header: str

    @property
    def extensions(self) -> dict[str, str]:
        """Tell TLS the name to ask for and to verify."""
        return {"sni_hostname": self.host}


async def resolve(address: str, *, private: bool) -> list[Target]:
    """Return the checked addresses behind the callback; `private` allows this machine and private networks.

    Raises CallbackRefused when the address or any number behind it is not allowed.
    """
    url = _parse(address)
    numbers = await _look_up(url)
    for number in numbers:
        if not allowed(number, private=private):
            raise CallbackRefused("callback_not_public", address=number)
    if url.scheme == "http" and any(_innermost(number).is_global for number in numbers):
        raise CallbackRefused("callback_not_encrypted")
    header = url.netloc.decode("ascii")
    return [Target(url.copy_with(host=str(number)), _ascii_host(url), header) for number in numbers]


def _parse(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        raise CallbackRefused("callback_not_an_address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise CallbackRefused("callback_not_an_address")
    return url


def _ascii_host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").strip("[]")


async def _look_up(url: httpx.URL) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(_ascii_host(url), url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CallbackUnresolved("callback_unresolved", host=url.host) from None
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


def allowed(number: Address, *, private: bool) -> bool:
    """Tell whether a callback may go to this number; link-local and the like are never allowed."""
    number = _innermost(number)
    if number.is_multicast or number.is_unspecified or number.is_link_local:
        return False
    return number.is_global or (private and (number.is_private or number.is_loopback))


def _innermost(number: Address) -> Address:
    """Return the IPv4 number that an IPv6 one stands for, if it does."""
    if isinstance(number, ipaddress.IPv4Address):
        return number
    if number in NAT64:
        return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    return number.ipv4_mapped or number.sixtofour or number
