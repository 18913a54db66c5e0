#!/bin/sh
# Usage: connect.sh CONTAINER   Give a test host a way out of its network, as a host on the internet has, and Docker's command,
# with which the tests look into it (the deployment needs it not).
set -eu
docker network connect bridge "$1"
# Docker's name server answers for the hosts of the test network only; the machine's own knows the rest.
docker exec -i "$1" tee /etc/resolv.conf </etc/resolv.conf >/dev/null
docker exec "$1" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends docker-cli >/dev/null'
