#!/usr/bin/env bash
# Sanitizers over the core's own programs and over the Python tests of the kernels.
# Needs g++, cmake, ninja and a Python with coverset's `test` extra: PYTHON=... sanitizers.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

programs() { # build folder, programs...
  local folder=$1
  shift
  for program in "$@"; do
    "$folder"/tests/cpp/$program >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
    echo "$program: clean"
  done
}

echo "== address, undefined: C++ programs"
cmake -S . -B "$work/asan" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCOVERSET_TESTS=ON \
  -DCOVERSET_SANITIZE=address,undefined >/dev/null
cmake --build "$work/asan" >/dev/null
programs "$work/asan" embed overloads_cpu pool levels

echo "== thread: C++ programs (without fork, which ThreadSanitizer does not follow)"
cmake -S . -B "$work/tsan" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCOVERSET_TESTS=ON \
  -DCOVERSET_SANITIZE=thread >/dev/null
cmake --build "$work/tsan" >/dev/null
"$work"/tsan/tests/cpp/pool nofork
programs "$work/tsan" levels

echo "== address, undefined: Python tests"
"$python" -m pip install --quiet --no-deps --no-build-isolation --target "$work/site" \
  -C build-dir="$work/build" -C cmake.build-type=RelWithDebInfo \
  -C cmake.define.COVERSET_SANITIZE=address,undefined -C install.strip=false .
LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONPATH="$work/site" PYTHONMALLOC=malloc \
  "$python" -m pytest -q -n 0 -p no:cacheprovider tests/test_label_matrix*.py tests/test_lf_summary.py \
  tests/test_files.py tests/test_majority_vote.py tests/test_label_model*.py tests/test_lf*.py "$@"
