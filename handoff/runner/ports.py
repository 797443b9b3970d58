"""Which ports are free, and who holds those that are not."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from handoff.runner.environment import LOOPBACK, PORT_NAMES, Environment
from handoff.runner.errors import RunnerError
from handoff.runner.messages import say

_LISTENING = "0A"  # the state's code in /proc/net/tcp


def check(environment: Environment, processes: list[str]) -> None:
    """Raise RunnerError when a port that one of `processes` needs is taken, double or unusable."""
    seen: dict[int, str] = {}
    for process in processes:
        name, port = PORT_NAMES[process], environment.port(process)
        if port in seen:
            raise RunnerError("setting_same_port", first=seen[port], second=name, port=port)
        seen[port] = name
    for process in processes:
        _check_free(environment, process)


def _check_free(environment: Environment, process: str) -> None:
    port = environment.port(process)
    host = environment.host if process == "desk" else LOOPBACK
    try:
        _listen_once(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RunnerError("port_in_use", process=process, port=port, holder=describe_holder(port),
                              variable=PORT_NAMES[process], free=free_port_after(port)) from None
        raise RunnerError("host_unusable", host=host, reason=error.strerror or error) from None


def _listen_once(host: str, port: int) -> None:
    """Listen for a moment, as the process will; sockets that merely linger after a stop do not count."""
    family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM,
                                                            flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(address)
        trial.listen(1)


def free_port_after(port: int) -> int:
    """Return the next higher port that is free on loopback (the same one when there is none)."""
    for candidate in range(port + 1, min(port + 200, 65535)):
        try:
            _listen_once(LOOPBACK, candidate)
        except OSError:
            continue
        return candidate
    return port


def describe_holder(port: int) -> str:
    """Say which process listens on `port`, as far as the system tells this user."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*") if sockets else ():
        try:
            if any(str(entry.readlink()) in sockets for entry in (folder / "fd").iterdir()):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                return say("holder", pid=folder.name, command=words[:60])
        except OSError:  # another user's process, or it just ended
            continue
    return say("holder_unknown")


def _listening_inodes(port: int) -> set[str]:
    """Return the kernel's numbers of the sockets that listen on `port` (Linux; nothing elsewhere)."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for row in table.read_text("ascii").splitlines()[1:]:
            columns = row.split()
            if columns[3] == _LISTENING and int(columns[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(columns[9])
    return inodes
