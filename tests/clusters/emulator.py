"""An emulator of Pub/Sub on the loopback, with one subscription."""

import functools
import os
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import wait

from tests.clusters.install import install_pubsub
from tests.clusters.processes import BUILD, HOST, kill, listens, port, start, wait_for

PROJECT, TOPIC, SUBSCRIPTION = "saiten-tests", "reviews", "scores"
SUBSCRIPTION_PATH = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
FOLDER = BUILD / "emulator"
_START_SECS = 60.0


def environment() -> dict[str, str]:
    """Returns what Google's library, in this process and in workers, goes by."""
    return {"PUBSUB_EMULATOR_HOST": f"{HOST}:{port('pubsub')}"}


def up() -> None:
    """Starts it, empty, and returns when it can be spoken to."""
    os.environ.update(environment())
    kill(FOLDER, "pubsub")
    (address,) = environment().values()
    start(FOLDER, "pubsub", [str(install_pubsub()), address, PROJECT, TOPIC, SUBSCRIPTION, _left_address()])
    for each in (address, _left_address()):
        wait_for(functools.partial(listens, each), "the emulator of Pub/Sub does not listen", _START_SECS)


def down() -> None:
    """Ends it."""
    kill(FOLDER, "pubsub")


def publish(messages: Sequence[tuple[bytes, Mapping[str, str]]]) -> None:
    """Publishes messages, with their attributes."""
    from google.cloud.pubsub_v1 import PublisherClient

    client = PublisherClient()
    topic = client.topic_path(PROJECT, TOPIC)
    wait([client.publish(topic, data, **attributes) for data, attributes in messages])
    client.stop()


def count_left() -> int:
    """Returns how many of all messages nobody has acknowledged."""
    with urllib.request.urlopen(f"http://{_left_address()}/", timeout=10) as answer:
        return int(answer.read())


def _left_address() -> str:
    return f"{HOST}:{port('pubsub-left')}"
