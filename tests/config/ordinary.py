"""Somebody without rights: the program run by an ordinary user, also where the suite is root.

To root no file is closed. There the program is run as `nobody`, in a temporary folder of his own:
he may not look into the one of the suite.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.config.many import Words, ended
from tests.config.support import Place
from tests.support import Done

NOBODY = 65534

IS_ROOT = os.getuid() == 0


class Ordinary:
    """An ordinary user with a configuration of his own.

    Args:
        folder: A folder that he may look into.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = Place(folder / "amx")

    def run(self, *commands: Words, home: Path | None = None) -> list[Done]:
        """Run the program once for each of the commands, as this user."""
        names = {"HOME": str(self.folder), "AMX_HOME": str(home or self.place.folder)}
        return ended(*commands, user=NOBODY if IS_ROOT else None, env=names, folder=self.folder)

    def give(self, *paths: Path) -> None:
        """Make him the owner of paths."""
        for path in paths if IS_ROOT else ():
            os.chown(path, NOBODY, NOBODY)

    def files(self) -> Mapping[str, tuple[str, int]]:
        """Return text and mode of every file but the locks, whoever may look at them."""
        mode = stat.S_IMODE(self.place.folder.stat().st_mode)
        self.place.folder.chmod(0o700)
        paths = [self.place.folder / name for name in self.place.names()]
        found = {path.name: _seen(path) for path in paths if path.suffix != ".lock"}
        self.place.folder.chmod(mode)
        return found


def _seen(path: Path) -> tuple[str, int]:
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o600)
    text = path.read_text()
    path.chmod(mode)
    return text, mode


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Ordinary]:
    """Give an ordinary user with a live file and three generations."""
    folder = _folder_for_nobody() if IS_ROOT else tmp_path / "user"
    folder.mkdir(exist_ok=True)
    found = Ordinary(folder)
    found.place.write("n: 0\n")
    found.place.write_backups("n: -1\n", "n: -2\n", "n: -3\n")
    found.give(folder, *folder.rglob("*"))
    yield found
    found.place.folder.chmod(0o700)
    shutil.rmtree(folder)


def _folder_for_nobody() -> Path:
    for parent in map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):
        above = [one.stat().st_mode for one in (parent, *parent.parents) if one.exists()]
        if above and all(mode & stat.S_IXOTH for mode in above):
            return Path(tempfile.mkdtemp(prefix="amx-user-", dir=parent))
    pytest.skip("there is no temporary folder that an ordinary user may look into")
