from __future__ import annotations

import pytest

pytest.register_assert_rewrite("steps", "operators")

from operators import operator, place  # noqa: E402, F401 - fixtures, from here on
