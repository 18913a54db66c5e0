#!/bin/sh
# Make the base image of all others: a minimal Debian, from Debian's own packages, without any registry of images.
# Usage: build.sh SUITE REFERENCE LABEL
set -eu
suite=$1 reference=$2 label=$3
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT INT TERM

debootstrap --variant=minbase --include=ca-certificates "$suite" "$root/root" >"$root/log" 2>&1 || {
    tail -n 20 "$root/log" >&2
    exit 1
}
cd "$root/root"
# Security updates come from the mirror that debootstrap chose.
sed -n 's|^deb \([^ ]*\)/debian/* '"$suite"' .*|deb \1/debian-security '"$suite"'-security main|p' \
    etc/apt/sources.list >>etc/apt/sources.list
# The host's trust store: behind a company proxy that inspects TLS, builds would fail without it.
cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/ca-certificates.crt
# Documentation and caches serve nobody in a container.
cat >etc/dpkg/dpkg.cfg.d/slim <<CONF
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-include=/usr/share/doc/*/copyright
CONF
cat >etc/apt/apt.conf.d/slim <<CONF
APT::Install-Recommends "false";
Acquire::Languages "none";
DPkg::Options { "--force-unsafe-io"; };
CONF
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* var/log/* usr/share/man/* usr/share/info/* usr/share/locale/*
# Packages that register alternatives (Java) link manual pages into this directory, and fail without it.
mkdir -p usr/share/man/man1
tar -c . | docker import --change "LABEL $label" --change 'ENV LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive' - "$reference"
