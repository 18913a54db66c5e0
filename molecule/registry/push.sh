#!/bin/sh
# Usage: push.sh REGISTRY CA-FILE NAME=LOCAL=OFFICIAL...   Push local images under official names; print the settings, as YAML,
# by which a site pulls them from there.
set -eu
registry=$1
echo "---"
echo "images_registry: $1"
echo "images_registry_ca_file: $2"
shift 2
echo "images_registry_references:"
for image in "$@"; do
    name=${image%%=*} rest=${image#*=}
    local=${rest%%=*} official=${rest#*=}
    docker tag "$local" "$registry/$official:under-test"
    docker push --quiet "$registry/$official:under-test" >/dev/null
    digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$registry/$official:under-test" |
        sed -n "s|^$registry/$official@||p")
    docker rmi --no-prune "$registry/$official:under-test" >/dev/null
    echo "  $name: $official@$digest"
done
