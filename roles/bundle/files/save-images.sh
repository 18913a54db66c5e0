#!/bin/bash
# Save images into one archive, in which layers that they share are once. Every Docker Engine loads gzip; not all load zstd.
# Usage: save-images.sh FILE REFERENCE...
set -euo pipefail
file=$1
shift
compress=$(command -v pigz || command -v gzip)
docker save "$@" | "$compress" -1 >"$file"
