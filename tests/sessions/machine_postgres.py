"""The shared store of the state machine of guard 1 on a real PostgreSQL."""

from tests.postgres import PostgresServer
from tests.sessions.machine_world import Shared, World


class OnPostgres(World):
    """The same world, its shared store in a database of its own."""

    server: PostgresServer

    def team(self) -> dict[str, object]:
        """Return the settings of the shared store's profile."""
        self.database = self.server.new_database()
        place = {"host": self.server.host, "port": self.server.port, "user": self.server.user}
        return {"backend": "postgresql", "database": self.database, **place}

    def shared(self) -> Shared:
        """Return the sessions and turns of the shared store."""
        sessions = self._ask("id::text, profile, identity", "sessions")
        bindings = {key: (profile, identity) for key, profile, identity in sessions}
        turns = self._ask("session_id::text, profile, identity, content", "turns")
        return bindings, [(one, two, three, four) for one, two, three, four in turns]

    def _ask(self, columns: str, table: str) -> list[tuple[str, ...]]:
        found = self.server.execute(f'SELECT {columns} FROM "AMX".{table}', self.database)
        return [tuple(str(value) for value in row) for row in found]
