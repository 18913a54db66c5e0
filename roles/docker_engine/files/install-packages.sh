#!/bin/sh
# Install the packages of a bundle, with apt, from its directory and from nothing else: what the host has in a version that is
# good enough stays. Their checksums were those of Debian's signed lists when the bundle was made.
# Usage: install-packages.sh DIRECTORY
set -eu
directory=$1
echo "deb [trusted=yes] file:$directory ./" >"$directory/sources.list"
mkdir -p "$directory/lists/partial"
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dir::Etc::SourceList="$directory/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$directory/lists" -o APT::Sandbox::User=root \
        -o APT::Install-Recommends=false -o APT::Get::List-Cleanup=false "$@"
}
apt update
# shellcheck disable=SC2046  # names, separated by spaces
apt install --yes -o Dpkg::Use-Pty=0 $(cat "$directory/names")
