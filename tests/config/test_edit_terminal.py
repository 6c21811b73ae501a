"""`amx config edit` on a real terminal."""

import shutil
import sys
from pathlib import Path

import pexpect
import pytest

from tests.config.editors import script
from tests.support import AmxPty

ASKING = """\
import signal, sys
typed = []
def interrupted(*_):
    typed.append("interrupted: true")
    print("Ctrl-C is mine", flush=True)
signal.signal(signal.SIGINT, interrupted)
print("ready", flush=True)
for line in sys.stdin:
    if line == ".\\n":
        break
    typed.append(line.rstrip())
with open(sys.argv[1], "a") as file:
    file.write("\\n".join(typed) + "\\n")
"""


@pytest.fixture
def config(home: Path) -> Path:
    """Give a configuration; return its path."""
    home.mkdir(mode=0o700)
    path = home / "config.yml"
    path.write_text("a: 1\n")
    path.chmod(0o600)
    return path


def ended(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """Wait for the end; return the exit code and what was said last."""
    child.expect(pexpect.EOF)
    said = (child.before or "").strip().rpartition("\n")[2]
    child.close()
    return child.exitstatus, said


@pytest.mark.parametrize("before", ["", "X=1 "], ids=["itself", "through a shell"])
def test_ctrl_c_goes_to_the_editor_only_and_its_good_end_is_believed(
    amx_pty: AmxPty, config: Path, tmp_path: Path, before: str
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(ASKING)
    child = amx_pty("config", "edit", env={"VISUAL": f"{before}{sys.executable} '{editor}'"})
    child.expect("ready")
    child.sendintr()
    child.expect("Ctrl-C is mine")
    child.sendline("b: 2")
    child.sendline(".")
    assert ended(child) == (0, f"{config}: saved.")
    assert config.read_text() == "a: 1\ninterrupted: true\nb: 2\n"


@pytest.mark.parametrize("is_there", [True, False], ids=["vi", "its stand-in"])
def test_a_full_screen_editor_works(
    amx_pty: AmxPty, config: Path, tmp_path: Path, *, is_there: bool
) -> None:
    if is_there and shutil.which("vi"):
        child = amx_pty("config", "edit", env={"VISUAL": "vi -n"})
        child.expect("1,1|config.yml")
        child.send("Gob: 2\x1b:wq\r")
    else:
        stand_in = script(tmp_path / "bench", 'read -r line; echo "$line" >> "$1"')
        child = amx_pty("config", "edit", env={"VISUAL": str(stand_in)})
        child.sendline("b: 2")
    assert ended(child)[0] == 0
    assert config.read_text() == "a: 1\nb: 2\n"


def test_where_none_is_named_a_usual_editor_is_opened(
    amx_pty: AmxPty, config: Path, tmp_path: Path
) -> None:
    script(tmp_path / "bin", 'echo "a: nano" > "$1"', "nano")
    usual = script(tmp_path / "bin", 'echo "a: usual" > "$1"', "editor")
    child = amx_pty("config", "edit", env={"PATH": str(usual.parent)})
    assert ended(child) == (0, f"{config}: saved.")
    assert config.read_text() == "a: usual\n"


def test_no_input_opens_no_editor_that_was_not_named(amx_pty: AmxPty, config: Path) -> None:
    code, said = ended(amx_pty("config", "edit", env={"AMX_NO_INPUT": "1"}))
    assert code == 2
    assert "VISUAL=" in said
    assert config.read_text() == "a: 1\n"
