"""Keeps JSON bodies that differ in little as what they differ in: a million devices' are some 60 bytes each.

What belongs to one resource is taken out of its text: its name, uid, times, labels' values and the hardware's own
numbers. The text that is left, with a mark in each place, is shared by all that are alike. JSON never holds the control
characters that serve as marks, so what was taken out goes back in exactly: `unpack` gives the very bytes packed.

Shared texts and values are numbered as they come, and bounded in number: beyond that they are kept with each resource,
compressed. So the numbers mean something in this `PackedBodies` alone, and nothing packed ever leaves the process.
"""

import re
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache, partial
from itertools import pairwise, repeat
from typing import Any, Final

import msgspec
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

TEXTS_LIMIT: Final = 4096
"""Shared texts: the shapes in which a fleet's resources come. Each takes some hundred bytes."""

VALUES_LIMIT_A_KEY: Final = 256
"""Shared values of a label; one that has more is taken for as good as unique, such as a serial number."""

KEYS_LIMIT: Final = 256
"""Labels that have shared values at all."""

_NAME: Final = b"\x01"
_UID: Final = b"\x02"
_TIME: Final = b"\x03"
_LABEL: Final = b"\x04"
_PLATE: Final = b"\x05"
_MARKS: Final = re.compile(b"([\x01-\x05])")

_OWN_TEXT: Final = -1

_LATELY: Final = 4
"""Texts that a body is compared with before it is searched: the next resource is mostly like one of the last."""

_TOGETHER: Final = 32
"""Texts that all of many bodies are compared with, before those left are packed one by one."""


# What is a resource's own. A map of labels also stands inside a quoted JSON text, as kubectl's annotation has it.
# Separate expressions, because each has a beginning that is found fast.
_A_UID: Final = re.compile(rb'"uid":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"').sub
_A_TIME: Final = re.compile(rb'":"([12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"').sub
_LABELS: Final = re.compile(rb'labels(\\?)":\{([^{}]+)\}').sub
_ON_ITS_PLATE: Final = re.compile(rb'"(hostname|serialNumber|macAddress)":"([^"\\\x01-\x1f]*)"').sub
_PATTERNS: Final = {
    _NAME: rb'([^"]+)',
    _UID: rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    _TIME: rb"([12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)",
    _LABEL: rb'([^"\x01-\x1f]*)',
    _PLATE: rb'([^"\x01-\x1f]*)',
}
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


class PackedBodies:
    """The shared texts and values of one kind's bodies."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._texts: list[_Text] = []
        self._lately: deque[_Text] = deque(maxlen=_LATELY)
        self._values: dict[bytes, int] = {}
        self._value_at: list[bytes] = []
        self._shared_of: Counter[bytes] = Counter()
        self._compress: ZstdCompressor | None = None
        self._expand: ZstdDecompressor | None = None

    def pack(self, name: str, body: bytes) -> bytes:
        """What `unpack` with the same name makes the body of again."""
        encoded = name.encode()
        if b"\\" not in body:
            for text in self._lately:
                own = self._as(text, encoded, body)
                if own is not None:
                    return _encode(own)
        return self._pack_anew(encoded, body)

    def pack_many(self, names: Sequence[str], bodies: Sequence[bytes]) -> list[bytes]:
        """As `pack`, each body with its name: those of a text together, which takes a third of the time."""
        packed: list[bytes] = [b""] * len(bodies)
        left = list(range(len(bodies)))
        for _ in range(_TOGETHER):
            if not left:
                break
            first, *left = left
            packed[first] = self.pack(names[first], bodies[first])
            number = _decode(packed[first])[0]
            if number == _OWN_TEXT:
                continue
            chosen = self._pack_alike(self._texts[number], [names[at] for at in left], [bodies[at] for at in left])
            for at, body in zip(left, chosen, strict=True):
                if body:
                    packed[at] = body
            left = [at for at in left if not packed[at]]
        for at in left:
            packed[at] = self.pack(names[at], bodies[at])
        return packed

    def _pack_alike(self, text: "_Text", names: Sequence[str], bodies: Sequence[bytes]) -> list[bytes]:
        """Those packed that have this text, empty for the others: `_as` in columns."""
        match = text.pattern.fullmatch
        found = [None if b"\\" in body else match(body) for body in bodies]
        like = [at for at, each in enumerate(found) if each is not None]
        packed = [b""] * len(bodies)
        if not like:
            return packed
        columns = list(zip(*[each.groups() for each in found if each is not None], strict=True))
        named = tuple([names[at].encode() for at in like])
        times = [list(map(_seconds, columns[place // 2])) for place in text.times]
        if any(columns[place // 2] != named for place in text.names) or any(None in each for each in times):
            for at in like:
                own = self._as(text, names[at].encode(), bodies[at])
                packed[at] = b"" if own is None else _encode(own)
            return packed
        owns = zip(
            repeat(text.number, len(like)),
            *[self._numbers_of(key, columns[place // 2]) for place, key in text.keys],
            *[_binary_uids(columns[place // 2]) for place in text.uids],
            *times[:1],
            *[
                [at_s - before_s for before_s, at_s in zip(before, after, strict=True)]  # type: ignore[operator]
                for before, after in pairwise(times)
            ],
            strict=True,
        )
        for at, own_row in zip(like, map(_encode, owns), strict=True):
            packed[at] = own_row
        return packed

    def _numbers_of(self, key: bytes, values: Sequence[bytes]) -> list[int | bytes]:
        """As `_number`, of many."""
        get, number = self._values.get, self._number
        return [shared if (shared := get(value)) is not None else number(key, value) for value in values]

    def _as(self, text: "_Text", name: bytes, body: bytes) -> list[Any] | None:
        """What is a body's own, if the rest of it is this text: what `_pack_anew` finds out, but much faster.

        The body holds no escapes, so that each value ends at the next quote.
        """
        match = text.pattern.fullmatch(body)
        if match is None:
            return None
        found = match.groups()
        times = [_seconds(found[place // 2]) for place in text.times]
        if None in times or any(found[place // 2] != name for place in text.names):
            return None
        return [
            text.number,
            *[self._number(key, found[place // 2]) for place, key in text.keys],
            *[bytes.fromhex(found[place // 2].replace(b"-", b"").decode()) for place in text.uids],
            *[at_s - before_s for at_s, before_s in zip(times, (0, *times), strict=False)],  # type: ignore[operator]
        ]

    def _pack_anew(self, encoded: bytes, body: bytes) -> bytes:
        own: list[Any] = [0]
        text = body.replace(b'"%b"' % encoded, b'"\x01"')
        if b'\\"' in text:
            text = text.replace(b'"%b\\"' % encoded, b'"\x01\\"')
        text = _LABELS(partial(self._take_labels, own, encoded), text)
        if b'"hardware":{' in text:
            text = _ON_ITS_PLATE(partial(self._take_plate, own), text)
        text = _A_UID(partial(_take_uid, own), text)
        text = _A_TIME(partial(_take_time, own, [0]), text)
        number = self._numbers.get(text)
        if number is None:
            if len(self._texts) < TEXTS_LIMIT:
                number = self._numbers[text] = len(self._texts)
                self._texts.append(_Text(text, number))
            else:
                number = _OWN_TEXT
                own.append(self._compressor().compress(text))
        if number != _OWN_TEXT and self._texts[number] not in self._lately:
            self._lately.appendleft(self._texts[number])
        own[0] = number
        return _encode(own)

    def unpack(self, name: str, packed: bytes) -> bytes:
        """The body."""
        own = _decode(packed)
        text = self._texts[own[0]] if own[0] != _OWN_TEXT else _Text(self._expander().decompress(own.pop()), _OWN_TEXT)
        parts = text.parts.copy()
        index = 1
        encoded = name.encode()
        for place in text.names:
            parts[place] = encoded
        for place in (*text.labels, *text.plates):
            value = own[index]
            parts[place] = self._value_at[value] if isinstance(value, int) else value
            index += 1
        for place in text.uids:
            digits = own[index].hex()
            parts[place] = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()
            index += 1
        time_s = 0
        for place in text.times:
            time_s += own[index]
            parts[place] = _time(time_s)
            index += 1
        return b"".join(parts)

    def _take_labels(self, own: list[Any], name: bytes, found: re.Match[bytes]) -> bytes:
        """A map of labels with marks for values, unless it is not what it looks like."""
        escape, labels = found.groups()
        quote = escape + b'"'
        pieces = labels.split(quote)
        keys, values = pieces[1::4], [name if value == _NAME else value for value in pieces[3::4]]
        if (
            len(pieces) % 4 != 1
            or pieces[0]
            or pieces[-1]
            or any(between != b":" for between in pieces[2::4])
            or any(between != b"," for between in pieces[4:-1:4])
            or (b"\\" in labels if not escape else labels.count(b"\\") != len(pieces) - 1)
        ):
            return found[0]
        own += map(self._number, keys, values)
        pieces[3::4] = [_LABEL] * len(values)
        return b"labels%b:{%b}" % (quote, quote.join(pieces))

    def _take_plate(self, own: list[Any], found: re.Match[bytes]) -> bytes:
        field, value = found.groups()
        own.append(self._number(field, value))
        return b'"%b":"\x05"' % field

    def _number(self, key: bytes, value: bytes) -> int | bytes:
        """The number of a shared value, or the value."""
        number = self._values.get(value)
        if number is not None:
            return number
        shared = self._shared_of[key]
        if shared >= VALUES_LIMIT_A_KEY or (not shared and len(self._shared_of) >= KEYS_LIMIT):
            return value
        self._shared_of[key] += 1
        number = self._values[value] = len(self._value_at)
        self._value_at.append(value)
        return number

    def _compressor(self) -> ZstdCompressor:
        if self._compress is None:
            # The texts of other resources are what a text is most like.
            like = ZstdCompressionDict(b"".join(list(self._numbers)[-16:]), dict_type=DICT_TYPE_RAWCONTENT)
            self._compress = ZstdCompressor(dict_data=like, write_checksum=False, write_dict_id=False)
            self._expand = ZstdDecompressor(dict_data=like)
        return self._compress

    def _expander(self) -> ZstdDecompressor:
        if self._expand is None:
            raise LookupError("nothing was compressed here")
        return self._expand


class _Text:
    """A shared text: its parts, every second one a mark, and where the marks of each sort stand."""

    def __init__(self, text: bytes, number: int) -> None:
        self.number = number
        self.parts = _MARKS.split(text)
        places = range(1, len(self.parts), 2)
        self.names = [place for place in places if self.parts[place] == _NAME]
        self.labels, self.plates, self.uids, self.times = (
            [place for place in places if self.parts[place] == mark] for mark in (_LABEL, _PLATE, _UID, _TIME)
        )
        # The label or the field that a value is of stands right before it: `"region":"`.
        self.keys = [(place, self.parts[place - 1].split(b'"')[-3]) for place in (*self.labels, *self.plates)]

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Matches the bodies that have this text, with what is their own in groups."""
        return re.compile(b"".join([_PATTERNS.get(part) or re.escape(part) for part in self.parts]))


def _binary_uids(uids: Sequence[bytes]) -> list[bytes]:
    together = bytes.fromhex(b"".join(uids).replace(b"-", b"").decode())
    return [together[start : start + 16] for start in range(0, len(together), 16)]


def _take_uid(own: list[Any], found: re.Match[bytes]) -> bytes:
    own.append(bytes.fromhex(found[1].replace(b"-", b"").decode()))
    return b'"uid":"\x02"'


def _take_time(own: list[Any], last_s: list[int], found: re.Match[bytes]) -> bytes:
    """Each time is kept as what passed since the one before; mostly nothing."""
    at_s = _seconds(found[1])
    if at_s is None:
        return found[0]
    own.append(at_s - last_s[0])
    last_s[0] = at_s
    return b'":"\x03"'


@lru_cache(maxsize=4096)
def _seconds(time: bytes) -> int | None:
    """Since 2020; None for what is not a time, or would not come back as it was written."""
    try:
        seconds = round((datetime.fromisoformat(time.decode()) - _EPOCH).total_seconds())
    except ValueError:
        return None
    return seconds if _time(seconds) == time else None


@lru_cache(maxsize=4096)
def _time(seconds: int) -> bytes:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19].encode() + b"Z"
