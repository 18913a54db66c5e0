#!/bin/sh
# Usage: certificates.sh DIRECTORY ADDRESS   Make an authority, and with it a certificate for a registry at that address.
set -eu
mkdir -p "$1"
cd "$1"
[ ! -e server.pem ] || exit 0
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
# shellcheck disable=SC2086  # the options are words
openssl req -x509 $key -keyout ca.key -out ca.pem -subj "/CN=Authority of the registry under test" 2>/dev/null
# shellcheck disable=SC2086
openssl req -x509 $key -keyout server.key -out server.pem -CA ca.pem -CAkey ca.key \
    -subj "/CN=registry" -addext "subjectAltName=IP:$2" -addext "basicConstraints=critical,CA:FALSE" 2>/dev/null
