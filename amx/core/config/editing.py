"""What `config edit` makes of a text: it is saved, merged with what others did, or kept aside."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from amx.core.config import syntax
from amx.core.config.drafts import Draft
from amx.core.config.merge import Values, between, conflict, conflicts, merged_text
from amx.core.config.model import Changes, applied, same
from amx.core.config.publication import LiveChanged, NamedFailures, Publication
from amx.core.config.reading import MAX_BYTES, Raw, check_types, too_large
from amx.core.config.saving import Saver
from amx.core.errors import AmxError, ConfigError, EditConflict, EditorFailed, SaveFailed

OPEN_AGAIN = "amx config edit opens what was kept aside; amx config edit --discard begins anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """How an edit ended."""

    is_changed: bool
    is_merged: bool = False


class Editing:
    """One edit, from the copy for the editor to its end.

    Args:
        live: The real file.
        saver: What saves it.
        raw: Reads its bytes as they are now; raises where they cannot be edited.

    ``changes`` are those of the text, when it was saved; None where it cannot be said.
    """

    def __init__(self, live: Path, saver: Saver, raw: Callable[[], Raw | None]) -> None:
        self._live = live
        self._saver = saver
        self._drafts = saver.drafts
        self._raw = raw
        self._is_merged = False
        self.values: Values | None = None
        self.changes: Changes | None = None

    def run(
        self, change: Callable[[Path], None], told: Callable[[str], None], *, is_fresh: bool
    ) -> Edited:
        """Let the copy be changed, then save it. What cannot be saved is kept aside.

        Args:
            change: Changes the file at this path.
            told: Called with what a person should know.
            is_fresh: Whether what was kept aside is thrown away before.

        Raises:
            AmxError: it cannot be saved; the message says where it is kept.
        """
        raw = self._raw()
        with NamedFailures(self._live):
            if is_fresh:
                self._drafts.discard()
            is_again = self._drafts.begin(raw.data if raw else b"")
        if is_again:
            told(f"Opened again: {self._drafts.rejected}, which could not be saved.")
        try:
            change(self._drafts.copy)
            is_changed = self._saved()
        except AmxError as error:
            self._keep_aside(error)
            raise
        with suppress(OSError):  # it is saved; the next save removes what is left
            self._drafts.discard()
        return Edited(is_changed=is_changed, is_merged=self._is_merged)

    def _keep_aside(self, error: AmxError) -> None:
        """Keep the text, and add where it is to what went wrong; that is never told instead."""
        try:
            if not self._drafts.recover():
                return
            told, kept = f"{self._live} is unchanged; your text is in", self._drafts.rejected
        except OSError:  # whoever comes next moves it from there
            told, kept = "Your text is in", self._drafts.copy
        is_of_the_text = isinstance(error, EditConflict | EditorFailed) or error.hint is None
        error.hint = OPEN_AGAIN if is_of_the_text else f"{error.hint}; then amx config edit"
        error.message = f"{error.message} {told} {kept}."
        error.details["kept"] = str(kept)

    def _saved(self) -> bool:
        with NamedFailures(self._live):
            draft = self._drafts.read()
        if draft is None:
            raise EditorFailed("The editor left no text. Nothing was changed.", hint=OPEN_AGAIN)
        if draft.text == draft.base:
            return False
        self._understood(draft)
        return self._saver.save("amx config edit", self._publish)

    def _understood(self, draft: Draft) -> dict[str, object]:
        where = str(self._drafts.rejected)
        try:
            if draft.size > MAX_BYTES:
                raise too_large(where, draft.size)
            document = syntax.read(draft.text, where)
            check_types(document, where)
        except ConfigError as error:
            error.hint = None  # a restore is no help where nothing is broken
            raise
        return document.values

    def _publish(self, publication: Publication) -> bool:
        raw, draft = self._raw(), self._drafts.read()
        if draft is None:
            raise LiveChanged  # somebody tidied up: begin again, and find nothing to save
        if (raw.data if raw else b"") != draft.base:
            draft = self._reconciled(draft, raw)
        values = self._understood(draft)
        if raw is None or raw.data != draft.text:
            sight = raw.sight if raw else None
            publication.publish(iter([draft.text]), sight, self._saver.gate(values))
        self.values = values
        if self.changes is None:
            self.changes = _changes(draft.base, values)
        return raw is None or raw.data != draft.text

    def _reconciled(self, draft: Draft, raw: Raw | None) -> Draft:
        """Merge the draft with what others made of the file meanwhile, and let it begin there."""
        live = raw.data if raw else b""
        mine, theirs = self._understood(draft), _values(live, str(self._live), is_new=raw is None)
        try:
            base = _values(draft.base, "what the edit began from", is_new=True)
        except ConfigError as error:
            self._drafts.rebase(draft.text, live)
            raise self._unmergeable(
                "what this edit began from is no valid configuration"
            ) from error
        changes, their_changes = between(base, mine), between(base, theirs)
        if met := conflicts(base, theirs, changes):
            self._take_over(draft, live, mine, base, their_changes)
            raise conflict(met, theirs, changes)
        wanted = applied(theirs, changes)
        text = self._text_with(draft, live, wanted, their_changes, is_mine_first=False)
        if text is None:
            raise self._unmergeable(
                "the file has something that amx cannot write; take their change in"
            )
        data = text.encode()
        self._drafts.rebase(data, live)
        self.changes = self.changes or changes
        self._is_merged = True
        return Draft(data, live, len(data))

    def _take_over(
        self, draft: Draft, live: bytes, mine: Values, base: Values, their_changes: Changes
    ) -> None:
        """Bring into a draft what does not meet its own changes; the rest has been told."""
        met = conflicts(base, mine, their_changes)
        apart = {key: value for key, value in their_changes.items() if key not in met}
        text = self._text_with(draft, live, applied(mine, apart), apart, is_mine_first=True)
        if text is not None:
            self._drafts.rebase(text.encode(), live)

    def _text_with(
        self, draft: Draft, live: bytes, wanted: Values, added: Changes, *, is_mine_first: bool
    ) -> str | None:
        """Return the draft's text with others' changes in it: by lines, or else by keys.

        None where neither means what is wanted.
        """
        mine = draft.text.decode()
        with suppress(UnicodeDecodeError):  # of the base, which may be anything
            base, theirs = draft.base.decode(), live.decode()
            text = merged_text(base, mine, theirs, is_mine_first=is_mine_first)
            if text is not None and _means(text, wanted):
                return text
        if _means(mine, wanted):
            return mine
        with suppress(SaveFailed):  # the round trip cannot cope
            text = syntax.rewrite(mine, added)
            if _means(text, wanted):
                return text
        return None

    def _unmergeable(self, because: str) -> EditConflict:
        return EditConflict(
            f"{self._live} was changed by somebody else meanwhile, and the two cannot be merged: "
            f"{because}. Nothing was changed."
        )


def _means(text: str, wanted: Values) -> bool:
    try:
        return same(syntax.read(text.encode(), "the merged text").values, dict(wanted))
    except ConfigError:
        return False


def _values(data: bytes, where: str, *, is_new: bool) -> dict[str, object]:
    """Return what a text says; no bytes at all may be those of a new installation."""
    return {} if is_new and not data else syntax.read(data, where).values


def _changes(base: bytes, values: Values) -> Changes | None:
    try:
        return between(_values(base, "what the edit began from", is_new=True), values)
    except ConfigError:
        return None
