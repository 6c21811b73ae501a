"""What the demo plays: two engineers, one shared store, an outage, and each guard at work."""

import json
import socket
import stat
from pathlib import Path

from amx import __version__
from amx.catalogs.sample import build_shop
from amx.core.config.disk import PRIVATE
from amx.demo.kills import kill_saves
from amx.demo.stage import Engineer, Stage
from amx.demo.store import DemoStore

QUESTION = "which table holds the prices of products?"


def play(stage: Stage, store: DemoStore) -> None:
    """Play all of it.

    Raises:
        CheckFailed: a step did not do what it says.
    """
    shop, archive = stage.folder / "shop.db", stage.folder / "archive.db"
    build_shop(shop)
    build_shop(archive)
    ada, grace = (stage.engineer(name, store.environ) for name in ("ada", "grace"))
    for engineer in (ada, grace):
        _set_up(stage, engineer, shop, store)
    for engineer in (ada, grace):
        _work(stage, engineer)
    _team(stage, grace)
    _guard_1(stage, ada, archive)
    _guard_2(stage, ada)
    _outage(stage, ada, store)
    _guard_4(stage, ada)


def _set_up(stage: Stage, who: Engineer, shop: Path, store: DemoStore) -> None:
    stage.chapter(f"{who.name} sets up: a database to document, a store to share with the team")
    stage.amx(who, "db", "add", "shop", "--backend", "sqlite", "--path", str(shop))
    stage.amx(who, "db", "add", "team", *store.words)
    stage.amx(who, "db", "test", "shop", says=["tables and views"])
    stage.amx(who, "history-store", "enable", "--profile", "team", *store.enable)


def _work(stage: Stage, who: Engineer) -> None:
    stage.chapter(f"{who.name} works: a run, a question")
    stage.amx(who, "run", says=["completed"])
    stage.amx(who, "ask", QUESTION, says=["Cites: "])
    stage.amx(who, "history", "list", says=["completed", who.name])


def _team(stage: Stage, who: Engineer) -> None:
    stage.chapter("Guard 3: the store says who did what, where, with which version")
    done = stage.amx(who, "history-store", "team", "--json")
    members = json.loads(done.stdout)["members"]
    seen = {(one["created_by"], one["hostname"], *one["client_versions"]) for one in members}
    expected = {(name, socket.gethostname(), __version__) for name in ("ada", "grace")}
    stage.check("both stand in it with host and version", is_true=seen == expected)


def _guard_1(stage: Stage, who: Engineer, archive: Path) -> None:
    stage.chapter("Guard 1: a session does not follow to another database")
    stage.amx(who, "db", "add", "archive", "--backend", "sqlite", "--path", str(archive))
    stage.amx(who, "db", "use", "archive")
    stage.amx(who, "session", "resume", "1", code=3, says=["shop", "archive"])
    stage.amx(who, "ask", QUESTION, "--session", "1", code=3, says=["shop"])
    stage.amx(who, "session", "show", "--id", "1", says=[QUESTION])
    stage.amx(who, "db", "use", "shop")
    stage.amx(who, "session", "resume", "1", says=["Resumed session 1"])


def _guard_2(stage: Stage, who: Engineer) -> None:
    stage.chapter("Guard 2: without a terminal the picker is refused; subcommands never ask")
    stage.amx(who, "history-store", code=2, says=["status", "flush-pending"])
    stage.amx(who, "history-store", "status")


def _outage(stage: Stage, who: Engineer, store: DemoStore) -> None:
    stage.chapter("The store goes away; work goes on and is queued")
    store.take_away()
    stage.amx(who, "ask", "what does an order consist of?", says=["queued"])
    stage.amx(who, "run", says=["completed"])
    stage.amx(who, "history-store", "flush-pending", code=4)
    pending = _pending(stage, who)
    stage.check(f"the queue has grown ({pending} rows)", is_true=pending > 0)
    stage.chapter("The store returns; nothing was lost")
    store.bring_back()
    stage.amx(who, "history-store", "flush-pending", says=["Delivered"])
    stage.check("the queue is empty", is_true=_pending(stage, who) == 0)
    done = stage.amx(who, "history-store", "verify", "--json")
    stage.check("both sides are equal", is_true=json.loads(done.stdout)["equal"])


def _pending(stage: Stage, who: Engineer) -> int:
    done = stage.amx(who, "history-store", "status", "--json")
    return int(json.loads(done.stdout)["pending"])


def _guard_4(stage: Stage, who: Engineer) -> None:
    stage.chapter("Guard 4: saves of the configuration are killed half-way")
    killed, is_whole = kill_saves(who.config, "demo_saves")
    claim = f"{killed} saves were killed with SIGKILL, each at another call"
    stage.check(claim, is_true=killed > 0)
    stage.check("the configuration was whole after each", is_true=is_whole)
    leftovers = sorted(path.name for path in who.home.glob("config.yml*") if _is_leftover(path))
    stage.check("the save that got through left nothing behind", is_true=not leftovers)
    stage.amx(who, "config", "validate")
    stage.chapter("A restore, and its undo")
    before = who.config.read_bytes()
    stage.amx(who, "config", "set", "llm_profiles.local.model", "wrong")
    changed = who.config.read_bytes()
    stage.amx(who, "config", "backups")
    stage.amx(who, "config", "restore", "1")
    stage.check("the file is what it was, byte for byte", is_true=who.config.read_bytes() == before)
    stage.amx(who, "restore-config", "1")
    stage.check("the undo undid it", is_true=who.config.read_bytes() == changed)
    mode = stat.S_IMODE(who.config.stat().st_mode)
    stage.check("only its owner can read it", is_true=mode == PRIVATE)


def _is_leftover(path: Path) -> bool:
    names = {"config.yml", "config.yml.lock", "config.yml.edit.lock"}
    return path.name not in names and not path.name[:-1].endswith(".bak.")
