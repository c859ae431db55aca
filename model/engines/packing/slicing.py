"""What stands in brackets behind a tensor, as a saved graph holds it, as operations of the packed engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from saiten.model.engines.packed.arithmetic import Columns
from saiten.model.engines.packing.packer import FEATURES, ONE, STEPS, Layer, Packer, Value

_WHOLE = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}


def get_item(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    """Slices features or picks a step; ``[:, :, None]``, ``[:, None]`` and ``[..., None]`` put a dimension there."""
    value: Value = arguments[0]
    keys = list(arguments[1]) if isinstance(arguments[1], list) else [arguments[1]]
    axes = ("texts", *value.axes)
    keys = _without_ellipsis(keys, len(axes))
    if None in keys:
        return _with_new_axis(layer, value, keys)
    if len(keys) > len(axes):
        raise layer.refuse("slices more dimensions than there are")
    for name, key in zip(axes, keys, strict=False):
        if _is_whole(key):
            continue
        if name == STEPS and key in (0, -1) and type(key) is int:
            value = packer.pool("first" if key == 0 else "last", value, value.axes[1:])
        elif name == FEATURES:
            start, stop = _bounds(layer, key, value.shape.width)
            axes_left = value.axes[:-1] if type(key) is int else value.axes
            value = packer.apply(Columns(start, stop), value, axes=axes_left)
        elif name == ONE and key == 0 and type(key) is int:
            value = value.renamed(tuple(axis for axis in value.axes if axis != ONE))
        else:
            raise layer.refuse("slices texts or steps")
    return value


def _slice(key: Any) -> slice | None:
    if isinstance(key, Mapping) and key.get("class_name") == "__slice__":
        parts = [key["config"].get(name) for name in ("start", "stop", "step")]
        if all(part is None or type(part) is int for part in parts):
            return slice(*parts)
    return None


def _is_whole(key: Any) -> bool:
    found = _slice(key)
    return found is not None and found.start in (None, 0) and found.stop is None and found.step in (None, 1)


def _bounds(layer: Layer, key: Any, width: int) -> tuple[int, int]:
    found = _slice(key)
    if found is not None and found.step in (None, 1):
        start, stop, _ = found.indices(width)
        return start, stop
    if type(key) is int and -width <= key < width:
        return key % width, key % width + 1
    raise layer.refuse("slices features by another rule than from start to stop")


def _without_ellipsis(keys: Sequence[Any], n_axes: int) -> list[Any]:
    """Returns keys with whole slices in the place of ``...``."""
    place = next((i for i, key in enumerate(keys) if _is_ellipsis(key)), None)
    if place is None:
        return list(keys)
    n_others = sum(key is not None and not _is_ellipsis(key) for key in keys)
    return [*keys[:place], *[_WHOLE] * (n_axes - n_others), *keys[place + 1 :]]


def _is_ellipsis(key: Any) -> bool:
    return isinstance(key, Mapping) and key.get("class_name") == "__ellipsis__"


def _with_new_axis(layer: Layer, value: Value, keys: Sequence[Any]) -> Value:
    place = keys.index(None)
    if keys.count(None) == 1 and all(key is None or _is_whole(key) for key in keys):
        if place == len(value.axes) + 1 and FEATURES not in value.axes:
            return value.renamed((*value.axes, FEATURES))
        if place == 1 and value.axes == (FEATURES,):
            return value.renamed((ONE, FEATURES))
    raise layer.refuse("puts a dimension where the packed engine has none")
