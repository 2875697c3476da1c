#!/usr/bin/env bash
# Step of action.yml: measures MODELS with OPTIONS into the folder OUT. The answer goes into the summary of the step, and into a
# file for a comment.
set -euo pipefail
# Blanks part words, and nothing in them is a pattern or a command.
read -r -d '' -a models <<<"$MODELS" || true
read -r -d '' -a options <<<"$OPTIONS" || true

status=0
onnxprof profile "${options[@]}" --out "$OUT" -- "${models[@]}" || status=$?
[ -f "$OUT/report.md" ] || exit "$status"

# The head of the report, up to its first picture: verdict, remarks and the table of the variants.
comment=$OUT/comment.md
{ echo '<!-- onnxprof -->'; sed '/^!\[/,$d' "$OUT/report.md"; } >"$comment"
cat "$comment" >>"$GITHUB_STEP_SUMMARY"
{ echo "run=$OUT"; echo "comment=$comment"; } >>"$GITHUB_OUTPUT"
exit "$status"
