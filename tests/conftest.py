"""How the tests are shared out between processes."""

import pytest


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay together, and so do all that need the bundle, which takes a minute."""
    for item in items:
        fixtures: list[str] = getattr(item, "fixturenames", [])
        group = "bundle" if "tiny_bundle" in fixtures else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
