"""Celery's workers as processes of their own, and settings that keep their names apart from everybody else's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu import Exchange, pools

from .process import PythonProgram
from .programs.celery_app import application

Settings = dict[str, Any]


def settings_for(url: str, name: Callable[..., str], **more: Any) -> Settings:
    """Celery's settings, with names of our own for all that gets a name in the broker."""
    events = name("events")
    return {
        "broker_url": url,
        "broker_connection_retry_on_startup": False,
        "result_backend": "rpc://",
        "task_default_queue": name("celery"),
        "control_exchange": name("control"),
        "event_exchange": events,
        "event_queue_prefix": events,
        "worker_prefetch_multiplier": 1,
        **more,
    }


@contextmanager
def celery_worker(settings: Settings, node: str, *options: str) -> Iterator[PythonProgram]:
    """A worker that is ready. It is killed at the end, as an orderly end takes a pool two seconds."""
    arguments = ("celery", "-A", "tests.clients.programs.celery_app", "worker", "-l", "info", "-n", node, *options)
    with PythonProgram(*arguments, environment={"CELERY_SETTINGS": json.dumps(settings)}) as program:
        program.wait_for(f"{node} ready.")
        yield program


@contextmanager
def celery_client(settings: Settings) -> Iterator[Celery]:
    """The application as those have it who send its tasks. Nothing is left of it in the broker."""
    app = application(settings)
    yield app
    if settings["result_backend"] == "rpc://" and app.backend.result_consumer._consumer:
        app.backend.result_consumer.stop()
    with app.connection_for_write() as connection:
        for exchange in ("{}.pidbox", "reply.{}.pidbox"):
            Exchange(exchange.format(settings["control_exchange"]), channel=connection.default_channel).delete()
        for results in (app.oid, app.thread_oid):
            connection.default_channel.queue_delete(results)
    pools.reset()  # closes what the producers were connected by
    app.close()
