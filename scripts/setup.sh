#!/usr/bin/env bash
# Makes .venv with the project in it (editable, with everything that the checks need). Quick when nothing has changed.
#
#   PY=python3.12 scripts/setup.sh          another Python than the first one found (3.11 or newer)
#   CMAKE_ARGS=-DGGML_CUDA=on scripts/setup.sh     options for the build of llama.cpp
#
# llama-cpp-python is compiled for this very processor (5 minutes on 2 cores). Its wheel is kept outside the checkout,
# apart for every processor, compiler setting and Python; pip's own cache knows none of that and is not asked for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VENV=.venv
readonly STAMP=$VENV/.setup
readonly CACHE_ROOT=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/coder-judge/wheels

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }
hash16() { sha256sum | cut -c1-16; }

# --- Python ---------------------------------------------------------------------------------------------------------

# Prints "3.12" for a Python that runs and is new enough.
version_of() { "$1" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# Prints the path of the interpreter itself: a shim may change its mind, and an activated .venv may be about to go.
find_python() {
    local candidates=(python3 python3.13 python3.12 python3.11 python3.14) candidate
    [[ -n ${PY:-} ]] && candidates=("$PY")
    for candidate in "${candidates[@]}"; do
        if version_of "$candidate" >/dev/null; then
            "$candidate" -c 'import sys; print(sys._base_executable)'
            return
        fi
    done
    return 1
}

# --- packages of the system -----------------------------------------------------------------------------------------

can_install() { [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; }

install() {
    say "installing $*"
    export DEBIAN_FRONTEND=noninteractive
    # A stale list or one unreachable source may still be good enough: the install itself decides.
    apt-get update -qq >&2 || say "apt-get update failed; going on with the lists that are there"
    apt-get install -y -qq --no-install-recommends "$@" >&2 || die "apt-get could not install: $*"
}

has_compiler() {
    local compiler
    for compiler in ${CXX:-c++ g++ clang++}; do
        command -v "$compiler" >/dev/null && return
    done
    return 1
}

require_python() {
    python=$(find_python) && return
    if [[ -z ${PY:-} ]] && can_install && ! command -v python3 >/dev/null; then
        install python3 python3-venv
        python=$(find_python) && return
    fi
    local found
    found=$("${PY:-python3}" --version 2>&1 | head -n 1) || true
    die "Python 3.11 or newer is needed, ${PY:-python3} is '${found:-not there}': install one and name it, as in PY=python3.12 make setup"
}

has_browser() {
    local browser
    for browser in ${JUDGE_CHROMIUM:-chromium chromium-browser google-chrome}; do
        command -v "$browser" >/dev/null && return
    done
    return 1
}

require_packages() {
    local needed=() wanted=()
    has_compiler || needed+=(build-essential)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || needed+=("python$version-venv")
    command -v bwrap >/dev/null || wanted+=(bubblewrap)
    has_browser || wanted+=(chromium)
    [[ ${#needed[@]} -eq 0 && ${#wanted[@]} -eq 0 ]] && return
    if can_install; then
        install "${needed[@]}" "${wanted[@]}"
    elif [[ ${#needed[@]} -gt 0 ]]; then
        needed+=("${wanted[@]}")
        die "packages are missing: run sudo apt-get install -y ${needed[*]} (or what your system calls them)"
    else
        say "warning: without bubblewrap answers cannot be executed, without chromium pages cannot be tested: run sudo apt-get install -y ${wanted[*]}"
    fi
}

# --- llama-cpp-python -----------------------------------------------------------------------------------------------

# Everything that the compiled library depends on beside its version.
build_key() {
    {
        uname -sm
        grep -E '^(model name|flags|CPU part|Features)' /proc/cpuinfo 2>/dev/null | sort -u || true
        grep -E '^(ID|VERSION_ID)=' /etc/os-release 2>/dev/null || true
        printf '%s\n' "${CMAKE_ARGS:-}" "${CC:-}" "${CXX:-}" "${CFLAGS:-}" "${CXXFLAGS:-}"
    } | hash16
}

requirement() {
    "$VENV/bin/python" - <<'PYTHON'
import tomllib
from pathlib import Path

dependencies = tomllib.loads(Path("pyproject.toml").read_text())["project"]["dependencies"]
print(next(d for d in dependencies if d.startswith("llama-cpp-python")))
PYTHON
}

# Sets wheel to one for this machine: the kept one, or a new one. It enters the cache complete or not at all.
llama_wheel() {
    local cache=$CACHE_ROOT/py$version-$key built wanted
    mkdir -p "$cache" 2>/dev/null && [[ -w $cache ]] || cache=$scratch
    built=$(mktemp -d "$cache/.new.XXXXXX")
    trash+=("$built")
    if compgen -G "$cache/*.whl" >/dev/null; then
        say "looking for a newer llama-cpp-python than the one in $cache"
    else
        say "compiling llama-cpp-python for this processor: about 5 minutes on 2 cores"
    fi
    wanted=$(requirement)
    "${pip[@]}" wheel --quiet --no-cache-dir --no-deps --find-links "$cache" --wheel-dir "$built" "$wanted" >&2 ||
        die "llama-cpp-python could not be built; the reason stands above"
    local wheels=("$built"/*.whl)
    mv -f "${wheels[0]}" "$cache/"
    wheel=$cache/${wheels[0]##*/}
}

# --- all together ---------------------------------------------------------------------------------------------------

# Identity of a finished setup. $PWD: neither a venv nor an editable install survives a move.
stamp() { { cat pyproject.toml scripts/setup.sh; printf '%s\n' "$PWD" "$1" "$2"; } | hash16; }

# The version of the Python that is asked for, or of the one in .venv when none is.
wanted_version() {
    if [[ -n ${PY:-} ]]; then
        version_of "$PY" || true
    else
        sed -n 's/^version *= *\([0-9]*\.[0-9]*\).*/\1/p' "$VENV/pyvenv.cfg" 2>/dev/null || true
    fi
}

is_done() {
    [[ -x $VENV/bin/python && -f $STAMP ]] || return 1
    local wanted
    wanted=$(wanted_version)
    [[ -n $wanted && $(<"$STAMP") == "$(stamp "$wanted" "$key")" ]]
}

# True when .venv works, has pip, and was made in this very place.
is_usable() {
    version_of "$VENV/bin/python" >/dev/null && "${pip[@]}" --version >/dev/null 2>&1 &&
        grep -qF "$PWD/$VENV" "$VENV/pyvenv.cfg"
}

choose_python() {
    # An existing environment keeps its Python unless another one is asked for.
    if [[ -z ${PY:-} ]] && is_usable; then python=$VENV/bin/python; else require_python; fi
    version=$(version_of "$python")
}

make_venv() {
    is_usable && [[ $(version_of "$VENV/bin/python") == "$version" ]] && return
    say "making $VENV with Python $version"
    rm -rf "$VENV"
    "$python" -m venv "$PWD/$VENV"
}

main() {
    key=$(build_key)
    is_done && return
    python='' version='' wheel='' trash=()
    pip=("$PWD/$VENV/bin/python" -m pip --disable-pip-version-check)
    choose_python
    require_packages
    rm -f "$STAMP"
    make_venv
    scratch=$(mktemp -d)
    trash+=("$scratch")
    trap 'rm -rf "${trash[@]}"' EXIT
    llama_wheel
    say "installing the project and its tools"
    "${pip[@]}" install --quiet --no-deps --force-reinstall "$wheel"
    "${pip[@]}" install --quiet --editable '.[dev]'
    if ! "$VENV/bin/python" -c 'import llama_cpp'; then
        rm -f "$wheel"
        die "llama-cpp-python does not run here, its wheel was removed: run make setup again"
    fi
    # Without a sandbox there is nobody to execute answers, and nothing to prepare for them: judge doctor says so.
    "$VENV/bin/python" -m runner.answer_env >&2 || say "answers that import aiohttp, httpx or requests cannot be executed"
    # An installed package comes compiled, and some environments let nothing be compiled later: half a second at every start.
    "$VENV/bin/python" -m compileall -q judge runner
    stamp "$version" "$key" >"$STAMP.new"
    mv "$STAMP.new" "$STAMP"
    say "done: $VENV (Python $version)"
}

main "$@"
