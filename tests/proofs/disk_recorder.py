"""Records the system calls by which a piece of work changes files, for `disk_model` to replay.

It wraps the functions of ``os``, through which amx, pathlib and shutil go. One that could change
files and is not modelled is refused; and after every call, and at the end, the recorded disk must
be what really stands in the folder, so that nothing (a file that ``io`` opened, say) passes by.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.proofs.disk_model import (
    ROOT,
    Call,
    Disk,
    Effect,
    MadeFolder,
    Moded,
    Named,
    Synced,
    Wrote,
    found,
)

_MODELLED = (
    *("open", "close", "write", "pwrite", "ftruncate", "fsync", "fdatasync", "mkdir", "rmdir"),
    *(
        "link",
        "rename",
        "replace",
        "unlink",
        "remove",
        "chmod",
        "fchmod",
        "chown",
        "fchown",
        "utime",
    ),
)

_NOT_MODELLED = (
    *("copy_file_range", "dup", "dup2", "lchown", "mkfifo", "mknod", "posix_fallocate", "pwritev"),
    *("removexattr", "sendfile", "setxattr", "splice", "symlink", "sync", "truncate", "writev"),
)

_THROUGH = {"write", "pwrite", "ftruncate", "fsync", "fdatasync", "fchmod"}
"""What is done through a descriptor."""


class NotModelled(Exception):
    """A file was changed in a way that the recorder does not understand."""


class Recorder:
    """Records what happens below one folder.

    Args:
        root: The folder; everything in it is what ``disk`` says.
        disk: What was there before; it goes along with what is recorded.
        has_links: Whether the file system has hard links; link(2) fails with EPERM where not.
    """

    def __init__(self, root: Path, disk: Disk, *, has_links: bool = True) -> None:
        self.calls: list[Call] = []
        self._root = root
        self._disk = disk
        self._has_links = has_links
        self._open: dict[object, int] = {}
        self._path_of: dict[object, object] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what happens in this block.

        Raises:
            NotModelled: a call, or what it did to the files, cannot be replayed.
        """
        real: dict[str, Callable[..., object]] = {
            name: getattr(os, name) for name in (*_MODELLED, *_NOT_MODELLED) if hasattr(os, name)
        }
        self._compare("nothing")
        try:
            for name, function in real.items():
                act = self._call if name in _MODELLED else self._refuse
                setattr(os, name, partial(act, name, function))
            yield
        finally:
            for name, function in real.items():
                setattr(os, name, function)
        self._compare("the last call")

    def _call(
        self, name: str, real: Callable[..., object], *args: object, **more: object
    ) -> object:
        if name == "link" and not self._has_links:
            raise PermissionError(1, "Operation not permitted")
        if {key for key, value in more.items() if key.endswith("_dir_fd") and value is not None}:
            raise NotModelled(f"os.{name} with {more}")
        result = real(*args, **more)
        if name == "close":
            self._open.pop(args[0], None)
            return result
        effects = self._effects(name, result, args, more)
        if effects:
            self.calls.append(Call(self._text(name, args), effects))
            self._disk.apply(effects)
            self._compare(self.calls[-1].text)
        return result

    def _refuse(self, name: str, _: object, *args: object, **__: object) -> object:
        raise NotModelled(f"os.{name}{args} changes files in a way that is not modelled")

    def _compare(self, last: str) -> None:
        there, recorded = found(self._root), self._disk.present()
        if there != recorded:
            raise NotModelled(f"after {last} there is {there}, and recorded was {recorded}")

    # --- what each call does

    def _effects(
        self, name: str, result: object, args: tuple[object, ...], more: dict[str, object]
    ) -> list[Effect]:
        if name in _THROUGH:
            return self._through(name, result, args)
        if name in {"chown", "fchown", "utime"}:
            return []  # owner and times are in no promise about power
        paths = [str(one) for one in args if isinstance(one, str | Path)]
        places = [self._place(path, more.get("dir_fd")) for path in paths]
        known = [place for place in places if place is not None]
        if not known:
            return []
        if len(known) != len(paths):
            raise NotModelled(f"os.{name}{args} from or to another place")
        if name == "open":
            self._path_of[result] = args[0]
            return self._opened(known[0], args[1], result)
        if name == "chmod":
            return self._moded(self._inode(known[0]), args[1])
        return self._named(name, known[0], known[-1])

    def _opened(self, place: tuple[int, str], flags: object, descriptor: object) -> list[Effect]:
        inode = self._inode(place)
        if inode is not None:
            self._open[descriptor] = inode
            is_cut = isinstance(flags, int) and flags & os.O_TRUNC
            return [Wrote(inode, b"")] if is_cut else []
        self._open[descriptor] = inode = self._disk.new_inode()
        mode = os.fstat(int(str(descriptor))).st_mode & 0o7777
        return [Wrote(inode, b""), Moded(inode, mode), Named(place[0], None, (place[1], inode))]

    def _through(self, name: str, result: object, args: tuple[object, ...]) -> list[Effect]:
        """Tell what was done through a descriptor; one of another place is none of ours."""
        inode = self._open.get(args[0])
        if inode is None:
            return []
        match name, args:
            case "fsync" | "fdatasync", _:
                return [Synced(inode, is_data_only=name == "fdatasync")]
            case "fchmod", (_, mode):
                return self._moded(inode, mode)
            case "ftruncate", (_, int(size)):
                return [Wrote(inode, self._disk.data_of(inode)[:size].ljust(size, b"\0"))]
            case "write" | "pwrite", (int(descriptor), bytes() | memoryview() as data, *at):
                count = int(str(result))
                start = at[0] if at else os.lseek(descriptor, 0, os.SEEK_CUR) - count
                return [self._written(inode, int(str(start)), bytes(data)[:count])]
        raise NotModelled(f"os.{name}{args}")

    def _written(self, inode: int, start: int, data: bytes) -> Wrote:
        before = self._disk.data_of(inode)
        head = before[:start].ljust(start, b"\0")
        return Wrote(inode, head + data + before[start + len(data) :])

    def _moded(self, inode: int | None, mode: object) -> list[Effect]:
        """Tell of a file's new mode; that of a folder is in no promise about power."""
        if inode is None or self._disk.is_folder(inode):
            return []
        return [Moded(inode, int(str(mode)))]

    def _named(self, name: str, first: tuple[int, str], last: tuple[int, str]) -> list[Effect]:
        inode = self._inode(first)
        if name == "mkdir":
            inode = self._disk.new_inode()
            return [MadeFolder(inode), Named(first[0], None, (first[1], inode))]
        if inode is None:
            raise NotModelled(f"os.{name} of {first}, which is not known")
        if name in {"unlink", "remove", "rmdir"}:
            return [Named(first[0], (first[1], inode), None)]
        if name == "link":
            return [Named(last[0], None, (last[1], inode))]
        if first[0] != last[0] or self._disk.is_folder(inode):
            raise NotModelled(f"os.{name} of a folder, or across folders: {first}, {last}")
        is_same = self._inode(last) == inode  # rename(2) of two names of one file does nothing
        return [] if is_same else [Named(first[0], (first[1], inode), (last[1], inode))]

    # --- names

    def _place(self, path: str, dir_fd: object) -> tuple[int, str] | None:
        """Return folder and name, the root's own being empty; None for what is elsewhere."""
        if dir_fd is not None:
            return (self._open[dir_fd], path) if dir_fd in self._open else None
        parts = Path(os.path.relpath(path, self._root)).parts
        if parts[:1] == ("..",):
            return None
        folder = ROOT
        for part in parts[:-1]:
            folder = self._disk.names[folder][part]
        return folder, parts[-1] if parts else ""

    def _inode(self, place: tuple[int, str]) -> int | None:
        return self._disk.names[place[0]].get(place[1]) if place[1] else ROOT

    def _text(self, name: str, args: tuple[object, ...]) -> str:
        """Return a call as a person reads it: what was opened by its path, data by its length."""
        first = self._path_of.get(args[0], args[0]) if name in _THROUGH else args[0]
        return " ".join([name, *(self._word(argument) for argument in (first, *args[1:]))])

    def _word(self, argument: object) -> str:
        if isinstance(argument, str | Path) and Path(argument).is_absolute():
            return os.path.relpath(argument, self._root)
        if isinstance(argument, bytes | memoryview):
            return f"({len(argument)} bytes)"
        return str(argument)
