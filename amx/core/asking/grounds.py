"""What an answer rests on: the assets that it may speak of, and the local answer made of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from amx.core.asking.documents import CatalogDocument


class Grounds(NamedTuple):
    """An answer before it is phrased.

    ``text`` says all that is known, and ``cited`` are the assets that it speaks of, best first.
    ``remarks`` are sentences about the answer itself, which belong to it however it is phrased:
    what was read as what, what comes from earlier turns, what is not known.
    """

    text: str
    cited: Sequence[CatalogDocument] = ()
    remarks: Sequence[str] = ()
    read_as: Mapping[str, Sequence[str]] = {}
    unknown: Sequence[str] = ()
    earlier: Sequence[CatalogDocument] = ()
