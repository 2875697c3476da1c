#!/usr/bin/env bash
# Packs a release binary into the archive that `cargo binstall` expects, with its SHA-256 beside it.
#
#   archive.sh [BINARY] [FOLDER]        default: target/release/onnxprof, target/packaging
#
# The same binary gives the same bytes. For `cargo binstall` to find it, it is an asset of the release `v0.1.0`, say, of
# the repository that `repository` of Cargo.toml names; nothing else has to be declared.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
binary=${1:-$top/target/release/onnxprof}
out=${2:-$top/target/packaging}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/Cargo.toml" | head -1)
target=$(rustc --version --verbose | sed -n 's/^host: //p')
name=onnxprof-$target-v$version

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/$name" "$out"
strip -o "$folder/$name/onnxprof" "$binary"
cp "$top"/{README.md,CHANGELOG.md,LICENSE-MIT,LICENSE-APACHE} "$folder/$name/"
cp "$top/src/report/paper/html/plotly/LICENSE" "$folder/$name/LICENSE-plotly"
tar --create --directory "$folder" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw "$name" |
    gzip --no-name --best >"$out/$name.tgz"
(cd "$out" && sha256sum "$name.tgz" >"$name.tgz.sha256")

# What was packed runs.
tar --extract --directory "$folder" --file "$out/$name.tgz" --transform 's/^/unpacked\//'
"$folder/unpacked/$name/onnxprof" --version >/dev/null
echo "$out/$name.tgz: $(stat -c %s "$out/$name.tgz") bytes"
