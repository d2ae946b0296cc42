#!/usr/bin/env bash
# Makes a pack, which validates the manifest, and signs it if SKERRY_KEY holds a key. Shows what is in it.
set -euo pipefail

if [ -n "${SKERRY_KEY:-}" ]; then
  skerry pack "$MANIFEST" -o "$OUT" --force --key-env SKERRY_KEY
else
  skerry pack "$MANIFEST" -o "$OUT" --force
fi
{
  echo "### $OUT"
  echo '```'
  skerry pack --list "$OUT"
  echo '```'
} >>"$GITHUB_STEP_SUMMARY"
