#!/usr/bin/env bash
# Step of action.yml: judges RUN by RULES, with AGAINST as the baseline where that exists, and ends with the exit code of the gate.
# Annotations come by themselves; what the gate says goes into the summary of the step, and behind what COMMENT holds.
set -euo pipefail
words=(gate "$RUN" --rules "$RULES" --inconclusive "$INCONCLUSIVE" --junit "$RUN/gate.xml" --github always)
if [ -n "$AGAINST" ] && [ -e "$AGAINST" ]; then words+=(--against "$AGAINST"); fi

said=$(mktemp)
status=0
GITHUB_STEP_SUMMARY=$said onnxprof "${words[@]}" || status=$?
cat "$said" >>"$GITHUB_STEP_SUMMARY"
cat "$said" >>"$COMMENT"
# Its first line is, say, `### Gate: FAIL: 1 passed, 2 failed, 0 inconclusive`.
verdict=$(sed -n '1s/.*Gate: \([A-Za-z]*\).*/\1/p' "$said" | tr '[:upper:]' '[:lower:]')
{ echo "verdict=$verdict"; echo "exit-code=$status"; } >>"$GITHUB_OUTPUT"
exit "$status"
