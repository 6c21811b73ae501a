"""Server identities, remembered as ssh remembers hosts."""

from amx.core.catalog_ports import Catalog
from amx.core.errors import ServerMismatch
from amx.core.pasting import argument
from amx.core.ports import Outbox
from amx.core.profiles import Profile


class KnownServers:
    """Which server answered at a target when it was first met.

    It is remembered by the target's identity: whatever the profile is called, and for all
    profiles that point there.
    """

    def __init__(self, state: Outbox) -> None:
        self._state = state

    def check(self, profile: Profile, catalog: Catalog) -> None:
        """Compare the server that answers with the remembered one; remember it at first contact.

        One that does not say what it is, or not to this role, is let through.

        Raises:
            ServerMismatch: another server answers. Nothing was sent or written.
        """
        answering = catalog.server_identity()
        if answering is None:
            return
        key = _key(profile)
        remembered = self._state.state(key) or self._state.keep_first(key, answering)
        if remembered != answering:
            raise _mismatch(profile, remembered, answering)

    def accept(self, profile: Profile, catalog: Catalog) -> str | None:
        """Remember the server that answers now as this target's; return what it says it is."""
        answering = catalog.server_identity()
        self._state.set_state({_key(profile): answering})
        return answering


def _mismatch(profile: Profile, remembered: str, answering: str) -> ServerMismatch:
    accept = f"amx db accept {argument(profile.name)}"
    return ServerMismatch(
        f"Another server answers at {profile.target} (profile {profile.name!r}): its system "
        f"identifier is {answering}, and that of the server known so far is {remembered}. "
        "Nothing was sent, read or written. "
        "If it is the same database, moved or built anew, accept it.",
        hint=accept,
        details={
            "profile": profile.name,
            "target": profile.target,
            "remembered": remembered,
            "answering": answering,
            "ways_on": [accept],
        },
    )


def _key(profile: Profile) -> str:
    return f"server:{profile.identity}"
