#!/bin/sh
# Audits a Concord tree by hand: signatures, statements, MuHashes, patches, deltas, snapshots and headers, and the files that
# nobody signed. It follows FORMAT.md, which lies beside it in every tree, and shares no line with the programs that write
# and read trees. Of patches, deltas, shards and filters it checks digests, not what they say: that is what `concord verify`
# is for. Nobody signs this file either: read it before you run it, or take it from where you trust it.
set -u
LC_ALL=C
export LC_ALL
unset CDPATH
umask 077

usage() {
    cat <<'USAGE'
sh audit.sh [--key HEX] [--shard N] [TREE]

TREE is the folder of a tree (default: the folder you are in), or its URL. Of a folder everything is checked; over HTTP the
newest epoch: its attestations, MuHashes, patches, deltas and snapshot, and all headers. The newest attestation comes first:
unless the key signed it nothing else is asked for, and headers are asked for one file at a time, each after those before it
were right.

  --key HEX   the authority's public key as you know it from elsewhere; without it the key that the tree names itself
  --shard N   of snapshots, patches and deltas only shard N, counted from 0: its file, its filter, its sections

It needs awk, od, zstd, openssl, the usual small tools (coreutils, find and xargs, or busybox), and curl for a URL. What it
unpacks and fetches is in a folder under TMPDIR (or /tmp) and goes at the end.

Exit status: 0 all of it is right; 4 something does not verify; 1 this machine, or no tree is there; 64 wrong usage.
USAGE
}

# Ends with a status and a message. In a part of a pipe it ends only that part: without the file «fine» the status will be 1,
# whatever comes after. To remove a file is possible on a full disk too.
die() {
    printf 'error: %s\n' "$2" >&2
    [ "$1" -ne 1 ] || [ -z "${work:-}" ] || rm -f "$work/fine"
    exit "$1"
}

key='' shard='' tree=''
take_tree() {
    if [ -n "$tree" ] || [ -z "$1" ]; then die 64 "give one folder or URL: see sh audit.sh --help"; fi
    tree=$1
}
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --key | --shard) [ $# -ge 2 ] || die 64 "$1 needs a value: see sh audit.sh --help" ;;
    esac
    case $1 in
    --key)
        key=$2 && shift 2
        [ -n "$key" ] || die 64 "«» is no public key"
        ;;
    --key=?*) key=${1#*=} && shift ;;
    --shard)
        shard=$2 && shift 2
        [ -n "$shard" ] || die 64 "«» is no shard"
        ;;
    --shard=?*) shard=${1#*=} && shift ;;
    --) shift && break ;;
    -*) die 64 "there is no option «$1»: see sh audit.sh --help" ;;
    *) take_tree "$1" && shift ;;
    esac
done
for word do take_tree "$word"; done
tree=${tree:-.}
case $shard in
*[!0-9]* | 0?* | ?????*) die 64 "«$shard» is no shard: a number below the tree's shards, counted from 0" ;;
esac

url=''
case $tree in
http://* | https://*)
    url=${tree%/}
    case $url in
    *[!!-~]* | *[\"\\\<\>?#]*) die 64 "the URL of a tree has no spaces, quotes, queries or fragments" ;;
    esac
    ;;
esac

for tool in awk cat cut find fold head mkdir mktemp od openssl paste rm sha256sum sort tail tr wc xargs \
    zstd ${url:+curl}; do
    command -v "$tool" >/dev/null || die 1 "this needs the program $tool, which is not in the PATH"
done

work=$(mktemp -d) || die 1 "no temporary folder can be made: set TMPDIR"
work=$(cd "$work" && pwd) || die 1 "no temporary folder can be made: set TMPDIR"
leave() {
    [ -e "$work/fine" ] || set -- 1
    rm -rf "$work" "${pieces:-$work}"
    exit "$1"
}
trap 'leave $?' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE
# What is hashed piece by piece becomes a file each, and thousands of them: in memory if there is such a place.
if [ -n "${TMPDIR:-}" ] || ! pieces=$(mktemp -d /dev/shm/tmp.XXXXXXXXXX 2>/dev/null); then pieces=$work/pieces; fi
TMPDIR=$work
export TMPDIR work
if [ -n "$url" ]; then
    { mkdir "$work/tree" && cd "$work/tree"; } || die 1 "nothing can be written in $work"
    tree=$url
else
    case $tree in
    /*) cd "$tree" ;;
    *) cd "./$tree" ;;
    esac || die 1 "«$tree» is no folder that can be read"
    tree=${tree%/}
fi
newline='
'

# Writes standard input into a file of the work folder, or behind its end. Whatever is written there goes through these two:
# not every awk notices a full disk, cat does.
keep() {
    cat >"$work/$1" || die 1 "$work cannot be written: is the disk full?"
}

more() {
    cat >>"$work/$1" || die 1 "$work cannot be written: is the disk full?"
}

# Notes what is wrong: FILE: REASON, the file as in the tree.
wrong() {
    printf '%s\n' "$1" | more wrong
}

# Splits what a check says on standard input: lines «wrong FILE: REASON» are noted, the others kept in a file. The last line
# is «.», so that a check that was cut short cannot pass for one that found nothing. Of a file the first reason is enough.
judge() {
    keep said
    [ "$(tail -n 1 "$work/said")" = . ] || die 1 "a check was cut short: has this machine no memory left?"
    awk '$1 == "wrong" && !told[$2]++ { print substr($0, 7) }' "$work/said" | more wrong
    awk '$1 != "wrong" && $0 != "."' "$work/said" | keep "$1"
}

# Says what is checked now, unless something failed before.
tell() {
    [ -e "$work/fine" ] || exit 1
    if [ -t 2 ]; then printf '%-70.70s\r' "$1" >&2; fi
}

for file in fine wrong headers; do keep "$file" </dev/null; done

# Folders that file systems and desktops put at the top of a volume: nobody's data, and mostly not to be read.
# shellcheck disable=SC2016
set -- \( -name 'lost+found' -o -name '.Trash-*' -o -name '.Trash' -o -name '.Trashes' -o -name '.snapshot' \
    -o -name '.snapshots' -o -name '.zfs' -o -name 'System Volume Information' -o -name '$RECYCLE.BIN' \
    -o -name '.Spotlight-V100' -o -name '.fseventsd' -o -name '.TemporaryItems' \)

# Folders that cannot be listed would look empty. Names of such ones, or what find says of them.
if [ -z "$url" ]; then
    # shellcheck disable=SC2016
    find . -type d "$@" -prune -o \( -type d -o -type l \) -exec sh -c '
        for folder do
            [ ! -d "$folder" ] || { [ -r "$folder" ] && [ -x "$folder" ]; } || printf "%s\n" "${folder#./}"
        done' sh {} + 2>&1 | tr -c ' -~\n' '?' | keep closed
    [ ! -s "$work/closed" ] || die 1 "$tree cannot be listed: $(head -n 1 "$work/closed")"
fi

# --- Small tools ------------------------------------------------------------------------------------------------------

# Functions for awk: the rules for texts in FORMAT.md, and hex.
rules='
function hex(s, digits) { return length(s) == digits && s !~ /[^0-9a-f]/ }
function upto(s, most) {
    return s ~ /^(0|[1-9][0-9]*)$/ && (length(s) < length(most) || length(s) == length(most) && (s "") <= (most ""))
}
function is_network(s) { return s == "main" || s == "testnet4" || s == "signet" || s == "regtest" }
function is_name(s) { return length(s) <= 40 && s ~ /^[0-9A-Za-z][0-9A-Za-z._-]*$/ }
function is_key(s) { return hex(s, 66) && s ~ /^0[23]/ }
function is_text(s) { return s != "" && length(s) <= 200 && s !~ /^ / }
# A number with leading zeros, which the awk of busybox would take for octal.
function decimal(s) { sub(/^0+/, "", s); return s + 0 }
function is_time(s,    year, month, day, days) {
    if (s !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z$/) return 0
    year = decimal(substr(s, 1, 4)); month = decimal(substr(s, 6, 2)); day = decimal(substr(s, 9, 2))
    days = month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
    if (month == 2) days = 28 + (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= days &&
        decimal(substr(s, 12, 2)) < 24 && decimal(substr(s, 15, 2)) < 60 && decimal(substr(s, 18, 2)) < 60
}
function value(line, field) { return index(line, field ": ") == 1 ? substr(line, length(field) + 3) : "" }
function reversed(s,    i, out) {
    out = ""
    for (i = length(s) - 1; i > 0; i -= 2) out = out substr(s, i, 2)
    return out
}
function number(s,    i, n) {
    n = 0
    for (i = 1; i <= length(s); i++) n = 16 * n + index("0123456789abcdef", substr(s, i, 1)) - 1
    return n
}
function padded(height) { return sprintf("%07d", height) }
# The spans of the deltas that end at a height, one space between.
function spans_at(height, epoch,    span, out) {
    out = ""
    for (span = 10; span <= 100; span *= 10) {
        if (span < epoch + 0 && epoch % span == 0 && height > 0 && height % span == 0)
            out = out (out == "" ? "" : " ") span
    }
    return out
}
'

# More functions: to look at zstd frames (RFC 8878, 3.1.1) in a stream of words from as_words.
# shellcheck disable=SC2016
frame_rules='
BEGIN { for (i = 0; i < 256; i++) byte[sprintf("%02x", i)] = i }
# The hex of bytes of the stream from a place on; places ascend.
function bytes(at, count,    from, line, out) {
    from = at - at % 4
    while (till < at + count && (getline line) > 0) {
        text = till > from ? substr(text, 2 * (from - start) + 1) line : line
        start = till > from ? from : till
        till += length(line) / 2
    }
    out = ""
    for (; from < at + count; from += 4) out = out word_of(substr(text, 2 * (from - start) + 1, 8))
    return substr(out, 2 * (at % 4) + 1, 2 * count)
}
function word_of(s) {
    return little ? substr(s, 7, 2) substr(s, 5, 2) substr(s, 3, 2) substr(s, 1, 2) : s
}
function u32(s) {
    return byte[substr(s, 1, 2)] + 256 * byte[substr(s, 3, 2)] + 65536 * byte[substr(s, 5, 2)] + \
        16777216 * byte[substr(s, 7, 2)]
}
# Reads the header of the frame at a place: what it names as the size of its contents, -1 for nothing, and its window.
# Returns where its first block begins, or 0 if no frame is there.
function header(at,    h, flags, i, n, size, single) {
    h = bytes(at, 18)
    if (substr(h, 1, 8) != "28b52ffd") return 0
    flags = byte[substr(h, 9, 2)]; single = int(flags / 32) % 2; has_checksum = int(flags / 4) % 2
    # Behind the flags come the window, in 0 or 1 bytes, the dictionary, in 0, 1, 2 or 4, and the size, in 0, 1, 2, 4 or 8.
    i = 7 - single + (flags % 4 == 3 ? 4 : flags % 4)
    size = int(flags / 64); size = size == 0 ? single : size == 3 ? 8 : 2 * size
    named = size == 0 ? -1 : number(reversed(substr(h, 2 * i - 1, 2 * size))) + (size == 2 ? 256 : 0)
    window = named
    if (!single) {
        window = 128 * (8 + byte[substr(h, 11, 2)] % 8)
        for (n = int(byte[substr(h, 11, 2)] / 8); n > 0; n--) window *= 2
    }
    return at + i - 1 + size
}
# Where the frame ends whose header was read, from its first block on; -1 if no block up to an end is the last.
function behind(at, end,    h) {
    do {
        h = u32(bytes(at, 3) "00")
        at += 3 + (int(h / 2) % 4 == 1 ? 1 : int(h / 8))
    } while (h % 2 == 0 && at < end)
    return h % 2 == 0 ? -1 : at + 4 * has_checksum
}
'

# Bytes as hex, SIZE bytes a line.
as_hex() {
    od -An -v -tx1 | tr -d ' \t\n' | fold -b -w $((2 * $1)) | awk 'NF'
}

# Bytes as hex, in words of four bytes as this machine reads them, which is several times faster; the last may be filled up.
# Behind it, whether this machine turns words round.
as_words() {
    od -An -v -tx4 | tr -d ' \t\n' | fold -b -w 8192 | awk 'NF'
}
little=$(printf '\1\0\0\0' | as_words | cut -c 8)

# Hex as printf knows bytes, in octal.
as_octal() {
    awk '
        BEGIN { for (i = 0; i < 256; i++) octal[sprintf("%02x", i)] = sprintf("\\%03o", i) }
        { for (i = 1; i < length($0); i += 2) printf "%s", octal[substr($0, i, 2)]
          print "" }'
}

# The SHA-256 of every file in a folder, in the order of their names: DIGEST NAME.
hash_files() {
    (cd "$1" && find . -type f | sort | xargs sha256sum) | awk '$2 != "-" { print $1, substr($2, 3) }'
}

empty_folder() {
    { rm -rf "$1" && mkdir "$1"; } || die 1 "$1 cannot be written"
}

# Runs commands that write into files, and hashes the files: DIGEST NAME. So a few programs hash any number of pieces.
hash_written() {
    empty_folder "$pieces"
    # shellcheck disable=SC1090
    (cd "$pieces" && . "$1") || die 1 "$pieces cannot be written"
    hash_files "$pieces"
}

# Of records in hex, a line each: their SHA-256, a line each. What comes twice is hashed once.
hash_records() {
    keep records
    awk '!seen[$0]++' "$work/records" | keep distinct
    as_octal <"$work/distinct" |
        awk '{ print "printf \047" $0 "\047 >" 1000000 + NR " || exit" }' | keep commands
    hash_written "$work/commands" | paste -d ' ' "$work/distinct" - |
        awk 'NR == FNR { hash[$1] = $2; next } { print hash[$0] }' - "$work/records"
}

# Writes the lines on standard input into files of COUNT lines each, in the folder $work/groups.
make_groups() {
    empty_folder "$work/groups"
    lines=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$work/groups/$((10000000 + lines / $1))" || die 1 "$work cannot be written: is the disk full?"
        lines=$((lines + 1))
    done
}

# Of leaves' hashes, a line each, COUNT for a tree: the root of every tree, a line each (RFC 6962, 2.1).
merkle_roots() {
    keep level
    count=$1
    while [ "$count" -gt 1 ]; do
        awk 'NR % 2 { left = $0; next } { print "01" left $0 }' "$work/level" | hash_records | keep above
        keep level <"$work/above"
        count=$((count / 2))
    done
    cat "$work/level"
}

# Sorts, on the disk if it is much.
sorted() {
    sort "$@" || die 1 "what was to be sorted has no room in $work"
}

# Of the paths on standard input, those of files with more than SIZE bytes.
longer() {
    # shellcheck disable=SC2016
    xargs sh -c 'size=$0; [ $# -eq 0 ] || find -L "$@" -size +"$size"c' "$1"
}

# Of the paths on standard input: SIZE PATH.
sizes() {
    # shellcheck disable=SC2016
    xargs sh -c '[ $# -eq 0 ] || wc -c "$@"' sh | awk '$2 != "total" { print $1, $2 }'
}

# Of the paths on standard input, those that are not zstd frames from end to end, and not all skippable, or that have a larger
# window than 8 MiB. (zstd would unpack gzip too, and keeps a small frame to no limit. What it lists is enough where a file is
# one frame, as nearly all are: it names one window a file.)
not_zstd() {
    keep packed
    [ -s "$work/packed" ] || return 0
    if xargs zstd -lvf <"$work/packed" 2>/dev/null | are_single_frames "$(wc -l <"$work/packed")"; then return; fi
    while read -r path; do
        zstd -lvf "$path" 2>/dev/null | are_single_frames 1 || are_frames "$path" || printf '%s\n' "$path"
    done <"$work/packed"
}

# Whether zstd -lv lists COUNT files to the end, each with one frame, and no large window.
are_single_frames() {
    awk -v count="$1" '
        /^Window Size:/ { sub(/.*\(/, ""); if ($1 + 0 > 8388608) other = 1 }
        /^# Zstandard Frames:/ { files++; if ($NF != 1) other = 1 }
        /not compressed by zstd/ { other = 1 }
        END { exit other || files != count }'
}

# Whether a file is frames from end to end, without a large window, and not all skippable.
are_frames() {
    as_words <"$1" | awk -v size="$(wc -c <"$1")" -v little="$little" "$rules$frame_rules"'
        BEGIN {
            for (at = 0; at >= 0 && at < size + 0; at = end) {
                if (bytes(at, 4) ~ /^5.2a4d18$/) end = at + 8 + u32(bytes(at + 4, 4))
                else { first = header(at); end = first && window <= 8388608 ? behind(first, size + 0) : -1; frames++ }
            }
            while ((getline line) > 0) {}
            exit !(at == size + 0 && frames)
        }'
}

# Unpacks FILE to OUT, at most LIMIT bytes and one more; false if it is no such file.
unpack() {
    failed=$({ { zstd -dcq -M8MiB <"$1" 2>/dev/null || echo failed >&3; } | head -c $(($2 + 1)) >"$3"; } 3>&1) ||
        die 1 "$3 cannot be written"
    [ -z "$failed" ]
}

# Unpacks files, PATH LIMIT a line: FOLDER/NAME.zst to $work/unpacked/NAME, and much more than LIMIT bytes of none. Prints
# the paths of those that are no such files. Where all are as they should be, one program does it.
unpack_all() {
    keep packed
    empty_folder "$work/unpacked"
    [ -s "$work/packed" ] || return 0
    blocks=$(awk '$2 > most + 0 { most = $2 } END { printf "%.0f", int(most / 512) + 1 }' "$work/packed")
    (ulimit -f "$blocks" && cut -d ' ' -f 1 "$work/packed" | xargs zstd -dq -M8MiB --output-dir-flat "$work/unpacked") \
        >/dev/null 2>&1 || empty_folder "$work/unpacked"
    while read -r path limit; do
        name=${path##*/} && name=${name%.zst}
        [ -f "$work/unpacked/$name" ] || unpack "$path" "$limit" "$work/unpacked/$name" || {
            rm -f "$work/unpacked/$name"
            printf '%s\n' "$path"
        }
    done <"$work/packed"
}

# The lines on standard input whose first word is no path in the list of refused ones. Those are wrong, for a REASON.
but_refused() {
    awk -v reason="$1" '
        BEGIN { refused = ENVIRON["work"] "/refused"; while ((getline line <refused) > 0) bad[line] }
        !($1 in bad) { print; next }
        reason != "" { print "wrong " $1 ": " reason }
        END { print "." }'
}

# Fetches «PATH MOST», a line each: into files of these names, where the server has them, of at most MOST bytes.
fetch() {
    awk -v base="$url" '
        { if (NR > 1) print "next"
          print "url = \"" base "/" $1 "\""; print "output = \"" $1 "\""; print "max-filesize = " $2
          print "fail\nsilent\ngloboff\ncreate-dirs\nlocation\nmax-redirs = 3"
          print "proto = \"=http,https\"\nproto-redir = \"=http,https\""
          print "connect-timeout = 30\nspeed-limit = 500\nspeed-time = 60\nmax-time = 3600" }' | keep wanted
    [ -s "$work/wanted" ] || return 0
    blocks=$(awk '/^max-filesize/ && $3 > most { most = $3 } END { printf "%d", most / 512 + 2 }' "$work/wanted")
    # Older versions of curl keep to max-filesize only where the server names a length.
    (ulimit -f "$blocks" && curl -q -K "$work/wanted") >/dev/null 2>&1
    # What curl could not write lies there, and the disk is as full as it was then.
    head -c 65536 /dev/zero | keep space
}

# Whether there is such a file, a link to one too. What this machine cannot read is neither right nor wrong.
is_file() {
    [ -f "$1" ] || return 1
    true <"$1" || die 1 "$tree/$1 cannot be read"
}

# How many lines there are of what is wrong.
count_wrong() {
    wc -l <"$work/wrong"
}

# Prints what is wrong.
list_wrong() {
    while IFS= read -r line; do
        printf 'WRONG  %s/%s\n' "$tree" "$line"
    done <"$work/wrong"
}

# Prints whose tree it is, who says so, and how far it goes.
print_authority() {
    printf 'authority  %s, %s\n' "$name" "$network"
    if [ -n "$given" ]; then printf 'key        %s\n' "$key"; else printf 'key        %s (as the tree says itself)\n' "$key"; fi
    printf 'newest     %s\n' "${newest:-–}"
}

# Ends: something is wrong.
end_wrong() {
    if [ "$(count_wrong)" -eq 1 ]; then printf '1 thing is wrong\n'; else printf '%s things are wrong\n' $(($(count_wrong))); fi
    exit 4
}

# Ends an audit over HTTP where something is wrong that the rest hangs on: a host is asked for nothing more.
stop_asking() {
    tell ''
    list_wrong
    print_authority
    printf '\nwhat hangs on that was not asked for\n'
    end_wrong
}

# --- Whose tree it is -------------------------------------------------------------------------------------------------

if [ -n "$url" ]; then
    tell "fetching authority.txt"
    printf '%s\n' 'authority.txt 1024' 'authority.pem 174' 'latest.txt 128' | fetch
fi
[ -e authority.txt ] || die 1 "there is no tree at $tree: $tree/authority.txt cannot be had"
is_file authority.txt || die 4 "$tree/authority.txt: is no file"
[ -z "$(echo authority.txt | longer 1024)" ] || die 4 "$tree/authority.txt: is longer than 1024 bytes"
awk -v size="$(wc -c <authority.txt)" "$rules"'
    { line[NR] = $0; sum += length($0) + 1; if ($0 ~ /[^ -~]/) bad = 1 }
    END {
        name = value(line[2], "name"); network = value(line[3], "network"); key = value(line[4], "key")
        shards = value(line[5], "shards"); epoch = value(line[6], "epoch"); first = value(line[7], "first")
        for (power = 1; power < shards + 0; power *= 2) {}
        if (!bad && NR == 7 && sum == size && line[1] == "concord/1 authority" && is_name(name) && is_network(network) &&
            is_key(key) && upto(shards, "4096") && shards + 0 == power && upto(epoch, "100000") && epoch + 0 > 0 &&
            upto(first, "9999999") && first % epoch == 0) print name, network, key, shards, epoch, first
    }' authority.txt | keep authority
read -r name network named shards epoch first <"$work/authority" ||
    die 4 "$tree/authority.txt: is not what FORMAT.md allows"
[ -z "$shard" ] || [ "$shard" -lt "$shards" ] || die 64 "there is no shard $shard: the tree has $shards, counted from 0"

# The key as SubjectPublicKeyInfo: for secp256k1 a fixed prefix.
given=$key
key=$(printf '%s' "${key:-$named}" | tr A-F a-f)
case $key in
*[!0-9a-f]*) key='' ;;
esac
# shellcheck disable=SC2059
printf "$(printf '3036301006072a8648ce3d020106052b8104000a032200%s\n' "$key" | as_octal)" | keep key.der
openssl ec -pubin -inform DER -in "$work/key.der" -conv_form uncompressed 2>/dev/null | keep key.pem
{ [ ${#key} -eq 66 ] && [ -s "$work/key.pem" ]; } || {
    [ -z "$given" ] || die 64 "«$given» is no public key: 66 hex digits, a point of secp256k1"
    die 4 "$tree/authority.txt: names a key that is none"
}
if [ "$key" != "$named" ]; then
    # Then nothing of it would be right, in one line for each file.
    printf 'WRONG  %s/authority.txt: names the key %s, you gave %s: one of the two is of another authority. Nothing else was checked\n' \
        "$tree" "$named" "$key"
    printf '1 thing is wrong\n'
    exit 4
fi
if ! is_file authority.pem || [ -n "$(echo authority.pem | longer 174)" ] ||
    [ "$(sha256sum <authority.pem)" != "$(sha256sum <"$work/key.pem")" ]; then
    wrong "authority.pem: is not the key $key"
fi

# The newest block, unsigned; «newest» stays empty if the file says none.
newest='' newest_height=0
if ! is_file latest.txt; then
    wrong "latest.txt: is missing, or no file"
elif [ -z "$(echo latest.txt | longer 128)" ]; then
    newest=$(awk -v size="$(wc -c <latest.txt)" "$rules"'
        { sum += length($0) + 1; height = $1; block = $2; line = $0 }
        END { if (NR == 1 && sum == size && upto(height, "9999999") && hex(block, 64) && line == height " " block) print line
        }' latest.txt)
    newest_height=${newest%% *}
fi
[ -n "$newest" ] || ! is_file latest.txt || wrong "latest.txt: is not a height and a block hash"
newest_height=${newest_height:-0}

# Over HTTP a height costs requests, and a host may name any. The main network comes to this one in some forty years.
highest=3000000
if [ -n "$url" ]; then
    [ -n "$newest" ] || stop_asking
    [ "$newest_height" -le "$highest" ] || {
        wrong "latest.txt: names height $newest_height, and no network has blocks above $highest: if this one has, check a copy of it"
        stop_asking
    }
fi

# From here on attestations are asked for: in a folder all, over HTTP those of the newest epoch.
from=$first
if [ -n "$url" ] && [ $((newest_height / epoch * epoch)) -gt "$first" ]; then from=$((newest_height / epoch * epoch)); fi

# --- Attestations -----------------------------------------------------------------------------------------------------

# Reads attestations: PATH LENGTH and either «ok» and fields of the statement, or «wrong» and a reason.
# shellcheck disable=SC2016
attestation_program='
# Whether a list has an item SPAN:DIGEST for each of these spans, in their order, and nothing else.
function is_list(s, spans,    i, count, span, out) {
    if (spans == "") return s == "none"
    count = split(spans, span, " ")
    if (split(s, item, " ") != count) return 0
    out = ""
    for (i = 1; i <= count; i++) {
        if (index(item[i], span[i] ":") != 1 || !hex(substr(item[i], length(span[i]) + 2), 64)) return 0
        out = out (i > 1 ? " " : "") item[i]
    }
    return out == s
}
function with_commas(s) { gsub(/ /, ",", s); return s }
function finish(    height, block, deltas, history, snapshot, start, spans, reason) {
    if (path == "") return
    height = value(l[5], "height"); block = value(l[6], "block")
    deltas = value(l[13], "deltas"); history = value(l[14], "history"); snapshot = value(l[15], "snapshot")
    start = height - height % epoch; spans = spans_at(height + 0, epoch)
    if (l[1] == "concord/1 statement" && value(l[10], "muhash") != "" && value(l[11], "patch") != "")
        reason = "is of the format as it was before statements had muhashes"
    else if (bad || n < 20 || n > 21 || l[1] != "concord/1 statement" || !is_network(value(l[2], "network")) ||
        !upto(value(l[3], "shards"), "4096") || !upto(value(l[4], "epoch"), "100000") || !upto(height, "9999999") ||
        !hex(block, 64) || !hex(value(l[7], "parent"), 64) || !upto(value(l[8], "coins"), "18446744073709551615") ||
        !upto(value(l[9], "amount"), "2100000000000000") || !hex(value(l[10], "muhash"), 64) ||
        !hex(value(l[11], "muhashes"), 64) || !hex(value(l[12], "patch"), 64) || deltas == "" || history == "" ||
        l[16] != "" || !is_name(value(l[17], "authority")) || !is_key(value(l[18], "key")) ||
        !is_time(value(l[19], "time")) || !is_text(value(l[20], "software")) || n == 21 && !is_text(value(l[21], "note")))
        reason = "is no attestation"
    else if (value(l[18], "key") != key)
        reason = "is the attestation of another key, " value(l[18], "key")
    else if (value(l[3], "shards") != shards || value(l[4], "epoch") != epoch ||
        path != "attestations/" padded(start) "/" padded(height) "-" block ".txt")
        reason = "attests another block, or a tree partitioned otherwise, than its name says"
    else if (!is_list(deltas, spans))
        reason = "has not exactly the deltas that end at its height"
    else if (!is_list(history, height == start ? "" : spans == "" ? "1" : "1 " spans))
        reason = "has not exactly the history that belongs to its height"
    else if (height == start ? !hex(snapshot, 64) : snapshot != "none")
        reason = "has a snapshot root where none belongs, or lacks one"
    if (reason != "") print path, sum, "wrong", reason
    else print path, sum, "ok", height, block, value(l[7], "parent"), value(l[8], "coins"), value(l[12], "patch"),
        with_commas(history), snapshot, value(l[2], "network"), value(l[9], "amount"), value(l[10], "muhash"),
        value(l[11], "muhashes"), with_commas(deltas)
}
FNR == 1 { finish(); path = FILENAME; n = sum = bad = 0 }
{ l[++n] = $0; sum += length($0) + 1; if ($0 ~ /[^ -~]/ || $0 ~ / $/) bad = 1 }
END { finish() }'

# Strict DER with a low s (FORMAT.md, «Attestations»), of signatures: PATH HEX in, the paths of those that are none out.
# shellcheck disable=SC2016
signature_program='
function integer(at,    size, digits) {
    size = number(substr(h, at + 2, 2)); digits = substr(h, at + 4, 2 * size)
    if (substr(h, at, 2) != "02" || size < 1 || size > 33 || length(digits) != 2 * size || digits ~ /^[89a-f]/ ||
        digits ~ /^00[0-7]/ || digits ~ /^0+$/) return ""
    end = at + 4 + 2 * size
    sub(/^00/, "", digits)
    while (length(digits) < 64) digits = "0" digits
    return length(digits) == 64 ? digits : ""
}
{
    h = $2
    r = integer(5); s = r == "" ? "" : integer(end)
    if (s == "" || substr(h, 1, 2) != "30" || number(substr(h, 3, 2)) != length(h) / 2 - 2 || end != length(h) + 1 ||
        (r "") > "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140" ||
        (s "") > "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0") print $1
}'

# The paths of the attestations of blocks, HEIGHT BLOCK a line.
attestation_paths() {
    awk -v epoch="$epoch" "$rules"'
        { print "attestations/" padded($1 - $1 % epoch) "/" padded($1) "-" $2 ".txt" }'
}

# Checks the attestations at the paths in the file of that name, and of those that are right makes the file of statements.
check_attestations() {
    tell "checking attestations"
    while read -r path; do
        if ! is_file "$path"; then
            wrong "$path: is missing, or no file"
        elif ! is_file "$path.sig"; then
            wrong "$path.sig: is missing, or no file"
        else
            printf '%s\n' "$path"
        fi
    done <"$work/paths" | keep there
    {
        longer 2048 <"$work/there"
        awk '{ print $0 ".sig" }' "$work/there" | longer 71
    } | keep long
    awk '{ print $0 ": is too long" }' "$work/long" | more wrong
    awk 'FILENAME == "-" { sub(/\.sig$/, ""); long[$0]; next } !($0 in long)' - "$work/there" <"$work/long" | keep bounded

    for file in read sizes not-der; do keep "$file" </dev/null; done
    if [ -s "$work/bounded" ]; then
        xargs awk -v key="$key" -v shards="$shards" -v epoch="$epoch" "$rules$attestation_program" <"$work/bounded" | keep read
        awk '{ print $0 ".sig" }' "$work/bounded" | xargs cat | as_hex 1 | keep bytes
        awk '{ print $0 ".sig" }' "$work/bounded" | sizes | awk '
            BEGIN { bytes = ENVIRON["work"] "/bytes" }
            { h = ""; for (i = 0; i < $1; i++) { getline b <bytes; h = h b } sub(/\.sig$/, "", $2); print $2, h }' |
            awk "$rules$signature_program" | keep not-der
        sizes <"$work/bounded" | keep sizes
    fi
    # Those whose text is right to the last byte, and whose signature has the one form that it may have.
    awk '
        BEGIN {
            sizes = ENVIRON["work"] "/sizes"; der = ENVIRON["work"] "/not-der"; all = ENVIRON["work"] "/bounded"
            while ((getline line <sizes) > 0) { split(line, word, " "); size[word[2]] = word[1] }
            while ((getline line <der) > 0) bad[line]
        }
        $3 == "ok" && $2 == size[$1] && !($1 in bad) { print; right[$1]; next }
        $3 == "ok" && $2 == size[$1] { reason[$1] = "its signature is not strict DER with a low s"; next }
        $3 == "wrong" { path = $1; $1 = $2 = $3 = ""; reason[path] = substr($0, 4) }
        END {
            while ((getline line <all) > 0) if (!(line in right))
                print "wrong " line ": " (line in reason ? reason[line] : "is no attestation")
            print "."
        }' "$work/read" | judge parsed
    count=0
    while read -r path line; do
        count=$((count + 1))
        case $count in
        *00) tell "checking attestations: $count of $(($(wc -l <"$work/parsed")))" ;;
        esac
        if openssl dgst -sha256 -verify "$work/key.pem" -signature "$path.sig" "$path" >/dev/null 2>&1; then
            printf '%s %s\n' "$path" "$line"
        else
            wrong "$path: is not signed by the key $key"
        fi
    done <"$work/parsed" | keep signed
    # By height, lists with commas: HEIGHT BLOCK PARENT COINS PATCH HISTORY SNAPSHOT NETWORK AMOUNT MUHASH PATH MUHASHES DELTAS.
    awk '{ print $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $1, $14, $15 }' "$work/signed" | sorted -n -k 1,1 |
        keep statements
    awk -v network="$network" '$8 != network { print $11 ": is of the network " $8 }' "$work/statements" | more wrong
}

# In a folder all that there are, each in its place. Over HTTP the newest alone, before anything that nobody signed is asked for.
if [ -n "$url" ]; then
    tell "fetching the newest attestation"
    printf '%s\n' "$newest" | attestation_paths | keep paths
    awk '{ print $1, 2048; print $1 ".sig", 71 }' "$work/paths" | fetch
else
    for folder in attestations/*/; do
        for file in "$folder"*.txt; do
            case $file in
            *"$newline"*) ;;
            *) printf '%s\n' "$file" ;;
            esac
        done
    done | awk -v epoch="$epoch" "$rules"'
        { height = substr($0, 22, 7); start = decimal(height) - decimal(height) % epoch }
        height ~ /^[0-9]+$/ && hex(substr($0, 30, 64), 64) &&
            $0 == "attestations/" padded(start) "/" height "-" substr($0, 30, 64) ".txt"' | keep paths
fi
before=$(count_wrong)
check_attestations
[ -z "$url" ] || [ "$(count_wrong)" -eq "$before" ] || stop_asking

# --- Headers ----------------------------------------------------------------------------------------------------------

# The network's genesis block, and the first digits of its easiest target.
case $network in
main) genesis=000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f easiest=00000000ffff ;;
testnet4) genesis=00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043 easiest=00000000ffff ;;
signet) genesis=00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6 easiest=00000377ae ;;
regtest) genesis=0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206 easiest=7fffff ;;
esac

# Links and proof of work of a file of headers, their bytes in hex and their hashes side by side: prints FILE HEIGHT BLOCK
# for each, or nothing but a reason. Without a limit to what a target may be, headers would cost nothing to make up.
# shellcheck disable=SC2016
headers_program='
function target_of(bits,    mantissa, size, target) {
    mantissa = substr(bits, 5, 2) substr(bits, 3, 2) substr(bits, 1, 2); size = number(substr(bits, 7, 2))
    if (mantissa ~ /^[89a-f]/) return ""
    target = mantissa
    if (size < 3) target = substr(mantissa, 1, 2 * size)
    while (size-- > 3) target = target "00"
    sub(/^0+/, "", target)
    if (target == "" || length(target) > 64) return ""
    while (length(target) < 64) target = "0" target
    return target
}
BEGIN { while (length(easiest) < 64) easiest = easiest "0" }
{
    block = reversed($2); target = target_of(substr($1, 145, 8))
    if (substr($1, 9, 64) != parent) {
        reason = FNR == 1 ? "does not go on from the headers before" : "has a header that is not the child of the one before"
    } else if (start + FNR == 1 && (block "") != (genesis "")) {
        reason = "begins with another block than the network does"
    } else if (target == "" || (block "") > (target "")) {
        reason = "has a header without proof of work"
    } else if ((target "") > (easiest "")) {
        reason = "has a header with a target that the network never allows"
    }
    if (reason != "") exit
    out[FNR] = file " " start + FNR - 1 " " block; parent = $2
}
END {
    if (reason != "") { print "wrong " reason " (at height " start + FNR - 1 ")"; exit }
    for (i = 1; i <= FNR; i++) print out[i]
    print "parent " parent
}'

# Checks the file of the headers from a height on, which go on from those checked before. False if it is wrong.
next=0 parent=0000000000000000000000000000000000000000000000000000000000000000
check_headers() {
    file=$1 start=$2
    if ! is_file "$file"; then
        wrong "$file: is missing, or no file"
        return 1
    fi
    if [ -n "$(echo "$file" | longer $((80 * epoch)))" ] || [ ! -s "$file" ] || [ $(($(wc -c <"$file") % 80)) -ne 0 ]; then
        wrong "$file: is not a whole number of headers, at most $epoch"
        return 1
    fi
    if [ "$start" -ne "$next" ]; then
        wrong "$file: does not go on from the headers before"
        return 1
    fi
    tell "checking $file"
    as_hex 80 <"$file" | keep bytes
    hash_records <"$work/bytes" | keep once
    hash_records <"$work/once" | paste -d ' ' "$work/bytes" - |
        awk -v file="$file" -v start="$start" -v parent="$parent" -v genesis="$genesis" -v easiest="$easiest" \
            "$rules$headers_program" | keep links
    read -r word reason <"$work/links"
    if [ "$word" = wrong ]; then
        wrong "$file: $reason"
        return 1
    fi
    awk '$1 != "parent"' "$work/links" | more headers
    parent=$(awk '$1 == "parent" { print $2 }' "$work/links")
    next=$((start + $(wc -l <"$work/bytes")))
}

if [ -n "$url" ]; then
    # Nobody signs them: the next file is asked for where those before it lead there.
    start=0
    while [ "$start" -le "$newest_height" ] && [ "$start" -eq "$next" ]; do
        file=$(printf 'headers/%07d.bin' "$start")
        tell "fetching $file"
        printf '%s %s\n' "$file" $((80 * epoch)) | fetch
        check_headers "$file" "$start" || stop_asking
        start=$((start + epoch))
    done
else
    tell "checking headers"
    for file in headers/[0-9][0-9][0-9][0-9][0-9][0-9][0-9].bin; do
        [ "$file" != 'headers/[0-9][0-9][0-9][0-9][0-9][0-9][0-9].bin' ] || continue
        start=${file#headers/} && start=$((1${start%.bin} - 10000000))
        [ $((start % epoch)) -ne 0 ] || check_headers "$file" "$start"
    done
fi

# Whether the newest block is among them.
is_newest_there() {
    awk -v newest="$newest" '$2 " " $3 == newest { found = 1 } END { exit !found }' "$work/headers"
}

# Over HTTP the attestations of the newest epoch, which the headers lead to.
if [ -n "$url" ]; then
    is_newest_there || {
        wrong "latest.txt: names a block that the headers do not lead to"
        stop_asking
    }
    tell "fetching attestations"
    awk -v from="$from" '$2 >= from { print $2, $3 }' "$work/headers" | attestation_paths |
        awk 'NR == FNR { newest = $0; print; next } ($0 "") != (newest "")' "$work/paths" - | sorted | keep all
    awk 'NR == FNR { newest = $0; next } ($0 "") != (newest "") { print $1, 2048; print $1 ".sig", 71 }' \
        "$work/paths" "$work/all" | fetch
    keep paths <"$work/all"
    check_attestations
fi

# --- What the attestations say ----------------------------------------------------------------------------------------

[ -s "$work/statements" ] || wrong "attestations: there is no valid one at all"

# The digest of every statement: of its lines, which have no quotes.
# shellcheck disable=SC2016
awk '{ print $11 }' "$work/statements" | xargs awk '
    FNR == 1 { printf "printf \047%%s\\n\047" }
    FNR <= 15 { printf " \047%s\047", $0 }
    FNR == 15 { print " >" substr(FILENAME, 22, 72) " || exit" }' /dev/null | keep commands
hash_written "$work/commands" | keep digests

awk -v first="$first" '$1 < first { print $11 ": is below the first height of the tree, " first }' "$work/statements" |
    more wrong

# The genesis block leaves the set empty: its statement is known to the last digit.
check_genesis() {
    nothing=6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
    muhash=dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8
    awk -v shards="$shards" -v filter="$nothing" 'BEGIN {
        for (i = 0; i < shards; i++)
            printf "%03x 0 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 1 %s\n", i, filter
    }' | keep lines
    empty_folder "$pieces"
    while read -r line; do
        printf '\0%s' "$line" >"$pieces/${line%% *}" || die 1 "$pieces cannot be written"
    done <"$work/lines"
    hash_files "$pieces" | cut -c 1-64 | merkle_roots "$shards" | keep root
    for entry in "$(echo "$muhash" | awk "$rules"'{ print reversed($1) }')" "01000000$nothing"; do
        awk -v shards="$shards" -v entry="$entry" 'BEGIN { for (i = 0; i < shards; i++) print "00" entry }' |
            hash_records | merkle_roots "$shards"
    done | keep roots
    awk -v shards="$shards" -v genesis="$genesis" -v muhash="$muhash" '
        BEGIN { while (length(zeros) < 64) zeros = zeros "0" }
        FILENAME != last { last = FILENAME; file++ }
        file == 1 { snapshot = $1 }
        file == 2 { root[FNR] = $1 }
        file == 3 && $1 == 0 {
            if ($2 "" != genesis "" || $3 "" != zeros || $4 $9 != "00" || $10 "" != muhash "" || $12 "" != root[1] "" ||
                $5 "" != root[2] "" || $7 "" != snapshot "")
                print "wrong " $11 ": says something else than the genesis block has, which leaves the set empty"
        }
        END { print "." }' "$work/root" "$work/roots" "$work/statements" | judge rest
}
! awk '$1 == 0 { found = 1 } END { exit !found }' "$work/statements" || check_genesis

# Every statement has its parent's beside it, and names those of its ancestors, up from where the tree begins.
awk -v from="$from" "$rules"'
    BEGIN {
        digests = ENVIRON["work"] "/digests"
        while ((getline line <digests) > 0) { split(line, word, " "); digest[word[2]] = word[1] }
    }
    NR == FNR { parent[$1 " " $2] = $3; next }
    $1 <= from { next }
    !(($1 - 1 " " $3) in parent) { print "wrong " $11 ": the statement of its parent " $3 " is missing"; next }
    $6 != "none" {
        height = $1; block = $2; span = 0; items = split($6, item, ",")
        for (i = 1; i <= items; i++) {
            colon = index(item[i], ":")
            for (; span < substr(item[i], 1, colon - 1) + 0 && (height " " block) in parent; span++) {
                block = parent[height " " block]; height--
            }
            if (!((height " " block) in parent)) break
            if ((digest[padded(height) "-" block] "") != substr(item[i], colon + 1)) {
                print "wrong " $11 ": its history names another statement of " span \
                    " blocks below than the one that is here"
            }
        }
    }
    END { print "." }' "$work/statements" "$work/statements" | judge rest

# Every header is of an attested block, whose statement names the same parent, and they lead to the one that latest.txt names.
awk -v from="$from" '
    BEGIN { while (length(parent) < 64) parent = parent "0" }
    NR == FNR { attested[$1 " " $2] = $3; path[$1 " " $2] = $11; next }
    $2 >= from && !(($2 " " $3) in attested) && !told[$1]++ {
        print "wrong " $1 ": has a header of height " $2 " that is not attested"
    }
    $2 >= from && ($2 " " $3) in attested && attested[$2 " " $3] "" != parent "" {
        print "wrong " path[$2 " " $3] ": names another parent than the header of its block"
    }
    { parent = $3 }
    END { print "." }' "$work/statements" "$work/headers" | judge rest
[ -s "$work/statements" ] || awk '!told[$1]++ { print $1 ": has headers that are not attested" }' "$work/headers" | more wrong
if [ -n "$newest" ]; then
    if ! awk -v newest="$newest" '$1 " " $2 == newest { found = 1 } END { exit !found }' "$work/statements"; then
        wrong "latest.txt: names a block without a valid attestation"
    elif ! is_newest_there; then
        wrong "latest.txt: names a block that the headers do not lead to"
    fi
fi

# --- MuHashes, patches and deltas -------------------------------------------------------------------------------------

# Shards stand in ranges, whose Merkle tree hashes are nodes of the whole tree.
ranges=1
while [ $((4 * ranges * ranges)) -le "$shards" ]; do ranges=$((2 * ranges)); done

# The most bytes of a patch, or of a delta of so many blocks: of its sections, of all its contents, of its file.
limits() {
    sections=$(($1 * 16777216))
    unpacked=$((36 * shards + sections))
    packed=$((8 + 4 * (ranges + shards + 1) + 32 * ranges + unpacked + unpacked / 64 + 1024 * (ranges + shards)))
}

# Puts before each line the number of the file in the list (NUMBER ...) that it is of, COUNT lines for each.
numbered() {
    awk -v count="$1" '
        NR == FNR { number[NR] = $1; next }
        { print number[int((FNR - 1) / count) + 1], $0 }' "$work/list" -
}

# Checks a list of files of MuHashes: PATH ROOT, a line each.
check_muhashes() {
    size=$((32 * (ranges + shards)))
    if [ -n "$url" ]; then awk -v most="$size" '{ print $1, most }' "$1" | fetch; fi
    while read -r path root; do
        if is_file "$path"; then printf '%s %s\n' "$path" "$root"; else wrong "$path: is missing, or no file"; fi
    done <"$1" | keep there
    cut -d ' ' -f 1 "$work/there" | sizes | paste -d ' ' - "$work/there" | awk -v size="$size" '
        $1 != size { print "wrong " $2 ": has not " size " bytes"; next }
        { print ++number, $1, $2, $4 }
        END { print "." }' | judge list
    [ -s "$work/list" ] || return 0

    cut -d ' ' -f 3 "$work/list" | xargs cat | as_hex 32 | numbered $((ranges + shards)) | keep hashes
    awk -v ranges="$ranges" '$1 != last { last = $1; count = 0 } ++count <= ranges { print $2 }' "$work/hashes" | keep named
    awk -v ranges="$ranges" '$1 != last { last = $1; count = 0 } ++count > ranges { print "00" $2 }' "$work/hashes" |
        hash_records | merkle_roots $((shards / ranges)) | keep nodes
    paste -d ' ' "$work/named" "$work/nodes" | numbered "$ranges" | awk '($2 "") != ($3 "") { print $1 }' | keep odd
    merkle_roots "$ranges" <"$work/nodes" | paste -d ' ' "$work/list" - | awk '
        BEGIN { odd = ENVIRON["work"] "/odd"; while ((getline line <odd) > 0) other[line] }
        ($4 "") != ($5 "") { print "wrong " $3 ": are not the MuHashes that the statement names: their root is " $5 }
        $1 in other { print "wrong " $3 ": has nodes that are not those of its entries" }
        END { print "." }' | judge rest
}

# Walks through the bytes of patches and deltas, file after file in words of four bytes: as each directory says from frame to
# frame, and from block to block (RFC 8878, 3.1.1). Prints the line of each file again (NUMBER SIZE PATH ROOT PACKED NAME,
# PACKED being the bytes of the file itself), or a reason.
# shellcheck disable=SC2016
walk_program='
# What is wrong with the frame that should go from a place to another and have so many bytes of contents.
function frame(at, end, contents,    first) {
    first = header(at)
    if (!first) return "has no zstd frame where its directory says"
    if (named < 0) return "has a frame that does not name the size of its contents"
    if (named != contents) return "has a frame that names another size of its contents than the index"
    if (window > 8388608) return "has a frame with a larger window than 8 MiB"
    if (end - at > contents + int(contents / 64) + 1024) return "has a frame that is too long for its contents"
    if (behind(first, end) != end) return "has not one whole frame where its directory says"
    return ""
}
# What is wrong with the file that begins at a place.
function file(begin, size, packed,    h, head, i, n, total, offset, at, last, contents, reason) {
    total = 36 * shards
    for (i = 0; i < shards; i++) {
        if ((getline h <indexes) <= 0) exit
        split(h, word, " "); length_of[i] = u32(word[2]); total += length_of[i]
        if (length_of[i] == 0) total = -1e18
    }
    for (i = 0; i < ranges; i++) { getline h <nodes; split(h, word, " "); node[i] = word[2] }
    if (total != size || total - 36 * shards > most) return "is not as long as its index says"

    n = ranges + shards; head = 8 + 4 * (n + 1) + 32 * ranges
    if (packed < head) return "is shorter than its directory"
    h = bytes(begin, head)
    if (substr(h, 1, 8) != "5c2a4d18" || u32(substr(h, 9, 8)) != head - 8)
        return "does not begin with a directory of " shards " shards"
    for (i = 0; i <= n; i++) offset[i] = u32(substr(h, 17 + 8 * i, 8))
    if (offset[0] != head) return "has a directory that does not lead to the first frame"
    for (i = 1; i <= n; i++) {
        if (offset[i] < offset[i - 1] || offset[i] == offset[i - 1] && (i <= ranges || i == n))
            return "has a directory with offsets that are not in order"
        if (offset[i] == offset[i - 1] && (i - ranges) % (shards / ranges) == 0)
            return "has a directory with sections of two ranges in one frame"
    }
    if (offset[n] != packed) return "has a directory that names another length than the file has"
    for (i = 0; i < ranges; i++) {
        if (substr(h, 8 * n + 25 + 64 * i, 64) != (node[i] ""))
            return "has a directory with nodes that are not those of its index"
    }
    for (i = 0; i < n; i = last) {
        contents = i < ranges ? 36 * shards / ranges : length_of[i - ranges]
        for (last = i + 1; offset[last] == offset[i]; last++) contents += length_of[last - ranges]
        reason = frame(begin + offset[i], begin + offset[last], contents)
        if (reason != "") return reason " (at byte " offset[i] ")"
    }
    return ""
}
BEGIN {
    list = ENVIRON["work"] "/right"; indexes = ENVIRON["work"] "/right-indexes"; nodes = ENVIRON["work"] "/right-nodes"
    while ((getline entry <list) > 0) {
        split(entry, field, " ")
        reason = file(begin, field[2], field[5]); begin += field[5]
        if (reason != "") print "wrong " field[3] ": " reason
        else print entry
    }
    while ((getline entry) > 0) {}
    print "."
}'

# Reads indexes, NUMBER ENTRY a line, file by file. Prints how to cut those in the list: NUMBER BYTES KIND DIGEST, where KIND
# is a shard's number, `zeros` for sections that change nothing, or `skip`.
# shellcheck disable=SC2016
index_program='
function cut(bytes, kind, digest) { if (bytes > 0) print $1, bytes, kind, digest }
function rest() { cut(skipped, "skip"); cut(empty, "zeros"); skipped = empty = 0 }
NR == FNR { wanted[$1]; next }
!($1 in wanted) { next }
$1 != last { last = $1; i = skipped = empty = 0 }
{
    bytes = $2 == none ? 1 : number(reversed(substr($2, 1, 8)))
    if (shard != "" && i != shard + 0) skipped += bytes
    else if ($2 == none) empty++
    else { rest(); cut(bytes, sprintf("%03x", i), substr($2, 9)) }
    if (shard != "" && i == shard + 0 || i == shards - 1) rest()
    i++
}'

# Reads sections, in octal as the shell knows it, and makes of each a command that writes it into a file, NUMBER-SHARD:
# so no program has to be started for each. A comment, «# NUMBER», where something is no zero that should be.
# shellcheck disable=SC2016
cut_program='
BEGIN { plan = ENVIRON["work"] "/plan" }
{
    for (at = 1; at <= length($0); at += 4 * take) {
        if (left == 0) {
            if ((getline step <plan) <= 0) exit
            split(step, word, " "); left = word[2]; long = 0
        }
        take = (length($0) - at + 1) / 4
        if (take > left) take = left
        text = substr($0, at, 4 * take)
        if (word[3] == "zeros") {
            gsub(/[\\]000/, "", text)
            if (text != "") print "#", word[1]
        } else if (word[3] != "skip") {
            if (long == 0) printf "printf \047"
            printf "%s", text
            if ((long += take) >= 4096 || take == left) { print "\047 >>" word[1] "-" word[3] " || exit"; long = 0 }
        }
        left -= take
    }
}'

# Checks a list of patches, or of deltas of so many blocks: PATH ROOT, a line each.
check_changes() {
    span=$2 word=delta
    [ "$span" -gt 1 ] || word='patch'
    limits "$span"
    if [ -n "$url" ]; then awk -v most="$packed" '{ print $1, most }' "$1" | fetch; fi
    while read -r path root; do
        if is_file "$path"; then printf '%s %s\n' "$path" "$root"; else wrong "$path: is missing, or no file"; fi
    done <"$1" | keep there
    cut -d ' ' -f 1 "$work/there" | longer "$packed" | keep refused
    but_refused '' <"$work/there" | awk -v most="$unpacked" '$0 != "." { print $1, most }' | unpack_all | more refused
    but_refused 'is not zstd as it may be here, or too long' <"$work/there" | judge there
    [ -s "$work/there" ] || return 0
    awk '{ sub(/.*\//, ""); sub(/\.zst .*/, ""); print }' "$work/there" | keep names
    (cd "$work/unpacked" && sizes) <"$work/names" | keep sizes
    cut -d ' ' -f 1 "$work/there" | sizes | paste -d ' ' "$work/sizes" "$work/there" - |
        awk -v most="$unpacked" -v least=$((36 * shards)) '
            $1 > most + 0 { print "wrong " $3 ": unpacks to more than " most " bytes"; next }
            $1 < least + 0 { print "wrong " $3 ": is shorter than its index"; next }
            { print 1000 + NR, $1, $3, $4, $5, $2 }
            END { print "." }' | judge list
    [ -s "$work/list" ] || return 0

    # The roots of the indexes.
    cut -d ' ' -f 6 "$work/list" | (cd "$work/unpacked" && xargs head -q -c $((36 * shards))) | as_hex 36 |
        numbered "$shards" | keep indexes
    awk '{ print "00" $2 }' "$work/indexes" | hash_records | merkle_roots $((shards / ranges)) | keep nodes
    merkle_roots "$ranges" <"$work/nodes" | paste -d ' ' "$work/list" - | awk -v word="$word" '
        ($4 "") != ($7 "") { print "wrong " $3 ": is not the " word " that the statement names: its root is " $7; next }
        { print $1, $2, $3, $4, $5, $6 }
        END { print "." }' | judge right

    # The directories, and the frames that they lead to.
    awk 'NR == FNR { right[$1]; next } $1 in right' "$work/right" "$work/indexes" | keep right-indexes
    numbered "$ranges" <"$work/nodes" | awk 'NR == FNR { right[$1]; next } $1 in right' "$work/right" - | keep right-nodes
    cut -d ' ' -f 3 "$work/right" | xargs cat /dev/null | as_words | awk -v shards="$shards" -v ranges="$ranges" \
        -v most="$sections" -v little="$little" "$rules$frame_rules$walk_program" | judge list

    # The sections.
    [ -s "$work/list" ] || return 0
    awk -v shards="$shards" -v shard="$shard" \
        -v none=010000006e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d \
        "$rules$index_program" "$work/list" "$work/indexes" | keep plan
    cut -d ' ' -f 6 "$work/list" | (cd "$work/unpacked" && xargs tail -q -c +$((36 * shards + 1))) |
        od -An -v -to1 | tr -s ' ' '\134' | awk "$cut_program" | keep commands
    awk '$1 == "#" { print $2 }' "$work/commands" | keep no-zeros
    hash_written "$work/commands" | keep hashes
    awk '
        BEGIN {
            hashes = ENVIRON["work"] "/hashes"; zeros = ENVIRON["work"] "/no-zeros"
            while ((getline line <hashes) > 0) { split(line, word, " "); hash[word[2]] = word[1] }
            while ((getline line <zeros) > 0) bad[line]
        }
        NR == FNR { path[$1] = $3; next }
        $3 == "skip" { next }
        ($3 == "zeros" ? $1 in bad : (hash[$1 "-" $3] "") != ($4 "")) && !told[$1]++ {
            print "wrong " path[$1] ": has a section (" $3 ") that is not the one its index names"
        }
        END { print "." }' "$work/list" "$work/plan" | judge rest
}

# The data that there should be, of all statements: PATH ROOT SPAN HEIGHT, SPAN being 0 for MuHashes and 1 for patches; and
# FOLDER COINS ROOT HEIGHT.
awk -v epoch="$epoch" "$rules"'
    {
        name = padded($1 - $1 % epoch) "/" padded($1) "-" $2
        print "muhashes/" name ".bin", $12, 0, $1; print "patches/" name ".zst", $5, 1, $1
        for (i = $13 == "none" ? 0 : split($13, item, ","); i > 0; i--) {
            span = substr(item[i], 1, index(item[i], ":") - 1)
            print "deltas/" name "-" span ".zst", substr(item[i], length(span) + 2), span, $1
        }
    }' "$work/statements" | keep attested-data
awk '$3 == 1' "$work/attested-data" | keep attested-patches
awk "$rules"'
    $7 != "none" { print "snapshots/" padded($1) "-" $2, $4, $7, $1 }' "$work/statements" | keep attested-snapshots
manifest_most=$((182 * shards))
if [ -n "$url" ]; then
    limits 1
    {
        awk -v most="$packed" 'NR == 1 { print $1, most }' "$work/attested-patches"
        awk -v most="$manifest_most" 'NR == 1 { print $1 "/manifest.txt", most }' "$work/attested-snapshots"
    } | fetch
fi

# From the lowest manifest on a tree has all data; below it what is there is checked. A witness has no data at all.
kept=$(while read -r folder _ _ height; do
    if [ -e "$folder/manifest.txt" ]; then echo "$height" && break; fi
done <"$work/attested-snapshots")
patched=$(while read -r path _; do
    if [ -e "$path" ]; then echo yes && break; fi
done <"$work/attested-patches")
if [ -n "$url" ]; then
    [ -z "$kept$patched" ] || kept=$from patched=yes
elif [ -n "$kept" ] && [ -z "$patched" ]; then
    wrong "patches: there are none, though there are snapshots"
elif [ -z "$kept" ] && [ -n "$patched" ]; then
    wrong "snapshots: there is no manifest of any, though there are patches"
fi
kept=${kept:-10000000}

while read -r path root span height; do
    if { [ -n "$patched" ] && [ "$height" -ge "$kept" ]; } || [ -e "$path" ]; then
        printf '%s %s %s\n' "$path" "$root" "$span"
    fi
done <"$work/attested-data" | keep data

# How many are right, of MuHashes, patches and deltas.
muhashes=0 patches=0 deltas=0
for span in 0 1 10 100; do
    awk -v span="$span" '$3 == span { print $1, $2 }' "$work/data" | keep wanted-data
    [ -s "$work/wanted-data" ] || continue
    case $span in
    0) count=$((65536 / shards)) what=MuHashes ;;
    1) count=64 what=patches ;;
    *) count=$(((63 + span) / span)) what="deltas of $span blocks" ;;
    esac
    make_groups "$count" <"$work/wanted-data"
    right=0 tried=0
    for group in "$work"/groups/*; do
        tell "checking $what: $tried of $(($(wc -l <"$work/wanted-data")))"
        before=$(count_wrong)
        if [ "$span" -eq 0 ]; then check_muhashes "$group"; else check_changes "$group" "$span"; fi
        tried=$((tried + $(wc -l <"$group")))
        right=$((right + $(wc -l <"$group") - $(count_wrong) + before))
        [ -z "$url" ] || cut -d ' ' -f 1 "$group" | xargs rm -f
    done
    case $span in
    0) muhashes=$right ;;
    1) patches=$right ;;
    *) deltas=$((deltas + right)) ;;
    esac
done

# --- Snapshots --------------------------------------------------------------------------------------------------------

# Checks lines of a manifest, SSS COINS BYTES DIGEST FILTERBYTES FILTERDIGEST, against the shards and filters in a folder.
check_shards() {
    folder=$1
    if [ -n "$url" ]; then
        awk -v folder="$folder" '
            { printf "%s/shards/%s.zst %.0f\n", folder, $1, $3 + int($3 / 64) + 65536
              printf "%s/filters/%s.gcs %.0f\n", folder, $1, $5 }' "$2" | fetch
    fi
    while read -r number _ bytes digest filter_bytes filter_digest; do
        path=$folder/shards/$number.zst
        if is_file "$path"; then
            printf '%s %s %s %s %s %s\n' "$path" "$bytes" "$digest" "$number" "$filter_bytes" "$filter_digest"
        else
            wrong "$path: is missing, or no file"
        fi
    done <"$2" | keep there
    {
        cut -d ' ' -f 1 "$work/there" | sizes | paste -d ' ' - "$work/there" |
            awk '$1 > $4 + int($4 / 64) + 65536 { print $2 }'
        cut -d ' ' -f 1 "$work/there" | not_zstd
    } | keep refused
    but_refused '' <"$work/there" | awk '$0 != "." { print $1, $2 }' | unpack_all | more refused
    but_refused 'is not zstd as it may be here, or too long' <"$work/there" | judge there
    hash_files "$work/unpacked" | keep hashes
    (cd "$work/unpacked" && find . -type f | sizes) | keep sizes
    awk -v folder="$folder" '
        BEGIN {
            hashes = ENVIRON["work"] "/hashes"; sizes = ENVIRON["work"] "/sizes"
            while ((getline line <hashes) > 0) { split(line, word, " "); hash[word[2]] = word[1] }
            while ((getline line <sizes) > 0) { split(line, word, " "); size[substr(word[2], 3)] = word[1] }
        }
        (hash[$4] "") != ($3 "") || size[$4] != $2 { print "wrong " $1 ": is not the shard that the manifest names"; next }
        { print folder "/filters/" $4 ".gcs", $5, $6 }
        END { print "." }' "$work/there" | judge filters

    # The filters of shards that are right.
    while read -r path bytes digest; do
        if is_file "$path"; then
            printf '%s %s %s\n' "$path" "$bytes" "$digest"
        else
            wrong "$path: is missing, or no file"
        fi
    done <"$work/filters" | keep there
    cut -d ' ' -f 1 "$work/there" | sizes | paste -d ' ' - "$work/there" | awk '
        $1 != $4 { print "wrong " $2 ": has not the " $4 " bytes that the manifest names"; next }
        { print $3, $5 }
        END { print "." }' | judge filters
    cut -d ' ' -f 1 "$work/filters" | xargs sha256sum /dev/null | awk '
        NR == FNR { hash[$2] = $1; next }
        (hash[$1] "") != ($2 "") { print "wrong " $1 ": is not the filter that the manifest names" }
        END { print "." }' - "$work/filters" | judge rest
    [ -z "$url" ] || awk -v folder="$folder" '
        { print folder "/shards/" $1 ".zst"; print folder "/filters/" $1 ".gcs" }' "$2" | xargs rm -f
}

# Checks the snapshot of a statement: its manifest, then its shards.
check_snapshot() {
    folder=$1 coins=$2 root=$3
    manifest=$folder/manifest.txt
    if [ -n "$url" ]; then printf '%s %s\n' "$manifest" "$manifest_most" | fetch; fi
    if ! is_file "$manifest" || [ -n "$(echo "$manifest" | longer "$manifest_most")" ]; then
        wrong "$manifest: is missing, no file, or too long"
        return
    fi
    sum=$(awk -v shards="$shards" -v size="$(wc -c <"$manifest")" "$rules"'
        { sum += length($0) + 1; coins += $2 }
        $0 != sprintf("%03x", NR - 1) " " $2 " " $3 " " $4 " " $5 " " $6 || !upto($2, "281474976710656") ||
            !upto($3, "281474976710656") || $2 + 0 > $3 + 0 || !hex($4, 64) || !upto($5, "562949953421321") ||
            $5 + 0 < 1 || $5 + 0 > 2 * $2 + 9 || !hex($6, 64) { bad = 1 }
        END { if (!bad && NR == shards && sum == size) printf "%.0f", coins }' "$manifest")
    if [ -z "$sum" ]; then
        wrong "$manifest: is no manifest of $shards shards"
        return
    fi
    empty_folder "$pieces"
    while read -r line; do
        printf '\0%s' "$line" >"$pieces/${line%% *}" || die 1 "$pieces cannot be written"
    done <"$manifest"
    hash_files "$pieces" | cut -c 1-64 | merkle_roots "$shards" | keep root
    if [ "$(cat "$work/root")" != "$root" ]; then
        wrong "$manifest: is not the manifest that the statement names: its root is $(cat "$work/root")"
        return
    fi
    [ "$sum" = "$coins" ] || wrong "$manifest: its coins are $sum, the statement says $coins"

    awk -v shard="$shard" 'shard == "" || NR == shard + 1' "$manifest" | make_groups 16
    for group in "$work"/groups/*; do
        tell "checking ${folder%-*}: shard $((16 * (${group##*/} - 10000000))) of $shards"
        before=$(count_wrong)
        check_shards "$folder" "$group"
        shards_right=$((shards_right + $(wc -l <"$group") - $(count_wrong) + before))
    done
}

snapshots=0 shards_right=0
while read -r folder coins root height <&4; do
    if [ "$height" -ge "$kept" ]; then
        tell "checking $folder"
        before=$(count_wrong)
        check_snapshot "$folder" "$coins" "$root"
        [ "$(count_wrong)" -gt "$before" ] || snapshots=$((snapshots + 1))
    fi
done 4<"$work/attested-snapshots"

# --- What nobody signed, and the verdict ------------------------------------------------------------------------------

# Of all names in a folder those that are no part of a tree, a folder of a file system's own as one name; without a manifest nothing tells what a snapshot's files should
# be. A control character is shown as «?», which no name of a tree has.
keep unsigned </dev/null
if [ -z "$url" ]; then
    tell "listing files"
    # shellcheck disable=SC2016
    find . \( -type d "$@" -prune -o ! -type d \) -exec sh -c '
        for file do
            if [ -d "$file" ] && [ ! -L "$file" ]; then file=$file/; fi
            case $file in
            *[!\ -~]*) printf "%s" "${file#./}" | tr -c " -~" "?" && echo ;;
            *) printf "%s\n" "${file#./}" ;;
            esac
        done' sh {} + | keep names
    {
        awk '{ print $11 }' "$work/statements"
        cat "$work/paths"
    } | awk -v epoch="$epoch" -v shards="$shards" "$rules"'
        FILENAME == "-" {
            start = substr($0, 14, 7); block = substr($0, 22, 72)
            part[$0]; part[$0 ".sig"]; part["muhashes/" start "/" block ".bin"]; part["patches/" start "/" block ".zst"]
            for (i = split(spans_at(decimal(substr(block, 1, 7)), epoch), span, " "); i > 0; i--) {
                part["deltas/" start "/" block "-" span[i] ".zst"]
            }
            snapshot["snapshots/" block]
            next
        }
        pass == 1 {
            if ($0 ~ /^snapshots\/.*\/manifest\.txt$/) listed[substr($0, 1, 82)]
            next
        }
        $0 in part { next }
        /^(authority\.txt|authority\.pem|latest\.txt|FORMAT\.md|audit\.sh|index\.html)$/ { next }
        /^headers\/[0-9][0-9][0-9][0-9][0-9][0-9][0-9]\.bin$/ && decimal(substr($0, 9, 7)) % epoch == 0 { next }
        substr($0, 1, 82) in snapshot && substr($0, 1, 82) in listed && decimal(substr($0, 11, 7)) % epoch == 0 {
            rest = substr($0, 83); number_text = substr(rest, index(rest, "s/") + 2, 3)
            if (rest == "/manifest.txt" || rest == "/snapshot.torrent" || rest == "/snapshot.magnet") next
            if ((rest == "/shards/" number_text ".zst" || rest == "/filters/" number_text ".gcs") && hex(number_text, 3) &&
                number(number_text) < shards) next
        }
        { print }' - pass=1 "$work/names" pass=2 "$work/names" | sorted | keep unsigned
fi

tell ''
list_wrong
while IFS= read -r line; do
    printf 'unsigned  %s\n' "$line"
done <"$work/unsigned"

attested=$(($(wc -l <"$work/statements"))) headers=$(($(wc -l <"$work/headers"))) bad=$(($(count_wrong)))
print_authority
printf 'checked    %s attestations, %s files of MuHashes, %s patches, %s deltas, %s snapshots with %s shards, %s headers\n' \
    "$attested" "$muhashes" "$patches" "$deltas" "$snapshots" "$shards_right" "$headers"
[ -z "$shard" ] || printf '           of patches, deltas and snapshots only shard %s\n' "$shard"
if [ "$patches" -eq 0 ] && [ "$snapshots" -eq 0 ] && [ "$bad" -eq 0 ]; then
    printf '           no patches and no snapshots are there: an authority may attest only\n'
fi
if [ -z "$url" ] && [ "$kept" -gt "$first" ] && [ "$kept" -le 9999999 ]; then
    printf 'data from height %s on; what is below is attested, and not here\n' "$kept"
fi
if [ -n "$url" ]; then
    printf '           what was fetched of the newest epoch; files that nobody signed show in a copy of the folder only\n'
elif [ -s "$work/unsigned" ]; then
    printf '%s files are no part of the tree and not signed by anybody\n' $(($(wc -l <"$work/unsigned")))
fi

cat <<'TEXT'

Out of reach of a shell: what the bytes of patches, deltas, shards and filters say (`concord verify`); MuHashes, coins and
amount from the coins themselves, deltas from their patches, filters from their shards, each snapshot from the one before
(`concord verify --deep`); and whether this chain is the one with most work (`concord check`).
TEXT
awk -v newest="$newest" '$1 " " $2 == newest {
    print "Whoever has a node with coinstatsindex=1 asks it about the newest statement:"
    printf "  bitcoin-cli gettxoutsetinfo muhash %s\n  must say bestblock %s, txouts %s, muhash %s\n", $1, $2, $4, $10
    amount = sprintf("%9s", $9); gsub(/ /, "0", amount)
    printf "  and total_amount %s.%s\n", substr(amount, 1, length(amount) - 8), substr(amount, length(amount) - 7)
}' "$work/statements"
printf '\n'
if [ "$bad" -eq 0 ] && { [ "$attested" -eq 0 ] || [ "$attested" -ne $(($(wc -l <"$work/paths"))) ]; }; then
    die 1 "not all attestations were checked: a program failed, or the tree changed meanwhile. Run it again"
fi
[ "$bad" -eq 0 ] || end_wrong
if [ -n "$given" ]; then
    printf 'everything that was checked is right\n'
else
    printf 'everything that was checked is right, if the key above is the one that the authority names elsewhere\n'
fi
