#!/bin/bash
# Put the project's files, as git knows them, and the collected parts into one archive, which appears when it is whole.
# Usage: pack.sh ROOT PARTS FILE
set -euo pipefail
root=$1 parts=$2 file=$3
cd "$parts"
find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum >SHA256SUMS
cd "$root"
git ls-files -z >"$parts.files"
tar --create --file "$file.part" --owner 0 --group 0 --null --files-from "$parts.files" --transform 's,^,private-panoramax/,S'
tar --append --file "$file.part" --owner 0 --group 0 --directory "$parts" --transform 's,^\.,private-panoramax/bundle,S' .
rm "$parts.files"
mv "$file.part" "$file"
