"""What words the answers of `amx ask`: the model of the active LLM profile, if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.phrasing import Draft, Phraser, Wording, as_it_is

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amx.core.asking.documents import CatalogDocument
    from amx.core.endpoints import Model

NO_PLACE = (
    "llm_profiles.{name} has no api_base, so no model was asked; this is the local answer. "
    "Set one (amx config set llm_profiles.{name}.api_base https://HOST/v1), or say that none is "
    "wanted (AMX_NO_MODEL=1)."
)


def phraser_of(
    active: tuple[str, Mapping[str, object] | None] | None,
    environ: Mapping[str, str],
    known: Callable[[str, str], Sequence[CatalogDocument]],
    show: Callable[[str], None] | None,
) -> Callable[[Draft], Wording]:
    """Return what words answers.

    The model's settings are looked at, its key is had and its library imported only once there is
    something to word.

    Args:
        active: The name of the active LLM profile and its settings.
        environ: The variables that it may refer to.
        known: Returns the assets of a catalog (by its identity) that have a name.
        show: Shows a piece of an answer as it comes; None where it is shown whole.
    """
    if active is None:
        return as_it_is
    name, settings = active
    if settings is not None and not settings.get("api_base"):
        return lambda draft: Wording(draft.answer, warnings=[NO_PLACE.format(name=name)])

    def open_model() -> Model:
        from amx.core.endpoints import active_endpoint

        endpoint = active_endpoint(name, settings, environ)
        from amx.describers.openai import OpenAIModel

        return OpenAIModel(endpoint)

    return Phraser(open_model, known, show)
