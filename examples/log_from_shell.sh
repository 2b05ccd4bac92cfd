#!/bin/sh
# Log from plain shell, by the format of core/tracker/runlog/FORMAT.md. It needs a POSIX shell and gzip.
#
#     sh log_from_shell.sh RUN_DIR [ROWS]
#     tracker sync RUN_DIR
set -eu

dir=$1
rows=${2:-10}
mkdir -p "$dir"
stream=$dir/history-shell.jsonl
[ ! -e "$stream" ] || { echo "$stream exists; a stream has only one writer" >&2; exit 1; }

# gzip writes the CRC-32 of a text in its trailer: the last 8 bytes are the CRC and the length, little-endian.
crc() {
    printf '%s' "$1" | gzip -c | tail -c 8 | od -An -tx1 -N4 | awk '{print $4 $3 $2 $1}'
}

# record MEMBERS: append one line; MEMBERS is everything after the time.
record() {
    rest="\"t\":$(date +%s)000000,$1}"
    # One printf to a file opened for appending is one write(2), so a line is complete or missing.
    printf '{"c":"%s",%s\n' "$(crc "$rest")" "$rest" >>"$stream"
}

record "\"run\":{\"version\":1,\"stream\":\"history\",\"id\":\"$(basename "$dir")\",\"entity\":\"shell\",\"project\":\"examples\",\"name\":\"from-the-shell\"}"
record '"config":{"language":"sh","rows":'"$rows"'}'
step=0
while [ "$step" -lt "$rows" ]; do
    record "\"s\":$step,\"log\":{\"square\":$((step * step)),\"half\":$((step / 2)).$((step % 2 * 5))}"
    step=$((step + 1))
done
record '"s":'"$rows"',"log":{"diverged":{"_type":"float","value":"NaN"}}'
record '"finish":{"state":"finished","exit_code":0}'
