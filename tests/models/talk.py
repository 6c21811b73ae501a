"""What the tests of models say and expect."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.support import Amx, Done

KEY = "sk-hunter2-model-key"
QUESTION = "prices of tracks"
GOOD = "Prices of tracks are in `main.Track.UnitPrice`."
IS_LOCAL = "This is the local answer."


def write_config(home: Path, shop: Path, settings: Mapping[str, object]) -> None:
    """Configure the database, and a model with these settings."""
    model = {"provider": "openai", "model": "tiny", "api_key": "${MODEL_KEY}", "timeout_s": 30}
    model = {**model, **settings}
    document = {
        "db_profiles": {"shop": {"backend": "sqlite", "path": str(shop)}},
        "active_db_profile": "shop",
        "llm_profiles": {"x": {key: value for key, value in model.items() if value is not None}},
        "active_llm_profile": "x",
    }
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.yml").write_text(yaml.safe_dump(document))
    (home / "config.yml").chmod(0o600)


def asked(amx: Amx, *words: str) -> Done:
    """Ask, and see that no secret was told."""
    done = amx("ask", QUESTION, "--json", *words)
    assert KEY not in done.out + done.err
    assert "Traceback" not in done.err or "--debug" in words
    return done


def local(amx: Amx) -> str:
    """Return the answer without a model."""
    return str(asked(amx, "--no-model").json["answer"])


def cites(amx: Amx) -> str:
    """Return the line of citations, which no model changes."""
    return amx("ask", QUESTION, "--no-model").out.splitlines()[-1]
