#!/bin/bash
# Starts PostgreSQL in its container: creates the cluster on an empty volume, brings roles and databases in step with
# what the inventory declares, and then becomes the server.
#
# The reconciling runs at every start, on a server that listens on a private socket only: nobody can connect before
# roles, passwords and grants are right, a rotated password needs nothing but the restart that its changed file causes,
# and the superuser never needs a password. It runs in the official image as well as in ours.
set -euo pipefail

readonly config=/etc/private-panoramax/postgresql.conf
readonly reconcile=/etc/private-panoramax/reconcile.sql
readonly private=/tmp/reconcile

say() { echo "start: $*" >&2; }

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  # Built beside its place and moved there, PG_VERSION last: killed at any moment, the next start goes on or begins anew.
  fresh=$PGDATA/fresh
  if [[ ! -e $fresh/complete ]]; then
    say "creating a new cluster in $PGDATA"
    rm -rf "$fresh"
    # The builtin provider sorts the same in every image and release: no index breaks when the base system changes.
    initdb --pgdata="$fresh" --username=postgres --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 \
      --data-checksums --auth-local=peer --auth-host=scram-sha-256 >/dev/null
    touch "$fresh/complete"
  fi
  find "$fresh" -mindepth 1 -maxdepth 1 ! -name complete ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
  mv "$fresh/PG_VERSION" "$PGDATA/"
  rm -rf "$fresh"
fi

have=$(<"$PGDATA/PG_VERSION")
want=$(postgres --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
if [[ $have != "$want" ]]; then
  say "the data in $PGDATA is of PostgreSQL $have, but this image is PostgreSQL $want."
  say "Deploy the image of version $have again, back up, and restore into a new volume with version $want."
  exit 1
fi

# A signal during the reconciling must still stop the server cleanly: a shell that is process 1 ignores it otherwise.
stop_private() { pg_ctl --pgdata="$PGDATA" --mode=fast --wait --silent stop >&2 || true; }
trap 'say "told to stop while starting"; stop_private; exit 130' INT TERM

rm -rf "$private"
mkdir --mode=0700 "$private"
pg_ctl --pgdata="$PGDATA" --wait --timeout=600 --silent \
  --options="-c config_file=$config -c listen_addresses='' -c unix_socket_directories=$private" start >&2 &
wait $!
if ! psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host="$private" --username=postgres --dbname=postgres \
    --file="$reconcile" >&2; then
  say "roles and databases could not be brought in step; see the error above"
  stop_private
  exit 1
fi
stop_private
rm -rf "$private"
trap - INT TERM

exec postgres -c "config_file=$config"
