#!/usr/bin/env bash
# Makes the Debian package of a release build, and tries it: installs it into a folder as if that were a machine, runs it, and
# removes it again without a trace.
#
#   deb.sh [--no-build]                 --no-build takes target/release/onnxprof as it is
#
# `cargo deb` is needed (`cargo install --locked cargo-deb`), and root rights to try the package.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=target/packaging

mkdir -p "$out"
package=$(cargo deb --strip "$@" --output "$out" | tail -1)
dpkg-deb --info "$package" | sed -n '/^ Package:/,$p'

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/var/lib/dpkg/"{info,updates,triggers}
touch "$root/var/lib/dpkg/status"
dpkg=(dpkg "--root=$root" --force-depends --force-script-chrootless --log=/dev/null)
"${dpkg[@]}" --install "$package" >/dev/null 2>&1
"$root/usr/bin/onnxprof" --version
test -f "$root/usr/share/doc/onnxprof/copyright"
"${dpkg[@]}" --purge onnxprof >/dev/null
left=$(find "$root" -path "$root/var/lib/dpkg" -prune -o -type f -print)
[ -z "$left" ] || { echo "error: removing the package left $left" >&2; exit 1; }
echo "$package: $(stat -c %s "$package") bytes; it installs, runs and is removed without a trace"
