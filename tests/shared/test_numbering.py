"""What every shared store tells of the numbers of rows, and of rows without their parent."""

from amx.core.ports import SharedStore
from amx.core.sending import Deadline, Number, Numbers
from amx.core.tables import BY_NAME, RUNS
from amx.stores.numbering import NEWEST
from tests.shared import rows


def test_the_numbers_of_an_origin_are_told_by_table(store: SharedStore, soon: Deadline) -> None:
    nothing = dict.fromkeys(BY_NAME, Numbers(0, 0))
    assert store.numbers(rows.ORIGIN, {}, soon) == nothing
    store.upsert(RUNS, [rows.run(local_id=number) for number in (1, 2, 2, 2, 7)], soon)
    store.upsert(RUNS, [rows.run(local_id=9, origin_id="another")], soon)
    store.upsert(BY_NAME["events"], [rows.event(local_id=2**62)], soon)
    old = [rows.session(local_id=number) for number in (1, 1, NEWEST + 1)]
    store.upsert(BY_NAME["sessions"], old, soon)
    assert store.numbers(rows.ORIGIN, {}, soon) == nothing | {
        "runs": Numbers(7, 2),
        "sessions": Numbers(NEWEST + 1, 0),
        "events": Numbers(2**62, 0),
    }
    assert store.numbers(rows.ORIGIN, {"runs": 2}, soon)["runs"] == Numbers(7, 0)


def test_rows_are_listed_by_their_numbers_page_by_page(store: SharedStore, soon: Deadline) -> None:
    sent = [rows.run(local_id=number) for number in (5, 1, 3, 3, 3, 8)]
    store.upsert(RUNS, [*sent, rows.run(local_id=4, origin_id="another")], soon)
    wanted = sorted((int(row["local_id"] or 0), str(row["id"])) for row in sent)
    found: list[Number] = []
    after = (0, "")
    while page := store.numbered(RUNS, rows.ORIGIN, after, 2, soon):
        assert len(page) <= 2
        found += page
        after = page[-1]
    assert found == wanted
    assert store.numbered(RUNS, rows.ORIGIN, (3, "\U0010ffff"), 9, soon) == wanted[4:]


def test_rows_without_their_parent_are_counted(store: SharedStore, soon: Deadline) -> None:
    parent = rows.session()
    store.upsert(BY_NAME["sessions"], [parent], soon)
    turns = [rows.turn(session_id=key) for key in (parent["id"], "gone", "gone")]
    store.upsert(BY_NAME["turns"], [*turns, rows.turn(origin_id="another")], soon)
    assert store.orphans(BY_NAME["turns"], [rows.ORIGIN], soon) == 2
    assert store.orphans(BY_NAME["turns"], [rows.ORIGIN, "another"], soon) == 3
    assert store.orphans(BY_NAME["results"], [rows.ORIGIN], soon) == 0
