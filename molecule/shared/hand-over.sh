#!/bin/sh
# Usage: hand-over.sh CONTAINER REFERENCE...   Copy those of this machine's images into a test host that it lacks.
set -eu
host=$1
shift
for reference in "$@"; do
    shift
    docker exec "$host" docker image inspect "$reference" >/dev/null 2>&1 || set -- "$@" "$reference"
done
[ $# -eq 0 ] || docker save "$@" | docker exec -i "$host" docker load
