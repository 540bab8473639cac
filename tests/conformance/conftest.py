"""A contributor, a reader, and an empty collection for each test."""

from __future__ import annotations

from itertools import count

import pytest

from tests.live import LocalHub, TestMember

_numbers = count(1)


@pytest.fixture(scope="module")
def contributor(local_hub: LocalHub) -> TestMember:
    """A member that may read and write."""
    return local_hub.add_member("First Bank", groups=["banks"], roles=["contributor"])


@pytest.fixture(scope="module")
def reader(local_hub: LocalHub) -> TestMember:
    """A member that may only read."""
    return local_hub.add_member("Second Bank", groups=["banks"])


@pytest.fixture
def alias(local_hub: LocalHub) -> str:
    """The alias of a fresh, empty collection, which members read and contributors write."""
    name = f"test-{next(_numbers)}"
    local_hub.add_collection(name)
    return name


@pytest.fixture
def collection(alias: str) -> str:
    """The path of that collection, without a slash at its end."""
    return f"/taxii2/plain/collections/{alias}"
