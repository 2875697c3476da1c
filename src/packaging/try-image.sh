#!/usr/bin/env bash
# Runs the steps of the Dockerfile one by one in a folder, where there is no Docker: its last stage, from Debian packages of
# what the base image has, in a chroot without Python, as user 10001. The first stage is a cargo build, which is not
# repeated: its binary is taken.
#
#   try-image.sh [BINARY]               default: target/release/onnxprof; root rights and Debian 12 are needed
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
binary=$(realpath "${1:-$top/target/release/onnxprof}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
root=$folder/root

# FROM debian:bookworm-slim, RUN apt-get install libstdc++6: of the base image, what a program needs that is linked to libc.
mkdir -p "$folder/packages" "$root"
(cd "$folder/packages" && apt-get download -o APT::Sandbox::User=root --quiet --quiet libc6 libgcc-s1 gcc-12-base libstdc++6)
for package in "$folder"/packages/*.deb; do dpkg-deb --extract "$package" "$root"; done
# COPY --from=command
mkdir -p "$root/usr/local/bin"
strip -o "$root/usr/local/bin/onnxprof" "$binary"
# RUN onnxprof runtime install, COPY --from=library --chown
ONNXPROF_CACHE=$root/opt/onnxprof "$root/usr/local/bin/onnxprof" runtime install >/dev/null
chown --recursive 10001:10001 "$root/opt/onnxprof"
# RUN useradd, install --directory
mkdir -p "$root"/{work,tmp,proc,sys,dev,etc,models} && chmod 1777 "$root/tmp"
echo 'onnxprof:x:10001:10001::/work:/bin/false' >"$root/etc/passwd"
chown 10001:10001 "$root/work"
cp -r "$top/models/digits" "$root/models/digits"

# ENV, USER, WORKDIR, ENTRYPOINT, in a namespace of mounts that goes with it.
cat >"$folder/enter" <<'EOF'
mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && touch "$1/dev/null" && mount --bind /dev/null "$1/dev/null"
exec env -i PATH=/usr/local/bin:/usr/bin:/usr/sbin ONNXPROF_CACHE=/opt/onnxprof HOME=/work \
    chroot --userspec=10001:10001 "$1" /usr/local/bin/onnxprof \
    profile /models/digits/digits-fp32.onnx /models/digits/digits-int8-static.onnx --rounds 2 --batch 1 --out /work/run
EOF
unshare --mount --net --propagation private sh -e "$folder/enter" "$root"
test "$(stat -c %u "$root/work/run/run.json")" = 10001
test ! -e "$root/usr/bin/python3"
echo "the last stage measures as user 10001, without Python and without a network"
