#!/bin/sh
# Usage: keep-logs.sh DIRECTORY CONTAINER...   Write the last words of test hosts, and of the containers inside them.
set -eu
directory=$1
shift
mkdir -p "$directory"
for host in "$@"; do
    {
        docker logs --tail 50 "$host"
        docker exec "$host" sh -c '
            systemctl --failed --no-pager
            journalctl --no-pager --lines 200 --priority warning
            command -v docker >/dev/null || exit 0
            docker ps --all
            for name in $(docker ps --all --format "{{.Names}}"); do
                echo "== $name"
                docker logs --tail 60 "$name"
            done'
    } >"$directory/$host.log" 2>&1 || true
done
