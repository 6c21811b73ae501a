"""A disk that keeps no more than it promised when its power fails.

What it promised: the data and the mode of a file up to its last fsync, and the names in a folder up
to the folder's last fsync. Everything later it may keep, lose or half keep:

- data that was not synced may be there, be lost, be cut short or be zeros;
- of the changes of names that were not synced any subset may be there, applied in their order
  where they can be: a name is not created or linked where one still stands, nor renamed or
  removed where another file has it. A rename is there whole or not at all.

An fsync of a *file* does not make its name durable: ext4 does more, POSIX does not ask for it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = 0
"""The inode of the folder that the disk is mounted on."""

HELD = b"1\thost\tdied\t2026-01-01T00:00:00Z\n"
"""What a lock file that was written to holds after a power failure, whatever was written."""

Names = frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Named:
    """A change of names in a folder, there whole or not at all; a missing side is None."""

    folder: int
    taken: tuple[str, int] | None
    given: tuple[str, int] | None

    def after(self, names: Names) -> Names | None:
        """Return the names with this change made; None where it cannot be made in them."""
        changed = dict(names)
        if self.taken is not None:
            if changed.get(self.taken[0]) != self.taken[1]:
                return None
            del changed[self.taken[0]]
        if self.given is not None:
            if self.taken is None and self.given[0] in changed:
                return None
            changed[self.given[0]] = self.given[1]
        return frozenset(changed.items())


@dataclass(frozen=True, slots=True)
class MadeFolder:
    """A folder that has no name yet."""

    inode: int


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a file holds from now on."""

    inode: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Moded:
    """The mode that a file has from now on."""

    inode: int
    mode: int


@dataclass(frozen=True, slots=True)
class Synced:
    """The names in a folder, or a file's data and, unless ``is_data_only``, mode are durable."""

    inode: int
    is_data_only: bool = False


Effect = Named | MadeFolder | Wrote | Moded | Synced


class Call(NamedTuple):
    """One system call, as a person reads it, and what it did to the disk."""

    text: str
    effects: Sequence[Effect]


class Entry(NamedTuple):
    """A name on a disk: a file's bytes (a folder: None), its mode, its first name if it has two."""

    path: str
    data: bytes | None
    mode: int = 0
    first_name: str = ""


State = tuple[Entry, ...]
"""All that is on a disk, by path; two equal states are one."""

Tree = Mapping[str, int]
"""Inodes by path."""


class Disk:
    """The names and files below one folder: what they are, and what may be left of them."""

    def __init__(self) -> None:
        self.names: dict[int, dict[str, int]] = {ROOT: {}}
        self._possible: dict[int, dict[Names, None]] = {ROOT: {frozenset(): None}}
        self._data: dict[int, list[bytes]] = {}
        self._modes: dict[int, list[int]] = {}

    def copy(self) -> "Disk":
        """Return a disk that goes its own way from here."""
        return deepcopy(self)

    def new_inode(self) -> int:
        """Return a number that no file or folder has had."""
        return len(self._data) + len(self.names)

    def is_folder(self, inode: int) -> bool:
        """Tell whether an inode is that of a folder."""
        return inode in self.names

    def data_of(self, inode: int) -> bytes:
        """Return what a file holds now."""
        return self._data[inode][-1]

    def apply(self, effects: Sequence[Effect]) -> None:
        """Do what a call did; nothing of it is durable but what is synced."""
        for effect in effects:
            match effect:
                case Named():
                    self._name(effect)
                case MadeFolder(inode):
                    self.names[inode], self._possible[inode] = {}, {frozenset(): None}
                case Wrote(inode, data):
                    self._data.setdefault(inode, []).append(data)
                case Moded(inode, mode):
                    self._modes.setdefault(inode, []).append(mode)
                case Synced(inode) if inode in self.names:
                    self._possible[inode] = {frozenset(self.names[inode].items()): None}
                case Synced(inode, is_data_only):
                    del self._data[inode][:-1]
                    del self._modes[inode][: 0 if is_data_only else -1]

    def sync(self) -> None:
        """Make everything durable, as it is when a machine starts."""
        self.apply([Synced(inode) for inode in (*self.names, *self._data)])

    def present(self) -> State:
        """Return what a running system sees, and a process that follows a killed one."""
        (tree,) = self._trees(ROOT, "", {i: [frozenset(n.items())] for i, n in self.names.items()})
        return _state(tree, {i: (data[-1], self._modes[i][-1]) for i, data in self._data.items()})

    def states(self) -> Iterator[State]:
        """Return every state that may be found when the power fails now."""
        for tree in self._trees(ROOT, "", self._possible):
            inodes = [one for one in dict.fromkeys(tree.values()) if one in self._data]
            locks = {inode for path, inode in tree.items() if path.endswith(".lock")}
            left = [self._left_of(inode, is_lock=inode in locks) for inode in inodes]
            for chosen in product(*left):
                yield _state(tree, dict(zip(inodes, chosen, strict=True)))

    def _name(self, change: Named) -> None:
        after = change.after(frozenset(self.names[change.folder].items()))
        if after is None:
            raise ValueError(f"{change} in {self.names[change.folder]}")
        self.names[change.folder] = dict(after)
        possible = self._possible[change.folder]
        possible |= {one: None for names in possible if (one := change.after(names)) is not None}

    def _trees(
        self, folder: int, path: str, possible: Mapping[int, Sequence[Names] | dict[Names, None]]
    ) -> Iterator[dict[str, int]]:
        """Yield each way in which the names below a folder may be found."""
        for names in possible[folder]:
            here = {path + name: inode for name, inode in sorted(names)}
            below = [
                list(self._trees(inode, f"{name}/", possible))
                for name, inode in here.items()
                if self.is_folder(inode)
            ]
            for trees in product(*below):
                tree = dict(here)
                for one in trees:
                    tree |= one
                yield tree

    def _left_of(self, inode: int, *, is_lock: bool) -> list[tuple[bytes, int]]:
        """Return data and mode that may be left of a file.

        What a lock file holds tells of processes, and none of them is there after a power
        failure: one text does for all that it may hold.
        """
        durable, *written = self._data[inode]
        data = dict.fromkeys([durable, *(part for one in written for part in damaged(one))])
        if is_lock:
            data = {HELD if self.data_of(inode) else b"": None}
        return list(product(data, dict.fromkeys(self._modes[inode])))


def damaged(data: bytes) -> list[bytes]:
    """Return what may be left of bytes that were written and not synced.

    A cut at the end of a line is the one that a parser does not notice.
    """
    line = data.find(b"\n") + 1
    cuts = [data, b"", data[:line], data[:-1]]
    return [*cuts, bytes(len(data)), data[:line] + bytes(len(data) - line)]


def _state(tree: Tree, files: Mapping[int, tuple[bytes, int]]) -> State:
    first: dict[int, str] = {}
    entries = []
    for path, inode in sorted(tree.items()):
        if inode in files:
            entries.append(Entry(path, *files[inode], first.setdefault(inode, path)))
        else:
            entries.append(Entry(path, None))
    return tuple(entries)


def build(state: State, root: Path) -> None:
    """Make real files of a state in a folder that is there and empty."""
    for entry in state:
        path = root / entry.path
        if entry.data is None:
            path.mkdir(mode=0o700)
        elif entry.first_name != entry.path:
            path.hardlink_to(root / entry.first_name)
        else:
            path.write_bytes(entry.data)
            path.chmod(entry.mode)


def found(root: Path) -> State:
    """Return the state of real files."""
    tree: dict[str, int] = {}
    files: dict[int, tuple[bytes, int]] = {}
    for folder, _, names in os.walk(root):
        path = os.path.relpath(folder, root)
        if path != ".":
            tree[path] = ROOT
        for name in names:
            file = Path(folder, name)
            status = file.lstat()
            tree[name if path == "." else f"{path}/{name}"] = status.st_ino
            files[status.st_ino] = (file.read_bytes(), status.st_mode & 0o7777)
    return _state(tree, files)


def disk_of(state: State) -> Disk:
    """Return a disk on which a state is durable."""
    disk = Disk()
    inodes = {"": ROOT}
    for entry in state:
        folder, _, name = entry.path.rpartition("/")
        inode = inodes.get(entry.first_name) if entry.first_name else None
        if inode is None:
            inode = inodes[entry.path] = disk.new_inode()
            made: list[Effect] = [MadeFolder(inode)]
            if entry.data is not None:
                made = [Wrote(inode, entry.data), Moded(inode, entry.mode)]
            disk.apply(made)
        disk.apply([Named(inodes[folder], None, (name, inode))])
    disk.sync()
    return disk
