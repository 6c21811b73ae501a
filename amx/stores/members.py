"""Who wrote what, put together from one row per person, machine and version."""

from collections.abc import Sequence

from amx.core.reports import Member
