"""Whether a store may be written to, and what a row that was sent turns out to be."""

import pytest

from amx.core.errors import SharedStoreMismatch, Systemic
from amx.core.outbox import check_store
from amx.core.reports import StoreMeta
from amx.core.verdicts import Verdict, verdict_of
from tests.shared import rows

META = StoreMeta(
    schema_version=1,
    oldest_writer=1,
    store_id="a",
    epoch=1,
    bootstrapped_by="dba",
    bootstrapped_at=rows.MOMENT,
)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"schema_version": 0, "oldest_writer": 0}, "shared.refused"),
        ({"schema_version": 9, "oldest_writer": 9}, "shared.schema_too_new"),
        ({"store_id": "b"}, "refused.store_mismatch"),
    ],
)
def test_a_store_that_is_not_ours_to_write_is_told_apart(
    changes: dict[str, object], code: str
) -> None:
    from dataclasses import replace

    with pytest.raises((Systemic, SharedStoreMismatch)) as caught:
        check_store(replace(META, **changes), "a", "team")  # type: ignore[arg-type]  # passed on as it came
    assert caught.value.code == code
    assert caught.value.hint


def test_a_newer_store_that_still_takes_our_rows_is_written_to() -> None:
    from dataclasses import replace

    newer = replace(META, schema_version=9)
    assert check_store(newer, None, "team") is newer


@pytest.mark.parametrize(
    ("stored", "verdict"),
    [
        (None, Verdict.DELIVERED),
        ({}, Verdict.DELIVERED),
        ({"revision": 1, "status": "failed"}, Verdict.BEHIND),
        ({"revision": 2}, Verdict.BEHIND),
        ({"origin_id": "another"}, Verdict.COPIED),
        ({"origin_id": "another", "revision": 7, "error": "late"}, Verdict.COPIED),
        ({"origin_id": "another", "hostname": "engine"}, Verdict.FOREIGN),
        ({"origin_id": "another", "local_id": 9}, Verdict.FOREIGN),
    ],
)
def test_a_row_is_judged_by_what_the_store_holds(
    stored: dict[str, str | int | None] | None, verdict: Verdict
) -> None:
    row = rows.run()
    assert verdict_of(row, None if stored is None else {**row, **stored}) is verdict
