"""Hosts wait for one another over TCP before JAX connects them.

When a host is missing, JAX aborts the process instead of raising an error, so there is nothing to
catch. Checking first gives one line that names the missing host.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

from pocket_bokeh.errors import UserError

SECONDS_TO_MEET = 300.0
"""How long the hosts wait for one another at the start of a training."""

_GO = b"go"


def wait_for_hosts(hosts: Sequence[str], index: int, seconds: float = SECONDS_TO_MEET) -> None:
    """Returns when every host has called this function.

    The first host listens on its port, which JAX takes over right afterwards.

    Args:
        hosts: addresses as name:port, the same list on all hosts.
        index: the position of this host in the list.
        seconds: the time limit.

    Raises:
        UserError: a host does not connect in time, connects twice or has another list, or the
            first host's port is taken.
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
            listener = stack.enter_context(_listen(int(hosts[0].rpartition(":")[2])))
        except OSError as error:
            raise UserError(f"{hosts[0]}: {error.strerror}; choose another port") from error
        connected = []
        while missing:
            accepted = _accept(listener, deadline)
            if accepted is None:
                index = min(missing.values())
                raise UserError(
                    f"host {index} ({hosts[index]}) did not connect; start the same command there "
                    f"with --host-index {index}"
                )
            connection, greeting = accepted
            if missing.pop(greeting, None):
                connected.append(stack.enter_context(connection))
            else:
                connection.close()  # a host with another list, or an unrelated program
        for connection in connected:
            connection.sendall(_GO)


def _accept(listener: socket.socket, deadline: float) -> tuple[socket.socket, str] | None:
    """The next connection and its greeting; None when the time is over."""
    while (left := deadline - time.monotonic()) > 0:
        listener.settimeout(left)
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            break
        connection.settimeout(5)
        try:
            return connection, connection.recv(4096).decode(errors="replace")
        except OSError:
            connection.close()  # sent no greeting
    return None


def _report_to_first(hosts: Sequence[str], index: int, deadline: float) -> None:
    name, _, port = hosts[0].rpartition(":")
    problem: object = "no answer"
    while (left := deadline - time.monotonic()) > 0:
        try:
            with socket.create_connection((name.strip("[]"), int(port)), timeout=left) as first:
                first.sendall(_greeting(hosts, index).encode())
                if first.recv(len(_GO)) == _GO:
                    return
                problem = f"it has another list of hosts, or host {index} is already connected"
        except OSError as error:
            problem = error.strerror or error
        time.sleep(0.2)
    raise UserError(
        f"host {index} cannot reach the first host, {hosts[0]} ({problem}); check the address, and "
        "start the same command there with --host-index 0"
    )


def _greeting(hosts: Sequence[str], index: int) -> str:
    return f"host {index} of {' '.join(hosts)}"


def _listen(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
