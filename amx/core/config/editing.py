"""What `config edit` makes of a text: it is saved, merged with what others did, or kept aside."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from amx.core.config import syntax
from amx.core.config.drafts import Draft, Drafts
from amx.core.config.merge import Values, between, conflicts, merged_text, refuse_conflicts
from amx.core.config.model import Changes, applied, same
from amx.core.config.publication import LiveChanged, Publication, named_failures
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
    """

    def __init__(self, live: Path, saver: Saver, raw: Callable[[], Raw | None]) -> None:
        self._live = live
        self._saver = saver
        self._drafts: Drafts = saver.drafts
        self._raw = raw
        self._is_merged = False
        self.values: dict[str, object] | None = None

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
        with named_failures(self._live):
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
        with named_failures(self._live):
            self._drafts.discard()
        return Edited(is_changed=is_changed, is_merged=self._is_merged)

    def _keep_aside(self, error: AmxError) -> None:
        with named_failures(self._live):
            is_kept = self._drafts.recover()
        if is_kept:
            kept = self._drafts.rejected
            error.say_more(f"{self._live} is unchanged; your text is in {kept}.", hint=OPEN_AGAIN)
            error.details["kept"] = str(kept)

    def _saved(self) -> bool:
        draft = self._drafts.read()
        if draft is None:
            raise EditorFailed("The editor left no text. Nothing was changed.", hint=OPEN_AGAIN)
        if draft.text == draft.base:
            return False
        self._understood(draft.text)
        return self._saver.save("amx config edit", self._publish)

    def _understood(self, text: bytes) -> dict[str, object]:
        where = str(self._drafts.rejected)
        if len(text) > MAX_BYTES:
            raise too_large(where, len(text))
        document = syntax.read(text, where)
        check_types(document, where)
        return document.values

    def _publish(self, publication: Publication) -> bool:
        raw, draft = self._raw(), self._drafts.read()
        if draft is None:
            raise LiveChanged  # somebody tidied up: begin again, and find nothing to save
        if (raw.data if raw else b"") != draft.base:
            draft = self._reconciled(draft, raw.data if raw else b"")
        self.values = self._understood(draft.text)
        if raw is not None and raw.data == draft.text:
            return False
        gate = self._saver.gate(self.values)
        publication.publish(iter([draft.text]), raw.sight if raw else None, gate)
        return True

    def _reconciled(self, draft: Draft, live: bytes) -> Draft:
        """Merge the draft with what others made of the file meanwhile, and let it begin there."""
        mine, theirs = self._understood(draft.text), _values(live, str(self._live))
        try:
            base = _values(draft.base, "what the edit began from")
        except ConfigError as error:
            self._drafts.rebase(Draft(draft.text, live))
            raise _unmergeable(self._live) from error
        changes, their_changes = between(base, mine), between(base, theirs)
        if conflicts(base, theirs, changes):
            self._take_over(draft, live, mine, base, their_changes)
            refuse_conflicts(base, theirs, changes)
        text = _merged(draft, live, applied(theirs, changes), their_changes)
        merged = Draft(text.encode(), live)
        self._drafts.rebase(merged)
        self._is_merged = True
        return merged

    def _take_over(
        self, draft: Draft, live: bytes, mine: Values, base: Values, their_changes: Changes
    ) -> None:
        """Bring into a draft what does not meet its own changes; the rest has been told."""
        met = conflicts(base, mine, their_changes)
        apart = {key: value for key, value in their_changes.items() if key not in met}
        with suppress(SaveFailed):  # the round trip cannot cope: the draft stays as it is
            text = syntax.rewrite(draft.text.decode(), apart)
            if _means(text, applied(mine, apart)):
                self._drafts.rebase(Draft(text.encode(), live))


def _merged(draft: Draft, live: bytes, wanted: Values, their_changes: Changes) -> str:
    """Return a text that means what is wanted, with the comments of both sides if it can be."""
    mine = draft.text.decode()
    text = merged_text(draft.base.decode(), mine, live.decode())
    if text is not None and _means(text, wanted):
        return text
    return syntax.rewrite(mine, their_changes)


def _means(text: str, wanted: Values) -> bool:
    try:
        return same(syntax.read(text.encode(), "the merged text").values, dict(wanted))
    except ConfigError:
        return False


def _values(data: bytes, where: str) -> dict[str, object]:
    """Return what a text says; one of no bytes is that of a new installation."""
    return syntax.read(data, where).values if data else {}


def _unmergeable(live: Path) -> EditConflict:
    msg = (
        f"{live} was changed by somebody else meanwhile, and what this edit began from is no valid "
        "configuration, so that the two cannot be merged. Nothing was changed."
    )
    return EditConflict(msg)
