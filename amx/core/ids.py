"""Ids that sort by the time they were made."""

import os
import time

NS_PER_MS = 1_000_000


def uuid7() -> str:
    """Make a UUID version 7: milliseconds, 12 bits of their fraction, then 62 random bits.

    Rows made later sort later, which keeps the shared tables' primary key dense at its end.

    Source: RFC 9562, sections 5.7 and 6.2 (method 3).
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), NS_PER_MS)
    fraction = (nanoseconds << 12) // NS_PER_MS
    random = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | fraction << 64
    value |= 0b10 << 62 | random
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
