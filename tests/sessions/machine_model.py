"""What the state machine of guard 1 believes: profiles, sessions and pointers as plain values.

It uses nothing of amx: what a command does to the world is written here a second time.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

DONE, WRONG, REFUSED = 0, 2, 3
"""Exit codes."""


@dataclass
class Talk:
    """A session: its profile by the name that it has now, its database, what was asked."""

    owner: str
    target: int
    status: str = "open"
    title: str = ""
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command, in words that the model understands."""

    verb: str
    name: str | None = None
    """The profile that is named; None for the active one."""
    other: str = ""
    target: int = 0
    key: int | None = None
    """The number of a session, which need not exist; None for the active one."""
    text: str = ""
    is_new: bool = False


@dataclass
class Model:
    """The configuration's profiles, and the history."""

    profiles: dict[str, int] = field(default_factory=dict)
    active: str | None = None
    talks: list[Talk] = field(default_factory=list)
    pointers: dict[tuple[str, int], int] = field(default_factory=dict)

    def after(self, command: Command) -> tuple[int, Model]:
        """Return with which exit code a command ends, and how the world is then."""
        changed = deepcopy(self)
        code: int = getattr(changed, f"_{command.verb}")(command)
        return code, changed if code == DONE else self

    # --- profiles

    def _add(self, command: Command) -> int:
        assert command.name is not None
        if command.name in self.profiles:
            return WRONG
        self.profiles[command.name] = command.target
        self.active = self.active or command.name
        return DONE

    def _use(self, command: Command) -> int:
        if command.name not in self.profiles:
            return WRONG
        self.active = command.name
        return DONE

    def _remove(self, command: Command) -> int:
        if command.name not in self.profiles:
            return WRONG
        del self.profiles[command.name]
        self.active = None if self.active == command.name else self.active
        return DONE

    def _repoint(self, command: Command) -> int:
        if command.name in self.profiles:
            self.profiles[command.name] = command.target
        return DONE

    def _move(self, command: Command) -> int:
        old, new = command.name, command.other
        is_had = any(one.owner == new and one.status != "deleted" for one in self.talks)
        if old not in self.profiles or new in self.profiles or is_had:
            return WRONG
        self.profiles[new] = self.profiles.pop(old)
        self.active = new if self.active == old else self.active
        for one in self.talks:
            one.owner = new if one.owner == old else one.owner
        self.pointers = {
            (new if name == old else name, target): number
            for (name, target), number in self.pointers.items()
        }
        return DONE

    # --- sessions

    def _new(self, command: Command) -> int:
        if (bound := self._chosen(command)) is None:
            return WRONG
        self._begin(bound, command.text)
        return DONE

    def _ask(self, command: Command) -> int:
        bound = self._chosen(command)
        if bound is None:
            return WRONG
        number = self._pointed(bound) if command.key is None else command.key
        if command.is_new or number is None:
            number = self._begin(bound, "")
        elif code := self._kept_away(number, bound):
            return code
        talk = self.talks[number - 1]
        if not talk.questions:
            talk.title = talk.title or command.text
        talk.questions.append(command.text)
        talk.status = "open"
        return DONE

    def _resume(self, command: Command) -> int:
        bound = self._chosen(command)
        number = command.key or 0
        if bound is None:
            return WRONG
        if code := self._kept_away(number, bound):
            return code
        self.talks[number - 1].status = "open"
        self.pointers[bound] = number
        return DONE

    def _current(self, command: Command) -> int:
        bound = self._chosen(command)
        if bound is None:
            return WRONG
        return DONE if command.key is None else self._kept_away(command.key, bound)

    def _end(self, command: Command) -> int:
        bound = self._chosen(command)
        if command.key is None:
            number = self._pointed(bound) if bound else None
            if number is None:
                return DONE
        elif not self._is_there(number := command.key):
            return WRONG
        talk = self.talks[number - 1]
        talk.status = "ended"
        self._point_no_more(talk, number)
        return DONE

    def _title(self, command: Command) -> int:
        if not self._is_there(command.key):
            return WRONG
        self.talks[(command.key or 0) - 1].title = command.text
        return DONE

    def _delete(self, command: Command) -> int:
        if not self._is_there(command.key):
            return WRONG
        number = command.key or 0
        talk = self.talks[number - 1]
        talk.status, talk.title = "deleted", ""
        talk.questions = [""] * len(talk.questions)
        self._point_no_more(talk, number)
        return DONE

    def _show(self, command: Command) -> int:
        return DONE if self._is_there(command.key) else WRONG

    # --- the rule

    def _chosen(self, command: Command) -> tuple[str, int] | None:
        name = command.name or self.active
        return (name, self.profiles[name]) if name in self.profiles and name else None

    def _pointed(self, bound: tuple[str, int]) -> int | None:
        number = self.pointers.get(bound)
        return number if number and self.talks[number - 1].status == "open" else None

    def _kept_away(self, number: int, bound: tuple[str, int]) -> int:
        if not self._is_there(number):
            return WRONG
        talk = self.talks[number - 1]
        return DONE if (talk.owner, talk.target) == bound else REFUSED

    def _is_there(self, number: int | None) -> bool:
        known = number is not None and 0 < number <= len(self.talks)
        return known and self.talks[(number or 0) - 1].status != "deleted"

    def _begin(self, bound: tuple[str, int], title: str) -> int:
        self.talks.append(Talk(*bound, title=title))
        self.pointers[bound] = len(self.talks)
        return len(self.talks)

    def _point_no_more(self, talk: Talk, number: int) -> None:
        if self.pointers.get((talk.owner, talk.target)) == number:
            del self.pointers[talk.owner, talk.target]
