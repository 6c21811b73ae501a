"""A profile that gets another name: its key is another word, and not a line of it moves."""

from pathlib import Path

import pytest

from amx.core.config.model import same
from amx.core.profile_edits import renamed
from tests.config.support import Place

TEXT = """\
# our databases
db_profiles:
  shop:  # the one that counts
    backend: sqlite

    # where it is
    path: /data/shop.db
  # and the archive
  archive: {backend: sqlite, path: /data/archive.db}   # read only
active_db_profile: shop   # for now
unknown: [1, 2]
"""

IN_BRACKETS = "db_profiles: {shop: {backend: sqlite, path: /a}, b: {backend: sqlite}}  # all\n"
ANCHORED = "db_profiles:\n  shop: &one\n    path: /a\n  twin: *one\n# end\n"
ALONE = "db_profiles:\n  shop:\n    path: /a  # here\n"


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        (
            TEXT,
            "store",
            TEXT.replace("  shop:", "  store:").replace("profile: shop", "profile: store"),
        ),
        (TEXT, "on", TEXT.replace("  shop:", "  'on':").replace("profile: shop", "profile: 'on'")),
        (IN_BRACKETS, "a,b", IN_BRACKETS.replace("shop", "'a,b'")),
        (ANCHORED, "store", ANCHORED.replace("shop", "store")),
        (ALONE, "store", ALONE.replace("shop", "store")),
    ],
)
def test_a_renamed_profile_stays_where_it_is_with_its_comments(
    tmp_path: Path, text: str, new: str, expected: str
) -> None:
    place = Place(tmp_path / "there")
    place.write(text)
    file = place.file()
    before = file.load()

    assert file.patch(renamed(before, "shop", new))

    after = place.file().load()
    assert place.live.read_text().replace('"', "'") == expected
    assert [*after.profiles] == [new if name == "shop" else name for name in before.profiles]
    assert same(after.profiles[new], before.profiles["shop"])
