#!/usr/bin/env bash
# Says whether a binary would link for an older glibc, without building it again: PyPI's `ziglang` links a program that takes
# the address of every symbol that the binary must find.
#
#   old-glibc.sh [BINARY] [VERSION]     default: target/release/onnxprof, 2.28
#
# `python3 -m ziglang` and `objdump` are needed.
set -euo pipefail
binary=${1:-$(dirname "$0")/../../target/release/onnxprof}
version=${2:-2.28}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Weak ones may be missing: the standard library asks for them, and does without.
objdump --dynamic-syms "$binary" | awk '/\*UND\*/ && $2 != "w" { print $NF }' | grep -v '^__libc_start_main$' | sort --unique >"$folder/names"
{
    sed 's/.*/extern char &_ __asm__("&");/' "$folder/names"
    echo 'void *volatile all[] = {'
    sed 's/.*/    \&&_,/' "$folder/names"
    echo '};'
    echo 'int main(void) { return all[0] == 0; }'
} >"$folder/all.c"
python3 -m ziglang cc -target "x86_64-linux-gnu.$version" -o "$folder/all" "$folder/all.c" -lm -ldl -lpthread -lunwind
newest=$(objdump --dynamic-syms "$folder/all" | grep --only-matching 'GLIBC_[0-9.]*' | sort --version-sort --unique | tail -1)
now=$(objdump --dynamic-syms "$binary" | grep --only-matching 'GLIBC_[0-9.]*' | sort --version-sort --unique | tail -1)
echo "$(wc -l <"$folder/names") symbols of $(basename "$binary"), which needs $now, link for glibc $version; the newest is $newest then"
