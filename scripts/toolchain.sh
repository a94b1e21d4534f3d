# shellcheck shell=bash
# What the scripts here share: where uv and a Python are, installed where they are missing. To be sourced, from the
# checkout's folder.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

find_uv() {
    local found
    # One that a version manager only offers for other Pythons than .python-version's is there, but doesn't run here.
    if found=$(command -v uv) && "$found" --version >/dev/null 2>&1; then
        printf '%s\n' "$found"
    elif [ -x .tools/bin/uv ]; then
        printf '%s\n' "$PWD/.tools/bin/uv"
    else
        say "installing uv into .tools"
        # Outside this folder, where .python-version may name a Python that isn't there yet.
        (cd / && python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
            --target "$OLDPWD/.tools" 'uv>=0.9,<1') >&2
        printf '%s\n' "$PWD/.tools/bin/uv"
    fi
}

find_python() {
    # An installed one where there is one: what uv knows, then what pyenv keeps off the PATH; else a download; and if
    # that can't be had either, any other version the project supports.
    local found candidate
    if found=$("$uv" python find --no-project --no-python-downloads "$wanted" 2>/dev/null); then
        printf '%s\n' "$found"
        return
    fi
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$wanted".*/bin/python; do
        if [ -x "$candidate" ] && "$candidate" -c '' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "installing Python $wanted"
    if "$uv" python install --quiet "$wanted" >&2; then
        "$uv" python find --no-project "$wanted"
        return
    fi
    say "no Python $wanted can be had; taking another that is supported"
    "$uv" python find --no-project --no-python-downloads '>=3.12'
}
