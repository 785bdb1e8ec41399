from __future__ import annotations

from collections.abc import Iterator

import pytest
from admin import Admin, Premises, administering

pytest.register_assert_rewrite("steps")


@pytest.fixture(scope="session")
def admin(request: pytest.FixtureRequest) -> Iterator[Admin]:
    """An operator of the broker under test; of another of ours than the other scenarios use, if it is ours."""
    with administering(request.config.getoption("--broker")) as admin:
        yield admin


@pytest.fixture
def premises(admin: Admin) -> Iterator[Premises]:
    """A vhost of the test's own, and people in it, all gone after the test."""
    premises = Premises(admin)
    yield premises
    premises.close()


pytest.register_assert_rewrite("steps", "operators", "web")

from operators import operator, place  # noqa: E402, F401 - fixtures, from here on
from web import vhost, web  # noqa: E402, F401
