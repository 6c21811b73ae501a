"""Opens the folder of the demo, plays, and leaves nothing behind."""

import tempfile
from pathlib import Path

from amx.core.errors import SharedStoreError
from amx.demo.stage import Stage
from amx.demo.store import DemoStore, FileStore, ServerStore
from amx.demo.story import play
from amx.output import Output


def perform(dsn: str | None, output: Output) -> Stage:
    """Play the demo in a folder of its own; return the stage with the steps that were taken.

    Raises:
        CheckFailed: a step did not do what it says.
    """
    with tempfile.TemporaryDirectory(prefix="amx-demo-") as name:
        folder = Path(name)
        store: DemoStore = ServerStore(dsn) if dsn else FileStore(folder)
        try:
            stage = Stage(folder, output)
            play(stage, store)
        finally:
            _clean_up(store, output)
    return stage


def _clean_up(store: DemoStore, output: Output) -> None:
    try:
        store.close()
    except SharedStoreError as error:  # it must not hide why the demo failed
        output.warn(f"The demo's schema could not be dropped: {error.message}")
