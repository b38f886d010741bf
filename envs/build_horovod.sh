#!/usr/bin/env bash
# Build Horovod against the TensorFlow of an environment, keep the wheel, install and check it.
#
#   envs/build_horovod.sh PYTHON        PYTHON is the interpreter of an environment made from a lock in envs/
#
# Horovod ships no wheels and its library only loads beside the TensorFlow it was compiled against, so no lock file can
# name a finished build. The wheel is therefore made here, once (minutes), and kept under a key of everything it
# depends on; every later environment with the same key takes it from there (seconds).
#
# Environment:
#   LEHR_CACHE_DIR     where wheels are kept        (default: ${XDG_CACHE_HOME:-~/.cache}/lehr)
#   LEHR_BUILD_JOBS    parallel compiler processes  (default: the cores allowed to this process, at most one per 2 GiB)
#   HOROVOD_*, CC, CXX, CXXFLAGS  go to Horovod's own build and into the key; for example
#                      HOROVOD_GPU_OPERATIONS=NCCL for a GPU build. Without any, a CPU build with Gloo is made.
set -euo pipefail

fail() {
    printf 'build_horovod: error: %s\n' "$1" >&2
    exit 1
}

[[ $# -eq 1 ]] || fail "usage: $0 PYTHON"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$(command -v "$1") || fail "no such interpreter: $1"
# The build calls cmake and python by name: those of the environment must come first.
PATH=$(cd "$(dirname "$python")" && pwd):$PATH
export PATH

export CC=${CC:-cc} CXX=${CXX:-g++}
for tool in cmake make "${CC%% *}" "${CXX%% *}"; do
    command -v "$tool" >/dev/null ||
        fail "$tool is needed to compile Horovod and is not on PATH. Install it (Debian: apt-get install build-essential; cmake comes with the locks in envs/)."
done

# One framework, one transport: Gloo over TCP needs no MPI on the machine and is what `horovodrun --gloo` starts.
export HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1
export HOROVOD_WITH_GLOO=${HOROVOD_WITH_GLOO:-1}
export HOROVOD_CPU_OPERATIONS=${HOROVOD_CPU_OPERATIONS:-GLOO}
[[ -n ${HOROVOD_WITH_MPI:-} ]] || export HOROVOD_WITHOUT_MPI=1

requirement=$here/horovod.txt
target=$("$python" - <<'PY'
import sys
import sysconfig
from importlib import metadata

installed = {distribution.name.lower().replace("_", "-") for distribution in metadata.distributions()}
names = installed & {"tensorflow", "tensorflow-cpu"}
if len(names) == 1:
    (name,) = names
    print(f"{name}-{metadata.version(name)}_cp{sys.version_info[0]}{sys.version_info[1]}_{sysconfig.get_platform()}")
PY
)
[[ -n $target ]] || fail "$python needs one of tensorflow and tensorflow-cpu, not none or both. Install a lock into a new environment: make install"

release=$(sed -n 's/^horovod==\([^ ;]*\).*/\1/p' "$requirement")
# shellcheck disable=SC2086 # CXX may hold a wrapper and the compiler
compiler=$($CXX -dumpfullversion -dumpversion)
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | tr ' ' '-' || true)
settings=$(env | grep -E '^(HOROVOD_|CC=|CXX=|CXXFLAGS=)' | LC_ALL=C sort | sha256sum | cut -c1-12)
cache=${LEHR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/lehr}/horovod
store=$cache/horovod-${release}_${target}_cxx-${compiler}_${libc:-libc-unknown}_${settings}

if ! compgen -G "$store/*.whl" >/dev/null; then
    jobs=$(nproc)
    memory_gib=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo 2>/dev/null || true)
    if [[ -n $memory_gib ]] && ((memory_gib / 2 < jobs)); then
        jobs=$((memory_gib / 2 > 0 ? memory_gib / 2 : 1))
    fi
    # An outer make would hand its own flags down (and with them -j1); Horovod takes -j from here.
    unset MFLAGS
    export MAKEFLAGS=-j${LEHR_BUILD_JOBS:-$jobs}
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.build-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "Building Horovod $release for $target with $MAKEFLAGS (once; takes minutes, log on failure) ..."
    # --no-cache-dir: pip keys its own wheel cache by the source archive alone and would hand out a wheel that was
    # compiled against another TensorFlow.
    if ! TMPDIR=$work "$python" -m pip wheel --no-cache-dir --no-deps --no-build-isolation --no-binary horovod \
        --require-hashes --requirement "$requirement" --wheel-dir "$work/wheel" >"$work/log" 2>&1; then
        mv "$work/log" "$cache/failed-build.log"
        tail -n 40 "$cache/failed-build.log" >&2
        fail "Horovod $release did not build for $target. The whole log: $cache/failed-build.log"
    fi
    # Renamed into place, so that an interrupted or a second build never leaves half a wheel under the key.
    mv -T "$work/wheel" "$store" 2>/dev/null || compgen -G "$store/*.whl" >/dev/null || fail "cannot write $store"
fi

# --isolated: with all said here, a user's own pip configuration (--user, say) could only do harm.
"$python" -m pip --isolated install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$store"/*.whl

TF_CPP_MIN_LOG_LEVEL=3 "$python" - <<'PY' || fail "Horovod is installed but does not load (above). If $store is damaged, delete it and run again."
import horovod.tensorflow as hvd

if not (hvd.gloo_built() or hvd.mpi_built()):
    raise SystemExit("this build has neither Gloo nor MPI: ranks could not talk to each other")
PY
echo "Horovod $release for $target is installed."
