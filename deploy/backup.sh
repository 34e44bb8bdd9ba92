#!/bin/sh
# muster-backup FOLDER: one backup of a running server into FOLDER/TIME, looked through before older ones go.
#
# MUSTER_DATA is the data folder. MUSTER_BACKUP_KEEP_DAYS is how many days copies are kept, 14 by default.
# The key file is not in the copies: keep it once and apart, as docs/guide/running.md says.
set -eu

data=${MUSTER_DATA:?names the data folder}
keep_days=${MUSTER_BACKUP_KEEP_DAYS:-14}
folder=${1:?usage: muster-backup FOLDER}
copy=$folder/$(date -u +%Y%m%dT%H%M%SZ)

muster backup --data "$data" --to "$copy"
if ! muster restore "$copy" --verify --key "$data/muster.key"; then
    # Kept for whoever looks into it, under a name that nobody takes for a good one.
    mv "$copy" "$copy.broken"
    exit 1
fi
# Only what this script made, and only after a good one.
find "$folder" -mindepth 1 -maxdepth 1 -type d -name '20*T*Z*' -mtime "+$keep_days" -exec rm -rf {} +
