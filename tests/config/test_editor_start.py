"""Starting the user's editor: a signal that comes at the worst moment, and what cannot be kept."""

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from amx.core.config.restoring import Source
from amx.core.errors import ConfigInvalid, ConfigUnreadable
from amx.editor import open_editor
from tests.config.support import Place


class Stopped(Exception):
    """What the handler of SIGTERM raises here."""


@pytest.fixture
def _stopped_by_sigterm() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_stopped_by_sigterm")
def test_sigterm_while_the_editor_starts_leaves_no_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]  # passed on as they came
            started.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(Stopped):
        open_editor("sh -c 'exec tail -f /dev/null'", tmp_path / "text", dict(os.environ))
    assert [editor.wait(10) for editor in started] == [-signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL


def test_a_text_that_cannot_be_kept_aside_hides_no_error_and_its_place_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a: 1\n")

    def refuse(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def change(path: Path) -> None:
        path.write_text("a: [\n")
        monkeypatch.setattr("amx.core.config.disk.copy", refuse)

    with pytest.raises(ConfigInvalid) as caught:
        place.file().edit(change)
    copy = place.folder / "config.yml.edit" / "config.yml"
    assert caught.value.details == {"line": 2, "column": 1, "kept": str(copy)}
    assert caught.value.message.endswith(f"Your text is in {copy}.")
    assert copy.read_text() == "a: [\n"


def test_what_a_failed_discard_left_goes_with_the_next_save(place: Place) -> None:
    place.write("a: 1\n")
    (place.folder / "config.yml.rejected.base").write_text("a: 0\n")
    assert place.file().patch({("a",): 2})
    assert "config.yml.rejected.base" not in place.names()


def test_a_generation_that_cannot_be_looked_at_is_not_called_absent(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a: 1\n")
    place.write_backups("a: 0\n")
    stat = os.stat

    def fail(path: object, *args: object, **kwargs: object) -> object:
        if str(path).endswith(".bak.1"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return stat(path, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(os, "stat", fail)
    with pytest.raises(ConfigUnreadable) as caught:
        place.file().restore(Source(number=1))
    assert "Input/output error (EIO)" in caught.value.message
