#!/usr/bin/env bash
# Downloads the binary of a release, checks its SHA-256, and puts it on the path of the next steps.
set -euo pipefail

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "::error::There is no skerry for $(uname -m)." >&2 && exit 1 ;;
esac

folder=$RUNNER_TEMP/skerry
mkdir -p "$folder"
url=${SKERRY_BASE_URL:-https://github.com/$REPOSITORY/releases/download}/v$VERSION/skerry-linux-$arch
curl --fail --location --silent --show-error --output "$folder/skerry" "$url"
if ! echo "$SHA256  $folder/skerry" | sha256sum --check --status; then
  echo "::error::The SHA-256 of $url is not $SHA256: correct the input \"sha256\"." >&2
  exit 1
fi
chmod +x "$folder/skerry"
echo "$folder" >>"$GITHUB_PATH"
