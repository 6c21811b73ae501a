"""What the state machine of guard 1 works with: real homes, the real program, both stores."""

import os
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import yaml
from hypothesis.stateful import RuleBasedStateMachine, invariant

from amx.core.profiles import profile_of
from tests.sessions.kills import killed_at
from tests.sessions.machine_model import DONE, REFUSED, Command, Model, Talk
from tests.sessions.shell import untouched
from tests.support import Done
from tests.zygote import Zygote

COUNTED: Counter[str] = Counter()
"""What the machine has tried, over all its examples."""

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files need no disk: a kill is no power cut."""

TARGETS = range(3)
NAMES = ("shop", "twin", "-x", "söld")

VARIABLES = {"--profile=": "AMX_PROFILE", "--session=": "AMX_SESSION"}

Shared = tuple[dict[str, tuple[str, str]], list[tuple[str, str, str, str]]]
"""Of a shared store: the binding of each session, and session, binding and text of each turn."""


class World(RuleBasedStateMachine):
    """One installation with its databases, a shared store, and the comparison with the model."""

    zygote: Zygote
    """What runs the program; given by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory(prefix="amx-guard-1-", dir=MEMORY)
        self.folder = Path(self.temporary.name)
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)
        for target in TARGETS:
            with closing(sqlite3.connect(self.path(target))) as connection:
                connection.execute("CREATE TABLE prices (id INTEGER PRIMARY KEY, amount REAL)")
        self.identities = {
            profile_of("p", self.settings(target), {}).identity: target for target in TARGETS
        }
        self.model = Model({"shop": 0}, "shop")
        profiles = {"shop": self.settings(0), "team": self.team()}
        text = yaml.safe_dump({"db_profiles": profiles, "active_db_profile": "shop"})
        (self.home / "config.yml").write_text(text)
        (self.home / "config.yml").chmod(0o600)
        self.run("history-store", "enable", "--profile", "team")
        self.steps = 0
        self.began: dict[str, tuple[str, str]] = {}
        self.texts: dict[str, set[str]] = {}

    def path(self, target: int) -> Path:
        """Return the file of a database."""
        return self.folder / f"{target}.db"

    def settings(self, target: int) -> dict[str, object]:
        """Return the settings of a profile that points at a database."""
        return {"backend": "sqlite", "path": str(self.path(target))}

    def team(self) -> dict[str, object]:
        """Return the settings of the shared store's profile."""
        return {"backend": "sqlite", "path": str(self.folder / "team.db")}

    def shared(self) -> Shared:
        """Return the sessions and turns of the shared store."""
        with closing(sqlite3.connect(self.folder / "team.db")) as connection:
            sessions = connection.execute("SELECT id, profile, identity FROM sessions")
            bindings = {key: (profile, identity) for key, profile, identity in sessions}
            turns = connection.execute("SELECT session_id, profile, identity, content FROM turns")
            return bindings, turns.fetchall()

    def teardown(self) -> None:
        """Let everything arrive, unless something went wrong; remove what was made."""
        if sys.exc_info()[0] is None:
            self.everything_arrives()
        self.temporary.cleanup()

    # --- the program

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Done:
        """Run the real program."""
        environ = {**os.environ, "AMX_HOME": str(self.home), **(env or {})}
        told = self.zygote.run(args, environ, "", 60)
        assert told
        return Done(*told)

    def do(self, command: Command, *, is_by_variables: bool) -> None:
        """Do a command and expect what the model says; a refusal changes nothing."""
        code, expected = self.model.after(command)
        words, env = self.words(command), dict[str, str]()
        if is_by_variables:
            told = [word.partition("=") for word in words if word.startswith(tuple(VARIABLES))]
            env = {VARIABLES[f"{option}="]: value for option, _, value in told}
            words = [word for word in words if not word.startswith(tuple(VARIABLES))]
        with untouched(self.home) if code else nullcontext():
            done = self.run(*words, env=env)
        assert done.code == code, (command, done)
        if code == REFUSED:
            is_alike = "which points at the same database" in done.err
            COUNTED["refused though the database is the same"] += is_alike
        self.model = expected
        COUNTED[f"{command.verb} {code}"] += 1
        COUNTED[f"by variables {code}"] += is_by_variables

    def kill(self, command: Command, step: int) -> None:
        """Kill a command before one of its steps: all of it has happened, or nothing."""
        before, (_, after) = self.model, self.model.after(command)
        with _environment(self.home):
            is_killed = killed_at(step, *self.words(command))
        self.run("session", "current")  # ends what was begun
        found = self.observed()
        assert found in ((before, after) if is_killed else (after,)), (command, found, before)
        self.model = found
        COUNTED["killed"] += is_killed
        COUNTED["killed too late"] += is_killed and before != after and found == after

    def words(self, command: Command) -> list[str]:
        """Return a command as it is typed."""
        profile = [f"--profile={command.name}"] if command.name else []
        session = [] if command.key is None else [f"--session={command.key}"]
        key, name, text = str(command.key), command.name or "", command.text
        sqlite = ["--backend", "sqlite", "--path", str(self.path(command.target))]
        return {
            "add": ["db", "add", *sqlite, "--", name],
            "use": ["db", "use", "--", name],
            "remove": ["db", "remove", "--", name],
            "move": ["db", "rename", "--", name, command.other],
            "repoint": [
                "config",
                "set",
                f'db_profiles."{name}".path',
                str(self.path(command.target)),
            ],
            "new": ["session", "new", *profile, f"--title={text}"],
            "ask": ["ask", text, *profile, *session, *(["--new"] if command.is_new else [])],
            "resume": ["session", "resume", key, *profile],
            "current": ["session", "current", *profile, *session],
            "end": ["session", "end", *profile, *([] if command.key is None else [key])],
            "title": ["session", "rename", key, text],
            "delete": ["session", "delete", key],
            "show": ["session", "show", "--id", key],
        }[command.verb]

    # --- the comparison

    def observed(self) -> Model:
        """Return the world as the two files have it, read without amx."""
        config = yaml.safe_load((self.home / "config.yml").read_text())
        paths = {str(self.path(target)): target for target in TARGETS}
        found = Model(active=config.get("active_db_profile"))
        for name, settings in config["db_profiles"].items():
            if name != "team":
                found.profiles[name] = paths[settings["path"]]
        with closing(sqlite3.connect(self.home / "local.db")) as connection:
            self._read(connection, found)
        return found

    def _read(self, connection: sqlite3.Connection, found: Model) -> None:
        sql = "SELECT id, owner, profile, identity, status, title, turn_count FROM sessions ORDER BY local_id"
        numbers: dict[str, int] = {}
        for key, owner, began, identity, status, title, count in connection.execute(sql).fetchall():
            numbers[key] = len(numbers) + 1
            assert self.began.setdefault(key, (began, identity)) == (began, identity)
            talk = Talk(owner, self.identities[identity], status, title)
            sql = "SELECT role, content, profile, identity FROM turns WHERE session_id = ? ORDER BY turn_index"
            turns = connection.execute(sql, (key,)).fetchall()
            assert {tuple(turn[2:]) for turn in turns} <= {(began, identity)}, "a turn has crossed"
            assert (count, [turn[0] for turn in turns]) == (
                len(turns),
                ["user", "assistant"] * (count // 2),
            )
            talk.questions = [turn[1] for turn in turns if turn[0] == "user"]
            if status == "deleted":
                assert {turn[1] for turn in turns} <= {""}, "text of a deleted session is left"
            self.texts.setdefault(key, {""}).update(turn[1] for turn in turns)
            found.talks.append(talk)
        for owner, identity, key in connection.execute("SELECT * FROM active_sessions"):
            found.pointers[owner, self.identities[identity]] = numbers[key]

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        """Both files are what the model says, and nothing has crossed, here or in the store."""
        assert self.observed() == self.model
        bindings, turns = self.shared()
        assert bindings.items() <= self.began.items(), "a shared session is bound otherwise"
        for key, profile, identity, text in turns:
            assert self.began[key] == (profile, identity), "a shared turn has crossed"
            assert text in self.texts[key], "a shared turn has another text"

    def everything_arrives(self) -> None:
        """After a flush the shared store has every turn, and no text of deleted sessions."""
        assert self.run("history-store", "enable", "--profile", "team").code == DONE
        assert self.run("history-store", "migrate-from-local").code == DONE
        verified = self.run("history-store", "verify", "--json")
        assert (verified.code, verified.json["equal"]) == (DONE, True)
        bindings, turns = self.shared()
        assert bindings == self.began
        assert len(turns) == 2 * sum(len(one.questions) for one in self.model.talks)
        gone = {
            key
            for key, one in zip(self.began, self.model.talks, strict=True)
            if one.status == "deleted"
        }
        assert {turn[3] for turn in turns if turn[0] in gone} <= {""}, "deleted text is shared"
        COUNTED["deleted and flushed"] += bool(gone)


@contextmanager
def _environment(home: Path) -> Iterator[None]:
    before = os.environ["AMX_HOME"]
    os.environ["AMX_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ["AMX_HOME"] = before
