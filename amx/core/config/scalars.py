"""How one value of a change is written, so that PyYAML reads it as that value and type."""

import re
from typing import Any

WIDE = 1 << 20
"""No line is folded: folding would change what the user wrote."""

_PLAIN_WORD = r"[A-Za-z_/.][\w./@+-]*|\$\{\w+\}"
"""Text that may stand without quotes, if it is not read as another type."""


class NoScalar(TypeError):
    """A change holds a value that is no scalar of a configuration."""


def styled(yaml: Any, value: object) -> tuple[str, str]:  # noqa: ANN401 - PyYAML's classes are made at run time
    """Return the text of a scalar, and the quote that it needs: none, a single or a double one.

    Args:
        yaml: The module, from the one that may import it.
        value: Text, a number, a truth value or nothing.

    Raises:
        NoScalar: the value is something else.
    """
    if value is None or isinstance(value, bool | int | float):
        return str(yaml.representer.SafeRepresenter().represent_data(value).value), ""
    if not isinstance(value, str):
        raise NoScalar(f"a change holds no {type(value).__name__}")
    if re.fullmatch(_PLAIN_WORD, value) and _tag(yaml, value).endswith(":str"):
        return value, ""
    return value, "'" if value.isprintable() else '"'


def written(yaml: Any, value: object, *, is_in_brackets: bool) -> str:  # noqa: ANN401 - as above
    """Return a scalar as it stands on a line, in brackets or not.

    Raises:
        NoScalar: the value is none.
    """
    text, quote = styled(yaml, value)
    if quote == '"':
        return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=WIDE)).rstrip()
    if quote or (is_in_brackets and "{" in text):
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return text


def _tag(yaml: Any, text: str) -> str:  # noqa: ANN401 - as above
    return str(yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False)))
