"""Power loss, in its reduced form; and that the disk, the recorder and the judge can say no."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.proofs.disk_judge import LIVE, Story, go_on
from tests.proofs.disk_model import Disk, build, disk_of, found
from tests.proofs.disk_recorder import NotModelled, Recorder
from tests.proofs.powerloss import QUICK, Replay, Tally, ground, tried
from tests.proofs.powerloss_cases import CASES, OLD, OLDER, Case, Recording, record

NEW = b"# note\nn: 1\nname: old\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder to be the disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def replay() -> Iterator[Replay]:
    """Give a replay with a folder of its own."""
    with ground() as folder:
        yield Replay(folder)


def test_power_may_fail_at_any_call_of_a_save_a_restore_or_an_edit(replay: Replay) -> None:
    total = Tally()
    for _, tally in tried(replay, QUICK):
        assert tally.judged > 0
        total.add(tally)
    assert [violation.text for violation in total.violations[:3]] == []
    assert total.recordings > 20
    assert total.judged > 1000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_recorded_with_its_end_synced(case: Case, replay: Replay) -> None:
    recording = record(case, replay.fresh())
    assert recording.calls
    disk = recording.before.copy()
    for call in recording.calls:
        disk.apply(call.effects)
    ends = {next(e.data for e in state if e.path == LIVE) for state in disk.states()}
    assert ends == {recording.story.acknowledged}


# --- protocols that are broken, and the one that is not


def put(path: Path, data: bytes, *, is_synced: bool = True) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, data)
    if is_synced:
        os.fsync(descriptor)
    os.close(descriptor)


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def publish(
    live: Path, *, is_synced: bool = True, is_folder_synced: bool = True, is_removed: bool = False
) -> None:
    shadow = live.with_name("config.yml.shadow")
    put(shadow, NEW, is_synced=is_synced)
    if is_removed:
        live.unlink()
    shadow.rename(live)
    if is_folder_synced:
        sync(live.parent)


def keep(live: Path, *, is_synced: bool = True) -> None:
    """Write the live file over the newest generation."""
    put(Path(f"{live}.bak.1"), OLD, is_synced=is_synced)
    publish(live)


def rotate_by_a_chain_of_renames(live: Path) -> None:
    for number in range(4, 0, -1):
        Path(f"{live}.bak.{number}").rename(f"{live}.bak.{number + 1}")
    keep(live)


def leave_something(live: Path) -> None:
    put(live.with_name("config.yml.tmp"), NEW)
    publish(live)


BROKEN: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "a shadow that is not synced": (
        lambda live: publish(live, is_synced=False),
        "config.yml is neither the old nor the new file",
    ),
    "a folder that is not synced": (
        lambda live: publish(live, is_folder_synced=False),
        "the action was acknowledged, and config.yml holds",
    ),
    "a live file that is written in place": (
        lambda live: put(live, NEW),
        "config.yml is neither the old nor the new file",
    ),
    "a live file that is removed first": (
        lambda live: publish(live, is_removed=True),
        "config.yml is neither the old nor the new file: None",
    ),
    "a chain of renames": (rotate_by_a_chain_of_renames, "generations lost"),
    "a generation that is not synced": (
        lambda live: keep(live, is_synced=False),
        "a generation was never whole",
    ),
    "a generation that is written over another": (keep, "generations lost"),
    "something left behind": (leave_something, "left behind after the next save"),
}


def replayed(replay: Replay, work: Callable[[Path], None], older: tuple[bytes, ...]) -> Tally:
    folder = replay.fresh()
    Case(name="", act=lambda _: None, older=older).prepare(folder)
    disk = disk_of(found(folder))
    before, recorder = disk.copy(), Recorder(folder, disk)
    with recorder.recording():
        work(folder / LIVE)
    has_kept = (folder / f"{LIVE}.bak.1").read_bytes() == OLD if older else False
    behind = (OLD, *older) if has_kept else older
    story = Story(histories={OLD: (OLD, *older), NEW: (NEW, *behind)}, acknowledged=NEW)
    return replay.run(Recording("work", "work", before, recorder.calls, story))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_protocol_is_found_out(name: str, replay: Replay) -> None:
    work, complaint = BROKEN[name]
    tally = replayed(replay, work, OLDER)
    assert any(complaint in violation.text for violation in tally.violations)


def test_the_bare_protocol_that_is_not_broken_passes(replay: Replay) -> None:
    tally = replayed(replay, publish, ())
    assert tally.violations == []
    assert tally.judged > 5


# --- the disk


def recorded(folder: Path, work: Callable[[], object]) -> Disk:
    disk = disk_of(found(folder))
    with Recorder(folder, disk).recording():
        work()
    return disk


def contents(disk: Disk) -> set[tuple[tuple[str, bytes | None], ...]]:
    return {tuple((entry.path, entry.data) for entry in state) for state in disk.states()}


def test_a_synced_file_may_have_no_name_until_its_folder_is_synced(folder: Path) -> None:
    def work() -> None:
        put(folder / "a", b"A")
        sync(folder)
        put(folder / "b", b"B")

    assert contents(recorded(folder, work)) == {(("a", b"A"),), (("a", b"A"), ("b", b"B"))}


def test_data_that_was_not_synced_may_be_lost_zeroed_or_torn(folder: Path) -> None:
    (folder / "a").write_bytes(b"old")
    disk = recorded(folder, lambda: put(folder / "a", b"1\n2", is_synced=False))
    left = {state[0].data for state in disk.states()}
    assert left == {b"old", b"1\n2", b"", b"1\n", b"\0\0\0", b"1\n\0"}


def test_a_rename_is_there_whole_or_not_at_all_and_any_of_two_may_be(folder: Path) -> None:
    for name in "abc":
        (folder / name).write_bytes(name.encode())

    def work() -> None:
        (folder / "b").rename(folder / "c")
        (folder / "a").rename(folder / "b")

    assert contents(recorded(folder, work)) == {
        (("a", b"a"), ("b", b"b"), ("c", b"c")),
        (("a", b"a"), ("c", b"b")),
        (("b", b"a"), ("c", b"b")),
        (("b", b"a"), ("c", b"c")),  # the first is lost, and what it saved with it
    }


def test_a_name_is_not_made_where_the_one_before_still_stands(folder: Path) -> None:
    (folder / "a").write_bytes(b"old")

    def work() -> None:
        (folder / "a").unlink()
        put(folder / "a", b"new")

    assert contents(recorded(folder, work)) == {(), (("a", b"old"),), (("a", b"new"),)}


def test_a_folder_that_is_not_synced_into_its_own_is_lost_with_all_in_it(folder: Path) -> None:
    def work() -> None:
        (folder / "home").mkdir()
        put(folder / "home" / "a", b"A")
        sync(folder / "home")

    kept = (("home", None), ("home/a", b"A"))
    assert contents(recorded(folder, work)) == {(), kept}


def test_a_mode_that_was_not_synced_may_be_the_old_one(folder: Path) -> None:
    (folder / "a").touch(mode=0o644)
    (folder / "a").chmod(0o644)
    disk = recorded(folder, lambda: (folder / "a").chmod(0o600))
    assert {state[0].mode for state in disk.states()} == {0o644, 0o600}


def test_a_state_that_is_built_is_the_state_that_is_found(folder: Path) -> None:
    source, target = folder / "source", folder / "target"
    source.mkdir()
    target.mkdir()
    put(source / "a", b"A")
    os.link(source / "a", source / "b")
    (source / "folder").mkdir(mode=0o700)
    put(source / "folder" / "c", b"C")
    build(found(source), target)
    assert found(target) == found(source) == disk_of(found(source)).present()
    assert (target / "a").samefile(target / "b")


# --- the recorder

NOT_MODELLED: Mapping[str, Callable[[Path], object]] = {
    "symlink": lambda folder: (folder / "b").symlink_to(folder / "a"),
    "truncate": lambda folder: os.truncate(folder / "a", 0),
    "write through io": lambda folder: (folder / "a").write_bytes(b"B"),
    "rename to another folder": lambda folder: (folder / "a").rename(folder / "sub" / "a"),
    "rename of a folder": lambda folder: (folder / "sub").rename(folder / "sub2"),
    "rename to another place": lambda folder: (folder / "a").rename(folder.parent / "a"),
}


@pytest.mark.parametrize("name", NOT_MODELLED)
def test_what_is_not_modelled_is_refused(name: str, folder: Path) -> None:
    (folder / "sub").mkdir()
    put(folder / "a", b"A")
    with pytest.raises(NotModelled):
        recorded(folder, lambda: NOT_MODELLED[name](folder))


def test_the_functions_of_os_are_as_they_were_after_a_recording(folder: Path) -> None:
    before = dict(vars(os))
    recorded(folder, lambda: put(folder / "a", b"A"))
    assert dict(vars(os)) == before


@pytest.mark.parametrize("data", [b"", bytes(50), b"\xff\xfe garbage", b"1\tb\tc\td\n"])
def test_what_a_lock_file_holds_is_nothing_to_the_next_save(folder: Path, data: bytes) -> None:
    Case(name="", act=lambda _: None).prepare(folder)
    (folder / f"{LIVE}.lock").write_bytes(data)
    assert go_on(folder) == OLD.replace(b"n: 0", b"n: 99")
