"""What one learns first about messaging: six small stories, told with pika."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import closing

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

Open = Callable[..., pika.BlockingConnection]
Name = Callable[..., str]


def open_queue(channel: BlockingChannel, exchange: str, *keys: str) -> str:
    """A queue of the listener's own, bound to an exchange under some keys."""
    queue = channel.queue_declare("", exclusive=True).method.queue
    for key in keys:
        channel.queue_bind(queue, exchange, key)
    return queue


def fetch(channel: BlockingChannel, queue: str, number: int) -> list[str]:
    """Wait for so many messages, and see that there are no more."""
    found = []
    for method, _, body in itertools.islice(channel.consume(queue), number):
        channel.basic_ack(method.delivery_tag)
        found.append(body.decode())
    channel.cancel()  # what has come beyond those goes back
    assert channel.basic_get(queue) == (None, None, None)
    return found


@pytest.fixture
def people(open_blocking: Open) -> Callable[[], BlockingChannel]:
    """Everyone in a story comes with a connection of their own."""
    return lambda: open_blocking().channel()


def test_hello(people: Callable[[], BlockingChannel], name: Name) -> None:
    """Ada drops a note into a letterbox and goes home. Later Ben opens the box."""
    letterbox = name("letterbox")

    with closing(people().connection) as connection:
        ada = connection.channel()
        ada.confirm_delivery()
        ada.queue_declare(letterbox)
        ada.basic_publish("", letterbox, b"Soup is on the stove. Ada")

    ben = people()
    ben.queue_declare(letterbox)  # whoever comes first puts it up
    assert fetch(ben, letterbox, 1) == ["Soup is on the stove. Ada"]


def test_work_queues(people: Callable[[], BlockingChannel], name: Name) -> None:
    """Two cooks share the orders of one kitchen, one pan each. When one walks out, the other gets what he had begun."""
    orders = name("orders")
    waiter = people()
    waiter.queue_declare(orders, durable=True)
    for dish in ("roast", "salad", "omelette", "toast"):
        waiter.basic_publish("", orders, dish.encode(), pika.BasicProperties(delivery_mode=2))

    slow, quick = people(), people()
    for cook in (slow, quick):
        cook.basic_qos(prefetch_count=1)

    _, _, begun = next(slow.consume(orders))
    assert begun == b"roast"

    served = []
    for method, _, dish in quick.consume(orders):
        served.append((dish.decode(), method.redelivered))
        quick.basic_ack(method.delivery_tag)
        if len(served) == 3:
            slow.connection.close()
        if len(served) == 4:
            break
    assert served == [("salad", False), ("omelette", False), ("toast", False), ("roast", True)]


def test_publish_and_subscribe(people: Callable[[], BlockingChannel], name: Name) -> None:
    """A ship's horn is heard by all on deck. Who comes up later hears the next signal, not the last one."""
    horn = name("horn")
    captain = people()
    captain.confirm_delivery()
    captain.exchange_declare(horn, "fanout")
    captain.basic_publish(horn, "", b"nobody listens")

    mate, cook = people(), people()
    on_deck = [(listener, open_queue(listener, horn, "")) for listener in (mate, cook)]
    captain.basic_publish(horn, "", b"casting off")

    passenger = people()
    on_deck.append((passenger, open_queue(passenger, horn, "")))
    captain.basic_publish(horn, "", b"land ahoy")

    heard = [fetch(listener, queue, number) for (listener, queue), number in zip(on_deck, (2, 2, 1), strict=True)]
    assert heard == [["casting off", "land ahoy"], ["casting off", "land ahoy"], ["land ahoy"]]


def test_routing(people: Callable[[], BlockingChannel], name: Name) -> None:
    """A laboratory sends each result to the wards that asked for its kind; the archive asked for all of them."""
    results = name("results")
    laboratory = people()
    laboratory.confirm_delivery()
    laboratory.exchange_declare(results, "direct")

    eyes, hearts, archive = people(), people(), people()
    at_eyes = open_queue(eyes, results, "vision")
    at_hearts = open_queue(hearts, results, "pulse", "pressure")
    at_archive = open_queue(archive, results, "vision", "pulse", "pressure")

    for kind, value in (("pulse", "62"), ("vision", "20/20"), ("pressure", "120/80"), ("hearing", "fine")):
        laboratory.basic_publish(results, kind, value.encode())

    assert fetch(eyes, at_eyes, 1) == ["20/20"]
    assert fetch(hearts, at_hearts, 2) == ["62", "120/80"]
    assert fetch(archive, at_archive, 3) == ["62", "20/20", "120/80"]


def test_topics(people: Callable[[], BlockingChannel], name: Name) -> None:
    """Weather reports are named region.kind.strength; everyone subscribes to the part they care for."""
    weather = name("weather")
    station = people()
    station.confirm_delivery()
    station.exchange_declare(weather, "topic")

    mountaineer, sailor, insurer, editor = (people() for _ in range(4))
    for_mountaineer = open_queue(mountaineer, weather, "alps.#")
    for_sailor = open_queue(sailor, weather, "*.wind.*", "coast.#")  # a storm on the coast comes once, not twice
    for_insurer = open_queue(insurer, weather, "*.*.heavy")
    for_editor = open_queue(editor, weather, "#")

    reports = ("alps.snow.heavy", "alps.wind.light", "coast.wind.heavy", "coast.fog", "plain.rain.light")
    for report in reports:
        station.basic_publish(weather, report, report.encode())

    assert fetch(mountaineer, for_mountaineer, 2) == ["alps.snow.heavy", "alps.wind.light"]
    assert fetch(sailor, for_sailor, 3) == ["alps.wind.light", "coast.wind.heavy", "coast.fog"]
    assert fetch(insurer, for_insurer, 2) == ["alps.snow.heavy", "coast.wind.heavy"]
    assert fetch(editor, for_editor, 5) == list(reports)


class Customer:
    """Asks a clerk by message, and waits for the answer that carries the question's number."""

    def __init__(self, channel: BlockingChannel, counter: str) -> None:
        self.channel = channel
        self.counter = counter
        self.mailbox = channel.queue_declare("", exclusive=True).method.queue
        self.asked = 0

    def ask(self, question: str) -> str:
        self.asked += 1
        number = str(self.asked)
        properties = pika.BasicProperties(reply_to=self.mailbox, correlation_id=number)
        self.channel.basic_publish("", self.counter, question.encode(), properties)
        for _, properties, answer in self.channel.consume(self.mailbox, auto_ack=True):
            if properties.correlation_id == number:
                return answer.decode()
        raise AssertionError("the mailbox is gone")


def test_rpc(people: Callable[[], BlockingChannel], name: Name) -> None:
    """Customers ask a clerk how words are spelt backwards. She works until her counter is taken away."""
    counter = name("counter")
    clerk = people()
    clerk.queue_declare(counter)

    def work() -> None:
        clerk.basic_qos(prefetch_count=1)
        for method, properties, question in clerk.consume(counter):
            answer = question.decode()[::-1].encode()
            clerk.basic_publish(
                "", properties.reply_to, answer, pika.BasicProperties(correlation_id=properties.correlation_id)
            )
            clerk.basic_ack(method.delivery_tag)

    at_work = threading.Thread(target=work)
    at_work.start()
    try:
        one, other = Customer(people(), counter), Customer(people(), counter)
        assert one.ask("stressed") == "desserts"
        assert other.ask("drawer") == "reward"
        assert [one.ask("ton"), other.ask("level")] == ["not", "level"]
    finally:
        people().queue_delete(counter)
        at_work.join()
