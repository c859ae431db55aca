"""Messages to blocks: what is scored together, under which time, and what is no record."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from apache_beam.io.restriction_trackers import OffsetRange
from apache_beam.utils.timestamp import Timestamp

from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.rows import BLOCK_RECORDS
from saiten.pipelines.run.notes.failures import FencedOffError
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.streaming import messages as module
from saiten.pipelines.streaming import subscription
from saiten.pipelines.streaming.messages import Message, blocks_of, gather, position_of
from saiten.pipelines.streaming.stream import Stream
from saiten.pipelines.streaming.subscription import _PullDoFn


def message(number: int, data: Any = None, *, secs: float = 0.0, **attributes: str) -> Message:
    content = data if isinstance(data, bytes) else json.dumps(data or {"text": "良い。"}).encode()
    return Message(content, attributes, str(number), secs, f"ack-{number}")


@pytest.mark.parametrize(
    ("message_id", "expected"),
    [("9175193045817912", 9175193045817912), ("0", 0), (str(2**63 - 1), 2**63 - 1)],
)
def test_a_messages_number_is_its_id(message_id: str, expected: int) -> None:
    assert position_of(message_id) == expected


@pytest.mark.parametrize("message_id", ["m17", str(2**63), "-1", "１", ""])
def test_an_id_that_is_no_number_gives_one_that_a_column_holds_always_the_same(message_id: str) -> None:
    assert 0 <= position_of(message_id) < 2**63
    assert position_of(message_id) == position_of(message_id) != position_of(f"{message_id}x")


def test_the_first_of_all_is_waited_for_and_it_waits_for_others_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A clock that stands still but for the waiting."""
    now, asked = [100.0], list[tuple[int, float]]()
    answers = [[message(1)], [], [message(2), message(3)], []]

    def pull(count: int, secs: float) -> list[Message]:
        asked.append((count, round(secs, 3)))
        now[0] += 0.15 if len(asked) > 1 else 0.9
        return answers[len(asked) - 1]

    monkeypatch.setattr(module, "BLOCK_RECORDS", 10)
    found = gather(pull, 1.0, 0.4, lambda: now[0])
    assert [each.message_id for each in found] == ["1", "2", "3"]
    assert asked == [(10, 1.0), (9, 0.4), (9, 0.25), (7, 0.1)]
    assert gather(lambda _count, _secs: [], 1.0, 0.4, lambda: now[0]) == []


class Watermark:
    """What an engine is told of a reader's time."""

    def __init__(self) -> None:
        self.reached: Timestamp | None = None

    def current_watermark(self) -> Timestamp | None:
        return self.reached

    def set_watermark(self, reached: Timestamp) -> None:
        self.reached = reached


class Tracker:
    """The pulls of one reader."""

    def current_restriction(self) -> OffsetRange:
        return OffsetRange(0, 1)

    def try_claim(self, _position: int) -> bool:
        return True

    def defer_remainder(self, _delay: object) -> None:
        pass


def test_an_answer_that_was_held_up_says_nothing_of_the_time_since_it_was_asked_for(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what was published meanwhile would be late, all of it."""
    now, waits = [1000.0], list[float]()
    answers = [[], [], [Message(b'{"text": "a"}', {}, "1", 1002.0, "ack")], []]

    def pull(_reader: object, _count: int, wait_secs: float) -> list[Message]:
        waits.append(wait_secs)
        now[0] += 120
        return answers.pop(0)

    monkeypatch.setattr(subscription._PullDoFn, "_pull", pull)
    monkeypatch.setattr(subscription.time, "time", lambda: now[0])
    reader, watermark = (
        _PullDoFn(replace(stream, subscription="projects/p/subscriptions/s", max_wait_ms=0)),
        Watermark(),
    )
    reached = []
    for _ in range(4):
        list(reader.process("projects/p/subscriptions/s", Tracker(), watermark))
        reached.append(float(watermark.reached))  # type: ignore[arg-type]
    assert reached == [995.0, 1115.0, 1115.0, 1355.0]
    assert waits == [5.0, 1.0, 1.0, 1.0]


def test_so_many_as_make_a_block_wait_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_RECORDS", 2)
    assert len(gather(lambda count, _secs: [message(i) for i in range(count)], 1.0, 60.0, lambda: 0.0)) == 2


def test_no_block_has_records_of_two_windows_and_each_has_its_earliest_time() -> None:
    given = [message(1, secs=61), message(2, secs=5), message(3, secs=3), message(4, secs=120)]
    found = list(blocks_of(given, "s", ReadOptions(), lambda secs: secs // 60 * 60))
    assert [(secs, block.records.positions, block.ack_ids) for secs, block in found] == [
        (3, [3, 2], ("ack-3", "ack-2")),
        (61, [1], ("ack-1",)),
        (120, [4], ("ack-4",)),
    ]
    for _, block in found:
        block.records.check_counts()


def test_attributes_are_kept_fields_where_the_record_has_none_and_what_is_no_record_is_a_dead_letter() -> None:
    options = ReadOptions(
        id_field="id",
        kept_fields=(KeptField("shop", pa.string()), KeptField("stars", pa.int64())),
        max_record_bytes=100,
    )
    given = [
        message(1, {"text": "良い。", "id": "a", "stars": 3}, shop="東京", stars="5"),
        message(2, {"text": "良い。", "shop": "大阪"}, shop="東京"),
        message(3, b"{"),
        message(4, {"text": "良い。"}, stars="many"),
        message(5, {"text": "あ" * 100}),
        message(6, {"text": None}),
    ]
    ((_, block),) = blocks_of(given, "s", options, lambda _secs: 0.0)
    records = block.records
    assert (records.ids, records.positions) == (["a", "s:2"], [1, 2])
    assert [column.to_pylist() for column in records.kept_fields] == [["東京", "大阪"], [3, None]]
    assert [(letter.position, letter.code) for letter in records.dead_letters] == [
        (3, "BAD_JSON"),
        (4, "BAD_FIELD"),
        (5, "TOO_LARGE"),
        (6, "TEXT_MISSING"),
    ]


def test_a_request_without_an_answer_tells_nothing_and_loses_nothing(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that gives a request up, as on a busy machine, has not heard that there are no messages."""
    exceptions = pytest.importorskip("google.api_core.exceptions")
    message = SimpleNamespace(
        data=b'{"text": "a"}', attributes={}, message_id="1", publish_time=datetime.fromtimestamp(1002.0, UTC)
    )
    answers: list[Any] = [None, None, [], [SimpleNamespace(message=message, ack_id="ack-1")]]
    asked: list[dict[str, Any]] = []
    now = [1000.0]

    class Client:
        def pull(self, request: dict[str, Any], timeout: float) -> Any:
            asked.append(request)
            now[0] += timeout if answers[0] is None else 0.01
            answer = answers.pop(0)
            if answer is None:
                raise exceptions.DeadlineExceeded("")
            return SimpleNamespace(received_messages=answer)

        def modify_ack_deadline(self, **asked: Any) -> None:
            held.append(asked)

    held: list[dict[str, Any]] = []
    monkeypatch.setattr(subscription.time, "time", lambda: now[0])
    name = "projects/p/subscriptions/s"
    reader, watermark = _PullDoFn(replace(stream, subscription=name, max_wait_ms=0)), Watermark()
    reader._client = Client()
    (found,) = reader.process(name, Tracker(), watermark)
    assert (found.timestamp, found.value.ack_ids) == (Timestamp(1002.0), ("ack-1",))
    assert float(watermark.reached) == 997.0  # type: ignore[arg-type]
    assert asked == [{"subscription": name, "max_messages": BLOCK_RECORDS, "return_immediately": True}] * 4
    assert held == [{"subscription": name, "ack_ids": ["ack-1"], "ack_deadline_seconds": 600}]


def test_a_job_that_is_fenced_off_takes_no_messages(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runner may not have ended it; what it took would come again minutes later, and be late."""
    name, pulls = "projects/p/subscriptions/s", list[int]()

    def pull(_reader: object, count: int, _secs: float) -> list[Message]:
        pulls.append(count)
        return []

    monkeypatch.setattr(subscription._PullDoFn, "_pull", pull)
    monkeypatch.setattr(subscription, "_LOOK_SECS", 0.0)
    reader = _PullDoFn(replace(stream, subscription=name, max_wait_ms=0))
    assert list(reader.process(name, Tracker(), Watermark())) == []
    write_owner(stream.run.output, "another's")
    with pytest.raises(FencedOffError):
        list(reader.process(name, Tracker(), Watermark()))
    assert pulls == [BLOCK_RECORDS]
