"""Server identities, remembered as ssh remembers hosts."""

from amx.core.errors import ServerMismatch
from amx.core.ports import Catalog, Outbox
from amx.core.profiles import Profile


class KnownServers:
    """Which server answered at a target when it was first met."""

    def __init__(self, state: Outbox) -> None:
        self._state = state

    def check(self, profile: Profile, catalog: Catalog) -> None:
        """Compare the server that answers with the remembered one; remember it at first contact.

        Raises:
            ServerMismatch: another server answers. Nothing was sent or written.
        """
        answering = catalog.server_identity()
        if answering is None:
            return
        remembered = self._state.state(_key(profile))
        if remembered is None:
            self._state.set_state({_key(profile): answering})
        elif remembered != answering:
            raise ServerMismatch(
                f"Another server answers at {profile.target} (profile {profile.name}): "
                f"system identifier {answering}, remembered is {remembered}. "
                "Nothing was sent, read or written.",
                hint=f"amx db accept {profile.name}   (if it is the same database, moved)",
                details={"remembered": remembered, "answering": answering},
            )

    def accept(self, profile: Profile, catalog: Catalog) -> str | None:
        """Remember the server that answers now as this target's; return what it says it is."""
        answering = catalog.server_identity()
        self._state.set_state({_key(profile): answering})
        return answering


def _key(profile: Profile) -> str:
    return f"server:{profile.identity}"
