#!/usr/bin/env bash
# Step of action.yml: installs PACKAGE, or the sources of the action, and puts the command on PATH of the steps that follow.
set -euo pipefail
venv=$RUNNER_TEMP/onnxprof-venv
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet "${PACKAGE:-$GITHUB_ACTION_PATH}"
echo "$venv/bin" >>"$GITHUB_PATH"
"$venv/bin/onnxprof" --version
