"""An emulator of Pub/Sub on the loopback, with one subscription."""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import wait

from tests.clusters.install import install_pubsub
from tests.clusters.processes import BUILD, HOST, kill, listens, port, start, wait_for

PROJECT, TOPIC, SUBSCRIPTION = "saiten-tests", "reviews", "scores"
SUBSCRIPTION_PATH = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
FOLDER = BUILD / "emulator"
_START_SECS, _SETTLE_SECS = 30.0, 5.0


def environment() -> dict[str, str]:
    """Returns what Google's library, in this process and in workers, goes by."""
    return {"PUBSUB_EMULATOR_HOST": f"{HOST}:{port('pubsub')}"}


def up() -> None:
    """Starts it, empty, and returns when it can be spoken to."""
    os.environ.update(environment())
    kill(FOLDER, "pubsub")
    (address,) = environment().values()
    start(FOLDER, "pubsub", [str(install_pubsub()), address, PROJECT, TOPIC, SUBSCRIPTION])
    wait_for(lambda: listens(address), "the emulator of Pub/Sub does not listen", _START_SECS)


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
    """Returns how many messages the subscription still gives, some seconds from now."""
    from google.api_core.exceptions import DeadlineExceeded
    from google.cloud.pubsub_v1 import SubscriberClient

    time.sleep(_SETTLE_SECS)
    with SubscriberClient() as client:
        try:
            answer = client.pull(subscription=SUBSCRIPTION_PATH, max_messages=1000, timeout=_SETTLE_SECS)
        except DeadlineExceeded:
            return 0
        return len(answer.received_messages)
