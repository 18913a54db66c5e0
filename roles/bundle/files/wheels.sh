#!/bin/sh
# Download the wheels of locked requirements, and pip itself, which a controller without python3-venv lacks.
# Usage: wheels.sh PYTHON DIRECTORY ROOT VERSION...
set -eu
python=$1 directory=$2 root=$3
shift 3
for version in "$@"; do
    for requirements in requirements.txt requirements-pip.txt; do
        "$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
            --python-version "$version" --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
            --platform manylinux2014_x86_64 --platform manylinux_2_12_x86_64 --platform manylinux2010_x86_64 \
            --dest "$directory" --requirement "$root/$requirements"
    done
done
