"""Hosts wait for one another at the start, and a missing host is named."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pocket_bokeh.errors import UserError
from train.loop.host_meeting import wait_for_hosts


def test_hosts_wait_for_one_another(free_address: Callable[[], str]) -> None:
    hosts = [free_address(), "b:1", "c:1"]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda index: wait_for_hosts(hosts, index, seconds=20), (2, 1, 0)))


def test_a_missing_host_is_named(free_address: Callable[[], str]) -> None:
    hosts = [free_address(), "gpu-2:1234"]
    with pytest.raises(UserError, match=r"host 1 \(gpu-2:1234\) did not connect; .*--host-index 1"):
        wait_for_hosts(hosts, 0, seconds=0.5)
    with pytest.raises(UserError, match=rf"cannot reach the first host, {hosts[0]} .*refused"):
        wait_for_hosts(hosts, 1, seconds=0.5)


def test_hosts_with_other_lists_do_not_meet(free_address: Callable[[], str]) -> None:
    address = free_address()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(wait_for_hosts, [address, "b:1"], 0, 2)
        with pytest.raises(UserError, match="another list of hosts"):
            wait_for_hosts([address, "b:1", "c:1"], 1, seconds=1)
        with pytest.raises(UserError, match="host 1"):
            first.result()
