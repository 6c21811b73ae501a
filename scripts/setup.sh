#!/bin/sh
# Make .venv, or bring it up to date. Quiet, unless something fails. `make` calls this.
set -u
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
}

python_of_this_machine() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

install() {
    .venv/bin/python -m pip install -q -e '.[dev]' >> "$log" 2>&1
}

make_anew() {
    python=$(python_of_this_machine)
    if [ -z "$python" ]; then
        echo "amx needs Python 3.11 or newer; ${PYTHON:-python3} is not. Name one: make PYTHON=/path/to/python3.11" >&2
        return 1
    fi
    "$python" -m venv --clear .venv >> "$log" 2>&1 && install
}

is_ours() {  # not the copy of another folder's, and not broken
    [ "$(.venv/bin/python -c 'import pip, sys; print(sys.prefix)' 2> /dev/null)" = "$PWD/.venv" ]
}

echo 'Making .venv …' >&2
rm -f .venv/.made
if { is_ours && is_new_enough .venv/bin/python && install; } || { : > "$log"; make_anew; }; then
    printf '%s\n' "$PWD" > .venv/.made
else
    cat "$log" >&2
    echo 'The virtual environment .venv could not be made; the reason stands above.' >&2
    exit 1
fi
