#!/usr/bin/env bash
# libFuzzer on the literal scanner, under address and undefined-behavior sanitizers: every SIMD level of
# this CPU, one thread and two, against a matcher that tries each position.
# Needs clang++ with libFuzzer, cmake and ninja: fuzz_scan.sh [SECONDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-600}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# the flags of each file are those of cpp/CMakeLists.txt
cmake -S . -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCOVERSET_SANITIZE=fuzzer-no-link,address,undefined \
  -DCMAKE_CXX_FLAGS=-fno-sanitize-coverage=trace-cmp >/dev/null
cmake --build "$work/build" --target coverset_core >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
# only the core guides the fuzzer, not what it is compared with
clang++ -std=c++20 -O2 -g -fno-omit-frame-pointer -fsanitize=address,undefined -Icpp/include \
  -c tests/cpp/fuzz_scan.cpp -o "$work/fuzz_scan.o"
clang++ -fsanitize=fuzzer,address,undefined "$work/fuzz_scan.o" "$work/build/cpp/libcoverset_core.a" \
  -pthread -o "$work/fuzz_scan"

cd "$work"
mkdir corpus
for i in $(seq 64); do
  head -c $((24 * i)) /dev/urandom >"corpus/random$i"
done
failed=0
./fuzz_scan -jobs=1 -workers=1 -max_total_time="$seconds" -max_len=8192 -timeout=60 \
  -print_final_stats=1 corpus >out 2>&1 || failed=$?

log=fuzz-0.log
runs=$(sed -n 's/^stat::number_of_executed_units: //p' $log | tail -n 1)
coverage=$(grep -o 'cov: [0-9]* ft: [0-9]*' $log | tail -n 1)
echo "${runs:-unknown} inputs in $seconds s, $coverage, $(ls corpus | wc -l) kept"
crash=$(find . -maxdepth 1 \( -name 'crash-*' -o -name 'timeout-*' -o -name 'oom-*' -o -name 'leak-*' \))
if [[ $failed != 0 || -n $crash ]]; then
  grep -v '^#[0-9]*\s' $log | tail -n 80
  for input in $crash; do
    echo "$input, in base64:"
    base64 "$input"
  done
  exit 1
fi
echo clean
