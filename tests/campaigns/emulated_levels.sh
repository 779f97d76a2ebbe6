#!/usr/bin/env bash
# The same bytes on CPUs that are not at hand, emulated by qemu-user: x86-64-v2 (Nehalem), x86-64-v3
# (Haswell), and AArch64 with NEON. Needs qemu-x86_64, qemu-aarch64, aarch64-linux-gnu-g++, cmake,
# ninja, and a Python with coverset and its `test` extra: PYTHON=... emulated_levels.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake -S . -B "$work/x86" -G Ninja -DCOVERSET_TESTS=ON >/dev/null
cmake --build "$work/x86" >/dev/null
cmake -S . -B "$work/arm" -G Ninja -DCOVERSET_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux \
  -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_EXE_LINKER_FLAGS=-static >/dev/null
cmake --build "$work/arm" >/dev/null

echo "== native"
"$work/x86/tests/cpp/levels"
for cpu in Nehalem Haswell; do
  echo "== $cpu"
  qemu-x86_64 -cpu $cpu "$work/x86/tests/cpp/levels"
done
echo "== AArch64"
qemu-aarch64 "$work/arm/tests/cpp/levels"
qemu-aarch64 "$work/arm/tests/cpp/embed"

for cpu in Nehalem Haswell; do
  echo "== Python tests of the kernels on $cpu"
  PYTHONDONTWRITEBYTECODE=1 qemu-x86_64 -cpu $cpu "$("$python" -c 'import sys; print(sys.executable)')" \
    -m pytest -q -n 0 -p no:cacheprovider tests/test_majority_vote.py tests/test_lf_summary.py \
    tests/test_reference.py tests/test_label_matrix.py "$@" 2>&1 | grep -v 'TCG doesn'
done
