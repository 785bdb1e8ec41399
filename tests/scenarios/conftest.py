from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("admin", "steps", "operators", "web")

from admin import Admin, Premises  # noqa: E402
from operators import operator, place  # noqa: E402, F401 - fixtures
from web import Web, vhost, web  # noqa: E402, F401


@pytest.fixture(scope="session")
def admin(web: Web) -> Admin:  # noqa: F811
    """An operator of the broker under test; of another of ours than most scenarios use, if it is ours."""
    return Admin(web)


@pytest.fixture
def premises(admin: Admin) -> Iterator[Premises]:
    """A vhost of the test's own, and people in it, all gone after the test."""
    premises = Premises(admin)
    yield premises
    premises.close()
