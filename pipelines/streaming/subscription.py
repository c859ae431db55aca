"""A subscription of Google Pub/Sub, read by a source of its own, which works on every engine that can stream.

Messages are acknowledged by the step that writes their window, once that is whole. Until then they are held, and what
is delivered again all the same is known by its id.
"""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from saiten.model.errors import missing_library
from saiten.pipelines.run.owner import refuse_fenced_off
from saiten.pipelines.streaming.messages import Message, blocks_of, gather
from saiten.pipelines.streaming.stream import Stream, UnscoredBlock

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient

# So many read side by side, wherever there are workers.
_READERS = 4
_PULLS = 2**62
_IDLE_SECS = 1.0
_ASK_AGAIN_SECS, _ANSWER_SECS = 0.1, 60.0
# A subscription that nobody has pulled for long takes longer to give what has gathered.
_FIRST_IDLE_SECS = 5.0
# How often a reader looks whether its job still counts.
_LOOK_SECS = 2.0
# Messages do not come in the order in which they were published: so far behind them is the watermark.
_LAG_SECS = 5.0
# The longest that Pub/Sub holds a delivery.
_HELD_SECS = 600
_ACKS_A_REQUEST = 1000


@dataclass
class ReadSubscription(beam.PTransform):
    """Gives the records of a subscription's messages, under the times at which these were published."""

    stream: Stream

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection:
        pull = beam.ParDo(_PullDoFn(self.stream)).with_output_types(UnscoredBlock)
        return pbegin | "Once" >> beam.Create([self.stream.subscription]) | "Pull" >> pull


class _PullsProvider(RestrictionProvider):
    """The pulls of one reader are numbered; there is no end to them."""

    def initial_restriction(self, element: str) -> OffsetRange:
        return OffsetRange(0, _PULLS)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def split(self, element: str, restriction: OffsetRange) -> Iterator[OffsetRange]:
        yield from restriction.split(_PULLS // _READERS)

    def restriction_size(self, element: str, restriction: OffsetRange) -> float:
        return 1.0

    def truncate(self, element: str, restriction: OffsetRange) -> None:
        return None


_TRACKER = beam.DoFn.RestrictionParam(_PullsProvider())
_WATERMARK = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider())


class _PullDoFn(beam.DoFn):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._looked = -math.inf

    def setup(self) -> None:
        self._client = make_client()

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        subscription: str,
        tracker: Any = _TRACKER,
        watermark: Any = _WATERMARK,
    ) -> Iterator[TimestampedValue]:
        stream = self._stream
        if not tracker.try_claim(tracker.current_restriction().start):
            return
        # That none came tells of the time before it was asked: the answer may have been held up, or this machine.
        asked, reached = time.time(), watermark.current_watermark()
        idle_secs = _FIRST_IDLE_SECS if reached is None else _IDLE_SECS
        with stream.run.reports.reported():
            self._refuse_fenced_off()
            messages = gather(self._pull, idle_secs, stream.max_wait_ms / 1e3, time.monotonic)
        oldest = min((message.published_secs for message in messages), default=asked)
        now = Timestamp(oldest - _LAG_SECS)
        if reached is None or now > reached:
            watermark.set_watermark(now)
        for secs, block in blocks_of(messages, subscription, stream.reading, stream.window_of):
            yield TimestampedValue(block, secs)
        tracker.defer_remainder(Duration(0))

    def _refuse_fenced_off(self) -> None:
        """Stops a job that goes on although it is fenced off: what it takes would come late to the one that counts."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECS:
            self._looked = now
            refuse_fenced_off(self._stream.run)

    def _pull(self, count: int, wait_secs: float) -> list[Message]:
        """Returns what there is as soon as there is something, nothing after so many seconds.

        It is asked again and again, and each answer is waited for. A request that the client gives up may be answered
        all the same: what it holds would be delivered again minutes later, and nobody would know that there is any.
        """
        name, until = self._stream.subscription, time.monotonic() + wait_secs
        while True:
            received = self._ask(count)
            left = until - time.monotonic()
            if received:
                ack_ids = [each.ack_id for each in received]
                self._client.modify_ack_deadline(subscription=name, ack_ids=ack_ids, ack_deadline_seconds=_HELD_SECS)
                return [_message_of(each) for each in received]
            if left <= 0:
                return []
            time.sleep(min(left, _ASK_AGAIN_SECS))

    def _ask(self, count: int) -> Sequence[Any]:
        from google.api_core.exceptions import DeadlineExceeded

        request = {"subscription": self._stream.subscription, "max_messages": count, "return_immediately": True}
        while True:
            # Without an answer nobody knows whether there are messages, and time stands still for the windows.
            with suppress(DeadlineExceeded):
                return list(self._client.pull(request, timeout=_ANSWER_SECS).received_messages)


def make_client() -> "SubscriberClient":
    """Returns what speaks with Pub/Sub, or with the emulator at `PUBSUB_EMULATOR_HOST`.

    Raises:
        UsageError: Its library is not installed.
    """
    try:
        from google.cloud.pubsub_v1 import SubscriberClient
    except ImportError as error:
        raise missing_library("google-cloud-pubsub", "gcp") from error
    # Google advises against asking without a wait, as it costs requests; but a wait that is given up loses answers.
    warnings.filterwarnings("ignore", "The return_immediately flag is deprecated", DeprecationWarning)
    return SubscriberClient()


def acknowledge(client: "SubscriberClient", subscription: str, ack_ids: Sequence[str]) -> None:
    """Tells the subscription that messages need not be delivered again."""
    for i in range(0, len(ack_ids), _ACKS_A_REQUEST):
        client.acknowledge(subscription=subscription, ack_ids=ack_ids[i : i + _ACKS_A_REQUEST])


def _message_of(received: Any) -> Message:
    message = received.message
    return Message(
        message.data,
        dict(message.attributes),
        message.message_id,
        message.publish_time.timestamp(),
        received.ack_id,
    )
