"""Edits for the tests of `ConfigFile.edit`: editors in one line, and what they leave."""

from collections.abc import Callable
from pathlib import Path

import pytest

from amx.core.config.editing import Edited
from amx.core.config.file import ConfigFile
from amx.core.errors import AmxError, EditorFailed
from tests.config.support import Place

SAVED, UNCHANGED = Edited(is_changed=True), Edited(is_changed=False)
MERGED = Edited(is_changed=True, is_merged=True)

LOCKS = ["config.yml.edit.lock", "config.yml.lock"]
KEPT = ["config.yml.rejected", "config.yml.rejected.base"]

Change = Callable[[Path], None]


def untouched(_: Path) -> None:
    """Be an editor that changes nothing."""


def to(text: str | bytes, *then: Callable[[], object]) -> Change:
    """Return an editor that writes a text; meanwhile something else happens."""

    def change(copy: Path) -> None:
        copy.write_bytes(text.encode() if isinstance(text, str) else text)
        for act in then:
            act()

    return change


def linked_to(target: str | Path) -> Change:
    """Return an editor that puts a symbolic link in place of the copy."""

    def change(copy: Path) -> None:
        copy.unlink()
        copy.symlink_to(target)

    return change


def seen_by_the_next_edit(place: Place) -> str:
    """Return the text that an editor is given."""
    seen: list[str] = []

    def look(copy: Path) -> None:
        seen.append(copy.read_text())
        raise EditorFailed("only a look")

    with pytest.raises(EditorFailed):
        place.file().edit(look)
    return seen[0]


def refused(file: ConfigFile, change: Change, kind: type[AmxError]) -> AmxError:
    """Edit, and return the error that it must end with."""
    with pytest.raises(kind) as caught:
        file.edit(change)
    return caught.value


def kept(place: Place) -> Path:
    """Return where a text is kept aside."""
    return place.folder / "config.yml.rejected"
