"""Messages of a subscription to blocks of records."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import xxhash

from saiten.model.errors import RecordError
from saiten.pipelines.reading.blocks import BlockBuilder
from saiten.pipelines.reading.lines.jsonl import LineParser
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import BLOCK_RECORDS, RowCollector
from saiten.pipelines.records import RecordBlock
from saiten.pipelines.streaming.stream import UnscoredBlock

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Message:
    """A message as a subscription delivers it.

    Attributes:
        data: The JSON of a record, in UTF-8.
        attributes: A kept field that the record does not have is taken from here.
        message_id: The same whenever it is delivered.
        published_secs: Since the epoch; the same whenever it is delivered.
        ack_id: What acknowledges this delivery.
    """

    data: bytes
    attributes: Mapping[str, str]
    message_id: str
    published_secs: float
    ack_id: str


def position_of(message_id: str) -> int:
    """Returns the message's number, which stands for it in the output: its id, or a hash of one that is no number.

    >>> position_of("9175193045817912")
    9175193045817912
    """
    if message_id.isascii() and message_id.isdigit() and int(message_id) <= _LARGEST:
        return int(message_id)
    return xxhash.xxh3_64_intdigest(message_id.encode()) & _LARGEST


def gather(
    pull: Callable[[int, float], list[Message]], idle_secs: float, wait_secs: float, clock: Callable[[], float]
) -> list[Message]:
    """Returns messages that are scored together.

    Args:
        pull: Takes how many there may be and how long to wait for the first; gives none when none came.
        idle_secs: How long to wait for the first of all.
        wait_secs: How long that one waits for others.
        clock: Seconds.
    """
    messages = pull(BLOCK_RECORDS, idle_secs)
    until = clock() + wait_secs
    while messages and len(messages) < BLOCK_RECORDS and (left := until - clock()) > 0:
        messages += pull(BLOCK_RECORDS - len(messages), left)
    return messages


def blocks_of(
    messages: Iterable[Message], source: str, options: ReadOptions, window_of: Callable[[float], float]
) -> Iterator[tuple[float, UnscoredBlock]]:
    """Yields messages as blocks, none with records of two windows, each with its earliest time of publishing.

    Args:
        source: What the subscription is called in the output.
        window_of: Gives when the window begins that a time lies in.
    """
    ordered = sorted(messages, key=lambda message: message.published_secs)
    for _, together in itertools.groupby(ordered, lambda message: window_of(message.published_secs)):
        group = list(together)
        ack_ids = tuple(message.ack_id for message in group)
        for block in _read(group, source, options):
            yield group[0].published_secs, UnscoredBlock(block, ack_ids)
            ack_ids = ()


def _read(messages: Sequence[Message], source: str, options: ReadOptions) -> Iterator[RecordBlock]:
    builder, parse = BlockBuilder(0), LineParser("utf-8", options)
    collector = RowCollector(source, options)
    for message in messages:
        position, data = position_of(message.message_id), message.data
        if len(data) > options.max_record_bytes:
            collector.add_too_large(position, data, len(data), options.max_record_bytes)
        else:
            _add(collector, parse, position, message, options)
        yield from builder.add(source, collector.take(), len(data))
    yield builder.finish(is_last=False)


def _add(collector: RowCollector, parse: LineParser, position: int, message: Message, options: ReadOptions) -> None:
    try:
        text, record_id, *kept = parse(message.data)
    except RecordError as error:
        collector.add_dead_letter(position, message.data, error.code, error.message)
        return
    names = (field.name for field in options.kept_fields)
    values = [message.attributes.get(name) if value is None else value for name, value in zip(names, kept, strict=True)]
    collector.add(position, message.data, text, record_id, values)
