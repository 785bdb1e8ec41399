from __future__ import annotations

import pytest

from tests.definitions.steps import Premises


@pytest.fixture
def premises() -> Premises:
    return Premises()
