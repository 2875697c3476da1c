#!/usr/bin/env bash
# Installs a wheel into a fresh environment without anything else, measures the digits models with it, and says how long
# both took. A library of ONNX Runtime is installed into an empty cache on the way, unless KEEP_CACHE is set.
#
#   try-wheel.sh WHEEL
set -euo pipefail
wheel=$(realpath "$1")
models=$(realpath "$(dirname "$0")/../../models/digits")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
[ -n "${KEEP_CACHE:-}" ] || export ONNXPROF_CACHE="$folder/cache"
unset ONNXPROF_BIN VIRTUAL_ENV
export PATH="$folder/venv/bin:$PATH"

began=$(date +%s%N)
pip install --quiet --no-index --no-deps "$wheel"
installed=$(date +%s%N)
onnxprof profile "$models" --budget 20s --batch 1 --out run 2>&1 | while read -r line; do
    case $line in "so far"*|Ship*|Keep*|Undecided*|"Do not ship"*|"No answer"*) date +%s%N; break ;; esac
done >first
# What a broken pipe has left is finished, and read from Python.
python3 - <<'EOF'
import onnxprof
run = onnxprof.open("run")
assert onnxprof.find_binary().parent.name == "bin", onnxprof.find_binary()
assert len(run.answer.variants) == 4 and run.rows("cells"), run
EOF
awk -v began="$began" -v installed="$installed" -v first="$(head -1 first)" 'BEGIN {
    printf "installed in %.1f s; first answer line %.1f s after that began\n", (installed - began) / 1e9, (first - began) / 1e9
}'
