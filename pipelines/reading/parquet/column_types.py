"""The types of a Parquet file's columns: which hold text, and what each is kept as."""

from collections.abc import Callable

import pyarrow as pa

# Of string views Arrow can neither take some nor tell the lengths.
_UNDER_VIEWS = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


def kept_type(type_: pa.DataType) -> pa.DataType:
    """Returns the type of a column as it is kept: its own, but for how its values are packed in memory."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if isinstance(type_, pa.BaseExtensionType) and pa.types.is_nested(type_.storage_type):
        type_ = type_.storage_type
    if pa.types.is_nested(type_):
        return _map_within(type_, _stored_type)
    return pa.json_() if is_json(type_) else without_views(type_)


def _stored_type(type_: pa.DataType) -> pa.DataType:
    """Returns a type within another as it is stored: of extension types within others Arrow cannot take some.

    A dictionary's values stand for it, whose indices Arrow gives another type than it says.
    """
    if pa.types.is_dictionary(type_):
        return _stored_type(type_.value_type)
    if isinstance(type_, pa.BaseExtensionType):
        return _stored_type(type_.storage_type)
    return _map_within(type_, _stored_type) if pa.types.is_nested(type_) else without_views(type_)


def without_views(type_: pa.DataType) -> pa.DataType:
    """Returns strings for string views, bytes for views of bytes, and any other type as it is."""
    return _UNDER_VIEWS.get(type_, type_)


def in_microseconds(type_: pa.DataType) -> pa.DataType:
    """Returns the type with microseconds for nanoseconds, within lists, maps and structs too."""
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", type_.tz)
    within = {pa.time64("ns"): pa.time64("us"), pa.duration("ns"): pa.duration("us")}
    return _map_within(type_, in_microseconds) if pa.types.is_nested(type_) else within.get(type_, type_)


def _map_within(type_: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """Returns a nested type with its types changed; unions and views of lists stay."""
    if pa.types.is_map(type_):
        return pa.map_(change(type_.key_type), change(type_.item_type))
    within = [type_.field(i).with_type(change(type_.field(i).type)) for i in range(type_.num_fields)]
    if pa.types.is_struct(type_):
        return pa.struct(within)
    if pa.types.is_list(type_):
        return pa.list_(*within)
    if pa.types.is_large_list(type_):
        return pa.large_list(*within)
    return pa.list_(*within, type_.list_size) if pa.types.is_fixed_size_list(type_) else type_


def is_json(type_: pa.DataType) -> bool:
    """Tells whether values of the type are strings that say of themselves that they are JSON."""
    return isinstance(type_, pa.JsonType)


def is_bytes(kind: pa.DataType) -> bool:
    """Tells whether values of the type are strings or bytes."""
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )


def is_number(kind: pa.DataType) -> bool:
    """Tells whether values of the type are numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
