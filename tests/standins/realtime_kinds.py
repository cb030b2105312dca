"""Kinds of values in the Realtime API's events, and the error each gives for what it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")


class Refused(Exception):
    """An `error` event."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


def missing(param: str) -> Refused:
    return Refused("missing_required_parameter", f"Missing required parameter: '{param}'.", param)


def not_among(value: Any, param: str, allowed: tuple[Any, ...]) -> Refused:
    names = ", ".join(repr(one) for one in allowed)
    said = f"Invalid value: {value!r}. Supported values are: {names}."
    return Refused("invalid_value", said, param)


def of(kind: type | tuple[type, ...], called: str) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            told = f"Invalid type for '{path}': expected {called}, but got {type(value).__name__}."
            raise Refused("invalid_type", told, path)

    return check


def among(*allowed: Any) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in allowed:
            raise not_among(value, path, allowed)

    return check


def between(kind: type | tuple[type, ...], called: str, least: float, most: float) -> Check:
    right_type = of(kind, called)

    def check(value: Any, path: str) -> None:
        right_type(value, path)
        if not least <= value <= most:
            told = f"Invalid '{path}': expected a value between {least} and {most}."
            raise Refused("invalid_value", told, path)

    return check


def or_null(check: Check) -> Check:
    def checked(value: Any, path: str) -> None:
        if value is not None:
            check(value, path)

    return checked


def object_of(known: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    is_object = of(dict, "an object")

    def check(value: Any, path: str) -> None:
        is_object(value, path)
        for needed in required:
            if needed not in value:
                raise missing(below(path, needed))
        for key, one in value.items():
            inner = below(path, key)
            if key not in known:
                raise Refused("unknown_parameter", f"Unknown parameter: '{inner}'.", inner)
            known[key](one, inner)

    return check


def list_of(each: Check) -> Check:
    is_list = of(list, "an array")

    def check(value: Any, path: str) -> None:
        is_list(value, path)
        for n, one in enumerate(value):
            each(one, f"{path}[{n}]")

    return check


def one_by(field: str, kinds: Mapping[str, Check]) -> Check:
    """Objects whose `field` says which they are."""

    def check(value: Any, path: str) -> None:
        of(dict, "an object")(value, path)
        if field not in value:
            raise missing(below(path, field))
        among(*kinds)(value[field], below(path, field))
        kinds[value[field]](value, path)

    return check


def below(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def anything(value: Any, path: str) -> None:
    """Taken as it is."""


def not_played(value: Any, path: str) -> None:
    raise Refused("not_played", f"The stand-in does not play {path!r}.", path)


text = of(str, "a string")
flag = of(bool, "a boolean")
whole = of(int, "an integer")
number = of((int, float), "a number")


def name(value: Any, path: str) -> None:
    text(value, path)
    if not _NAME.match(value):
        told = f"Invalid '{path}': string does not match pattern '{_NAME.pattern}'."
        raise Refused("invalid_value", told, path)


def parameters(value: Any, path: str) -> None:
    of(dict, "an object")(value, path)
    if value.get("type") != "object":
        told = f"Invalid schema for '{path}': schema must be a JSON Schema of 'type: \"object\"'."
        raise Refused("invalid_function_parameters", told, path)
