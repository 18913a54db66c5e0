#!/bin/sh
# Make an apt repository of packages and of all that they depend on, for a host of which nothing is known but its release.
# Runs in a container of the base image; the mirror is the one that the image came from.
# Usage: packages.sh RELEASE NUMBER OWNER "PACKAGES FOR HOSTS" "PACKAGES FOR CONTROLLERS"
#   Writes /out/packages-debian-NUMBER.tar: *.deb, Packages, and `names` with the packages for hosts.
set -eu
release=$1 number=$2 owner=$3 hosts=$4 controllers=$5
work=$(mktemp -d)
mkdir -p "$work/lists/partial" "$work/debs/partial"
: >"$work/status"
. /etc/os-release
sed "s/$VERSION_CODENAME/$release/g" /etc/apt/sources.list >"$work/sources.list"
# No package counts as installed: the host may have an older version of any of them.
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache::Archives="$work/debs" \
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@"
}
apt update
names=
for name in $hosts; do
    if apt install --simulate "$name" >/dev/null 2>&1; then names="$names $name"; fi
done
case " $names " in *" docker.io "*) ;; *) echo "docker.io of Debian $number cannot be had" >&2; exit 1 ;; esac
# shellcheck disable=SC2086
apt install --yes --download-only $names $controllers
apt-get -qq update
apt-get -qq install --yes apt-utils >/dev/null
cd "$work/debs"
rm -rf partial lock
apt-ftparchive packages . >Packages
echo $names >names
tar -cf "/out/packages-debian-$number.tar" -- *.deb Packages names
chown "$owner" "/out/packages-debian-$number.tar"
