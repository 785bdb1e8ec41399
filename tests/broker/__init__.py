import pytest

pytest.register_assert_rewrite("tests.broker.exchange_contract")
