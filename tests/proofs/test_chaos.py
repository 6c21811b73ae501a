"""The concurrency proof in its reduced form, and that its checks can fail."""

import re
from pathlib import Path

from tests.proofs.chaos_ground import Ground, Verdict, digest_of, whole
from tests.proofs.chaos_workers import judge
from tests.proofs.running import reduced


def test_many_processes_save_read_and_die_without_a_violation(tmp_path: Path) -> None:
    done = reduced("chaos", tmp_path)

    lines = done.stdout.splitlines()
    parts = ["seed", "savers", "killed", "one key", "commands", "editors", "containers", "chaos"]
    summary = re.fullmatch(
        r"chaos: (\d+) saves acknowledged, (\d+) kills, (\d+) conflicts, "
        r"(\d+) edits from outside, (\d+) reads, 0 violations",
        lines[-1],
    )
    assert [line.partition(":")[0] for line in lines] == parts, done.stdout + done.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert summary
    assert all(int(number) > 0 for number in summary.groups())


def test_a_part_that_tried_nothing_is_a_violation() -> None:
    verdict = Verdict()
    verdict.count("killed", saves=3, kills=0)
    assert verdict.violations == ["killed: no kills: nothing was tried"]


def test_a_torn_read_and_an_older_state_are_violations() -> None:
    first, second = whole([]), whole(["  w0_0: 0\n"])
    sights = [[first, second], [second, first], [first, second[:-1]], [b""]]
    reports: list[dict[str, object]] = [
        {"seen": [digest_of(data) for data in seen], "faults": [], "reads": len(seen)}
        for seen in sights
    ]
    verdict = Verdict()
    assert judge("it", reports, [first, second], verdict) == 7
    assert verdict.violations == [
        "it: a reader saw an older state after a newer one",
        "it: a reader saw 1 contents that no save has made",
        "it: a reader saw an older state after a newer one",
        "it: a reader saw 1 contents that no save has made",
    ]


def test_a_lost_save_a_lost_generation_and_a_leftover_are_violations(tmp_path: Path) -> None:
    ground, verdict = Ground(tmp_path / "ground").prepare(), Verdict()
    for number in range(6):
        ground.save(f"w0_{number}")
    ground.ledger.note("done", "w1_0")
    ground.ledger.note("refused", "w1_1", "busy.locked")
    (ground.home / "config.yml.bak.4").write_text("")
    (ground.home / "4913~").touch(mode=0o600)
    ground.settle("it", verdict)
    assert verdict.violations == [
        "it: refused w1_1 busy.locked",
        "it: acknowledged and lost: w1_0",
        "it: the generations are not the 5 states before the last",
        "it: left behind: 4913~",
    ]
