"""Questions on a terminal: the only importer of questionary.

They go to standard error. Escape, Ctrl-C, Ctrl-D, end of input and a lost terminal all mean No.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.input import Input
    from questionary import Question

_CANCEL = ("escape", "c-c", "c-d", "c-z", "<sigint>")


def choose(title: str, entries: Sequence[tuple[str, str]]) -> str | None:
    """Let one of the entries (key, label) be chosen; the first is pre-selected.

    Returns:
        The key of the entry, or None where none was chosen.
    """
    import questionary

    choices = [questionary.Choice(label, value=key) for key, label in entries]
    question = questionary.select(
        title,
        choices=choices,
        default=choices[0],
        instruction="(arrows and Enter; Escape leaves)",
        output=_standard_error(),
    )
    answer = _ask(question)
    return answer if isinstance(answer, str) else None


def confirm(question: str) -> bool:
    """Ask for a yes; anything else, Enter included, is a No."""
    import questionary

    asked = questionary.confirm(question, default=False, output=_standard_error())
    return _ask(asked) is True


def choose_generation(labels: Sequence[str]) -> int | None:
    """Let one of the generations be chosen; return its place in the list, or None."""
    chosen = choose("Restore which one?", [(str(place), one) for place, one in enumerate(labels)])
    return None if chosen is None else int(chosen)


def _ask(question: "Question") -> object:
    """Ask, with every way out bound to one answer: None."""
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    ways_out = KeyBindings()

    def leave(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    for key in _CANCEL:
        ways_out.add(key, eager=True)(leave)
    application = question.application
    own = application.key_bindings
    application.key_bindings = merge_key_bindings([own, ways_out] if own else [ways_out])
    # How long a lone Escape is waited for to become an arrow key.
    application.ttimeoutlen = 0.1
    application.timeoutlen = 0.1
    try:
        if _is_left_ahead(application.input):
            return None
        return question.unsafe_ask()
    except (EOFError, KeyboardInterrupt, OSError):
        return None


def _is_left_ahead(terminal: "Input") -> bool:
    """Forget what was typed before the question stands there: it answers another one.

    Returns:
        Whether a way out was among it, which means No to whatever comes.
    """
    from prompt_toolkit.input.typeahead import get_typeahead

    typed = get_typeahead(terminal)
    with terminal.raw_mode():  # else what has no newline yet cannot be read
        while keys := terminal.read_keys():
            typed += keys
        typed += terminal.flush_keys()
    return any(press.key in _CANCEL for press in typed)


def _standard_error() -> object:
    import sys

    from prompt_toolkit.output import create_output

    return create_output(stdout=sys.stderr)
