#!/usr/bin/env bash
# backup.sh PROJECT database|pictures store RUN SECONDS [restic's --keep-... options]
#                                     fetch RUN|latest
#                                     put-back
#                                     tidy
# backup.sh PROJECT - rest
# Runs on the host that holds the database or the pictures, from a private directory, where the files `environment` and
# `password` say how to get into the repository; `rest` anywhere.
set -euo pipefail
umask 077
project=$1 what=$2 action=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
fetched=$here/fetched

volume() { docker volume inspect --format '{{.Mountpoint}}' "$project-pictures"; }
in_database() { docker exec -i "$project-database" "$@"; }
# Docker may lose what a command said and yet say that it ended well: an answer counts if it has its last line.
ask() {
    local said
    said=$(in_database psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -h /run/postgresql -U postgres -d panoramax -c "$1" -c '\echo whole') || return
    [ "${said##*$'\n'}" = whole ] || {
        echo "Docker lost an answer of the database; is the host very busy? Run this again." >&2
        return 1
    }
    printf %s "${said%whole}"
}
# A dump is read to its end, as a restore would.
dump() {
    in_database pg_dump -h /run/postgresql -U postgres -Fc "$@" > "$here/databases/$1.dump"
    in_database pg_restore --file /dev/null < "$here/databases/$1.dump"
}
unprepared="preparing_status <> 'prepared' AND status <> 'waiting-for-delete'"

open_repository() {
    # shellcheck source=/dev/null
    . "$here/environment"
    export RESTIC_PASSWORD_FILE=$here/password RESTIC_CACHE_DIR=$here/cache
}

store_database() {
    # Pictures that are not blurred yet are on the disk as they were taken, and stay out of every backup.
    local deadline=$((SECONDS + $1)) waiting
    while waiting=$(ask "SELECT count(*) FROM pictures WHERE $unprepared AND preparing_status <> 'broken'") &&
        [ "$waiting" -gt 0 ] && [ "$SECONDS" -lt "$deadline" ]; do
        sleep 5
    done
    [ "$waiting" -eq 0 ] || echo "$waiting pictures still wait for their blurring and are not in this backup."
    mkdir -p "$here/databases"
    # The view is made anew where it is restored; refreshing it without statistics takes minutes (measured).
    dump panoramax --exclude-table-data=pictures_grid
    dump keycloak
    restic backup --quiet --host "$project" --tag "$run,$what" "$here/databases"
}

store_pictures() {
    local from
    from=$(volume)
    mkdir -p "$from/permanent" "$from/derivates"
    touch "$here/controller.tar"
    restic backup --quiet --host "$project" --tag "$run,$what" "$from/permanent" "$from/derivates" "$here/controller.tar"
}

# Identifier and run of the snapshot of a run, or of the newest.
snapshot() {
    local tags=$what
    [ "$1" = latest ] || tags=$1,$what
    restic snapshots --json --host "$project" --tag "$tags" | python3 -c '
import json, sys
found = json.load(sys.stdin) or []
if found:
    newest = max(found, key=lambda one: one["time"])
    print(newest["id"], *(tag for tag in newest["tags"] if tag != sys.argv[1]))' "$what"
}

put_back_database() {
    local database
    # What administrators did is never taken back. After an interrupted restore the file has it, the database may not.
    ask "COPY (SELECT noted, line FROM priv.account_log ORDER BY id) TO STDOUT" >> "$here/record" || [ -s "$here/record" ]
    for database in panoramax keycloak; do
        in_database pg_restore -h /run/postgresql -U postgres -d postgres --clean --if-exists --create --exit-on-error \
            < "$(find "$fetched" -name "$database.dump")"
    done
    { echo "CREATE TEMPORARY TABLE record (noted timestamptz, line text); COPY record FROM STDIN;"
      cat "$here/record"
      echo '\.'
      echo "INSERT INTO priv.account_log (noted, line) SELECT DISTINCT noted, line FROM record r
            WHERE NOT EXISTS (SELECT FROM priv.account_log l WHERE l.line = r.line) ORDER BY noted;"
    } | in_database psql --no-psqlrc -qX -v ON_ERROR_STOP=1 -h /run/postgresql -U postgres -d panoramax
    in_database vacuumdb -h /run/postgresql -U postgres --all --analyze-only --quiet
    # Originals are in no backup: what waited for its blurring cannot be blurred any more.
    ask "SELECT format('Not in the backup: %s of %s, which waited for its blurring', metadata->>'originalFileName', a.name)
         FROM pictures p JOIN accounts a ON a.id = p.account_id WHERE $unprepared"
    ask "SET priv.operator = 'on'; DELETE FROM job_queue; DELETE FROM pictures WHERE preparing_status <> 'prepared'" > /dev/null
    # It puts in place what belongs to the superuser when it starts.
    docker restart -t 60 "$project-database" > /dev/null
}

put_back_pictures() {
    local to part
    to=$(volume)
    for part in permanent derivates; do
        rm -rf "${to:?}/$part"
        mv "$(find "$to/.fetched" -type d -name "$part" -path "*/_data/$part" -prune)" "$to/$part"
    done
    find "$to/tmp" -mindepth 1 -delete 2> /dev/null || true
    rm -rf "$to/.fetched"
    echo "$(find "$to/permanent" -type f | wc -l) files of pictures"
}

case $action in
store)
    run=$1 patience=$2
    shift 2
    open_repository
    restic cat config > /dev/null 2>&1 || restic init
    "store_$what" "$patience"
    restic forget --quiet --host "$project" --tag "$what" --group-by host --prune "$@"
    echo "Stored: $what of $project, run $run"
    ;;
fetch)
    open_repository
    read -r found run <<< "$(snapshot "$1")"
    [ -n "$found" ] || {
        echo "$RESTIC_REPOSITORY holds no $what of $project of the run $1. Those that it holds:" >&2
        restic snapshots --host "$project" --compact >&2
        exit 1
    }
    # On the same file system as what it replaces, so that putting it in place is a rename.
    [ "$what" = database ] || fetched=$(volume)/.fetched
    rm -rf "$fetched"
    restic restore --quiet --target "$fetched" "$found"
    echo "$run"
    ;;
put-back) "put_back_$what" ;;
rest)
    # Whoever stores something, until the next deployment starts it; and what migrated the database that is to go.
    # Once more after a restore that was interrupted, there may be nothing left to stop.
    docker ps -q --filter "name=^/$project-(api|keycloak|worker-[0-9]+)$" | xargs -r docker stop -t 60 > /dev/null
    docker ps -aq --filter "name=^/$project-migrate$" | xargs -r docker rm -f > /dev/null
    ;;
tidy) rm -rf "$here" "$(volume 2> /dev/null || echo /nonexistent)/.fetched" ;;
esac
