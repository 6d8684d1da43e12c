"""The hosts of a training wait for one another over TCP before JAX connects them.

JAX aborts the process when a host is missing, so its errors cannot be caught and reworded. Meeting
first gives one line that names the missing host.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

from pocket_bokeh.errors import UserError

SECONDS_TO_MEET = 300.0
"""How long the hosts of a training wait for one another at its start."""

_GO = b"go"


def wait_for_hosts(hosts: Sequence[str], index: int, seconds: float = SECONDS_TO_MEET) -> None:
    """Returns when every host has called this; JAX itself ends in a page of its innards.

    The first host listens at its address, on the port that JAX takes over right after.

    Args:
        hosts: addresses, name:port, the same on all.
        index: which of them this one is.
        seconds: the time limit.

    Raises:
        UserError: a host does not come in time, comes twice or has another list, or the first
            host's port is taken.
    """
    deadline = time.monotonic() + seconds
    if index == 0:
        _await_others(hosts, deadline)
    else:
        _report_to_first(hosts, index, deadline)


def _await_others(hosts: Sequence[str], deadline: float) -> None:
    missing = {_greeting(hosts, index): index for index in range(1, len(hosts))}
    with ExitStack() as stack:
        try:
            door = stack.enter_context(_listening(int(hosts[0].rpartition(":")[2])))
        except OSError as error:
            raise UserError(f"{hosts[0]}: {error.strerror}; name another port") from error
        present = []
        while missing:
            caller = _next_caller(door, deadline)
            if caller is None:
                index = min(missing.values())
                raise UserError(
                    f"host {index} ({hosts[index]}) did not come; start the same command there "
                    f"with --host-index {index}"
                )
            connection, greeting = caller
            if missing.pop(greeting, None):
                present.append(stack.enter_context(connection))
            else:
                connection.close()  # another list of hosts, or somebody who has lost the way
        for connection in present:
            connection.sendall(_GO)


def _next_caller(door: socket.socket, deadline: float) -> tuple[socket.socket, str] | None:
    """Who has knocked, and what was said; nobody when the time is over."""
    while (left := deadline - time.monotonic()) > 0:
        door.settimeout(left)
        try:
            connection, _ = door.accept()
        except TimeoutError:
            break
        connection.settimeout(5)
        try:
            return connection, connection.recv(4096).decode(errors="replace")
        except OSError:
            connection.close()  # says nothing
    return None


def _report_to_first(hosts: Sequence[str], index: int, deadline: float) -> None:
    name, _, port = hosts[0].rpartition(":")
    trouble: object = "no answer"
    while (left := deadline - time.monotonic()) > 0:
        try:
            with socket.create_connection((name.strip("[]"), int(port)), timeout=left) as first:
                first.sendall(_greeting(hosts, index).encode())
                if first.recv(len(_GO)) == _GO:
                    return
                trouble = f"it expects no host {index} of this list, or has it already"
        except OSError as error:
            trouble = error.strerror or error
        time.sleep(0.2)
    raise UserError(
        f"the first host, {hosts[0]}, cannot be reached from host {index} ({trouble}); start the "
        "same command there with --host-index 0, and look at the address"
    )


def _greeting(hosts: Sequence[str], index: int) -> str:
    return f"host {index} of {' '.join(hosts)}"


def _listening(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
