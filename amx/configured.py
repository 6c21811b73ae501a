"""The configuration of one command and the profiles in it, read when first asked for."""

from functools import cache, cached_property
from typing import TYPE_CHECKING

from amx.core.errors import AmxError, NoProfile, Refused, UnknownProfile
from amx.core.pasting import argument
from amx.environment import Environment
from amx.output import Output

if TYPE_CHECKING:
    from amx.core.config.file import ConfigFile
    from amx.core.config.model import Config
    from amx.core.profiles import Profile


class Configured(Environment):
    """What one command works with, as far as its configuration tells it."""

    def __init__(self, environ: dict[str, str]) -> None:
        super().__init__(environ)
        self.output = Output(environ)

    @cached_property
    def config_file(self) -> "ConfigFile":
        """Guard 4."""
        from amx.core.config.file import ConfigFile

        is_explicit = bool(self.environ.get("AMX_CONFIG"))
        return ConfigFile(
            self.config_path,
            is_explicit=is_explicit,
            warn=cache(self.output.warn),
            lock_timeout_s=self.lock_timeout_s,
            is_background=self.is_background,
        )

    @cached_property
    def config(self) -> "Config":
        """The configuration as it was when it was first asked for."""
        return self.config_file.load()

    @cached_property
    def profile(self) -> "Profile":
        """The active profile.

        Raises:
            NoProfile: none is chosen.
            UnknownProfile: the one that is chosen does not exist.
        """
        name = self.environ.get("AMX_PROFILE") or self.config.active_profile
        if not name:
            message = "No profile is active. Nothing was changed."
            is_empty = not self.config.profiles
            hint = "amx db add NAME --backend sqlite --path FILE" if is_empty else "amx db use NAME"
            raise NoProfile(message, hint=hint)
        return self.profile_named(name)

    def profile_named(self, name: str) -> "Profile":
        """Return a profile of the configuration.

        Raises:
            UnknownProfile: there is none of this name.
        """
        from amx.core.profiles import profile_of

        settings = self.config.profiles.get(name)
        if settings is None:
            raise UnknownProfile(name, list(self.config.profiles))
        return profile_of(name, settings, self.environ)

    @cached_property
    def profile_if_any(self) -> "Profile | None":
        """The active profile, or None where none is chosen or it cannot be had."""
        try:
            return self.profile
        except AmxError:
            return None

    def confirm(self, profile: "Profile") -> None:
        """Let a profile pass that is still what it was when this command asked for it.

        Raises:
            UnknownProfile: it was renamed or removed meanwhile.
            Refused: it was pointed at another database meanwhile.
        """
        self.config = self.config_file.load()
        if self.profile_named(profile.name).identity != profile.identity:
            message = f"Profile {profile.name!r} was pointed at another database meanwhile."
            raise Refused(
                f"{message} Nothing was changed.", hint=f"amx db show {argument(profile.name)}"
            )

    def known_profiles(self) -> dict[str, str | None]:
        """Return the identity of each profile; None where it cannot be told.

        What cannot be read counts as no profiles: this only feeds hints and columns of lists.
        """
        try:
            names = list(self.config.profiles)
        except AmxError:
            return {}
        return {name: self._identity_of(name) for name in names}

    def _identity_of(self, name: str) -> str | None:
        try:
            return self.profile_named(name).identity
        except AmxError:
            return None
