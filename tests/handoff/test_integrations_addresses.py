"""Where callbacks may go."""

from __future__ import annotations

import ipaddress

import pytest

from handoff.integrations.addresses import CallbackRefused, CallbackUnresolved, allowed, resolve


@pytest.mark.parametrize(
    ("number", "public", "private"),
    [
        ("93.184.215.14", True, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.1.1", False, True),
        ("172.16.0.9", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("64:ff9b::7f00:1", False, True),
        ("2002:7f00:1::", False, True),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("100.64.0.1", False, False),
    ],
)
def test_allowed(number: str, public: bool, private: bool) -> None:
    address = ipaddress.ip_address(number)
    assert allowed(address, private=False) is public
    assert allowed(address, private=True) is private


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "ftp://93.184.215.14/",
        "http://93.184.215.14/",
        "https://127.0.0.1/",
        "https://localhost/x",
        "https://[::1]:8443/",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_refused(address: str) -> None:
    with pytest.raises(CallbackRefused):
        await resolve(address, private=False)


async def test_public_https_keeps_name_port_and_path() -> None:
    target = (await resolve("https://93.184.215.14:8443/hook?a=1", private=False))[0]
    assert str(target.url) == "https://93.184.215.14:8443/hook?a=1"
    assert target.host_header == "93.184.215.14:8443" and target.extensions == {"sni_hostname": "93.184.215.14"}


async def test_a_name_is_replaced_by_the_checked_number() -> None:
    targets = await resolve("http://localhost:9000/hook", private=True)
    assert {target.url.host for target in targets} <= {"127.0.0.1", "::1"}
    assert all(target.host_header == "localhost:9000" and target.host == "localhost" for target in targets)


async def test_unknown_host_is_told_apart() -> None:
    with pytest.raises(CallbackUnresolved):
        await resolve("https://no-such-host.invalid/", private=False)
