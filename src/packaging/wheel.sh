#!/usr/bin/env bash
# Builds the wheel, checks what its tag claims, and tries it in a fresh environment.
#
#   wheel.sh [--native] [--out FOLDER]
#
# It is linked by PyPI's `ziglang` for glibc 2.28. With --native it is linked by this machine's linker, and bears the tag
# of the oldest glibc that has its symbols. Rust and a Python with `venv` are needed; tools go to target/packaging.
set -euo pipefail
cd "$(dirname "$0")/../.."

linker=zig out=target/packaging/wheels
while [ $# -gt 0 ]; do
    case "$1" in
        --native) linker=native ;;
        --out) out=$2; shift ;;
        *) echo "error: no such option: \`$1\`" >&2; exit 2 ;;
    esac
    shift
done

tools=target/packaging/tools
[ -x "$tools/bin/python" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet 'maturin>=1.8,<2' auditwheel ziglang
export PATH="$PWD/$tools/bin:$PATH"

rm -f "$out"/onnxprof-*.whl
case $linker in
    zig) maturin build --release --zig --compatibility manylinux_2_28 --out "$out" ;;
    native) maturin build --release --out "$out" ;;
esac
wheel=$(ls "$out"/onnxprof-*.whl)
src/packaging/check-wheel.sh "$wheel"
src/packaging/try-wheel.sh "$wheel"
