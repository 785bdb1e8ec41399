"""A folder mirrors the package of its name; `scenarios`, `clients` and `crash` run whole brokers."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "amqpd",
    deadline=None,  # how long an example takes says nothing about the code on a busy machine
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],  # nor do contracts share examples
)
settings.load_profile("amqpd")
