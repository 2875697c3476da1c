#!/usr/bin/env bash
# Checks that a wheel runs where its tag says, is stripped, and holds the command and the typed module.
#
#   check-wheel.sh WHEEL
#
# `auditwheel` is needed on PATH.
set -euo pipefail
wheel=$1

tag=$(basename "$wheel" .whl | grep -o 'manylinux_[0-9_]*x86_64\|linux_x86_64')
shown=$(auditwheel show "$wheel")
grep -q "\"$tag\"" <<<"$shown" || {
    echo "error: the tag of \`$wheel\` is not true" >&2
    sed 's/^/  /' <<<"$shown" >&2
    exit 1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m zipfile -e "$wheel" "$folder"
binary=$(ls "$folder"/onnxprof-*.data/scripts/onnxprof)
if readelf --sections "$binary" | grep -q '\.debug_info\|\.symtab'; then
    echo "error: the binary in \`$wheel\` is not stripped" >&2
    exit 1
fi
test -f "$folder/onnxprof/py.typed"
ls "$folder"/onnxprof-*.dist-info/licenses/LICENSE-{MIT,APACHE} >/dev/null

newest=$(readelf --dyn-syms --wide "$binary" | grep -o 'GLIBC_[0-9.]*' | sort --version-sort --unique | tail -1)
echo "$(basename "$wheel"): $(stat -c %s "$wheel") bytes, binary of $(stat -c %s "$binary"), newest symbol $newest, tag $tag is true"
