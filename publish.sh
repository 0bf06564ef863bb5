#!/usr/bin/env bash
# Publishes the UTXO set of your node as a signed static tree, and hands it to your upload command.
# Without a configuration it shows the whole system at work on a small sample chain. See README.md.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Installed from a package, it has programs beside it in place of their source.
[ -e "$root/Package.swift" ] || : "${CONCORD_BIN:=$(dirname "$(command -v concord-publish)")}"

usage() {
    cat <<'USAGE'
publish.sh                    with no configuration: install what is missing, build, publish a sample chain as three
                              authorities, serve them on loopback, fetch, and show that they agree
publish.sh [--config FILE]    the batch job of an authority: build if needed, publish what is new, upload, read back
publish.sh example            print a configuration file with every setting, to fill in
publish.sh install [PACKAGE…] install the C libraries and tools that the build needs (Debian, Ubuntu)
publish.sh build              build both programs in release mode
publish.sh package [DIR]      make Debian packages of both, and an archive for other Linuxes (default: .build-package/out)

Configuration, in the environment or as lines NAME=VALUE of FILE (default: $CONCORD_CONFIG). FILE is run by the shell, as a
part of this script: only you or root may own it and write to it. A setting that is not in this list is an error:
USAGE
    settings
}

settings() {
    cat <<'SETTINGS'
  CONCORD_DATADIR   Bitcoin Core's data directory                    required, or CONCORD_NODE, or both: a real run
  CONCORD_NODE      the URL of a running node's RPC                  required, or CONCORD_DATADIR, or both
  CONCORD_COOKIE    that node's cookie file                          default: where Bitcoin Core writes it
  CONCORD_TREE      the folder of the tree                           required
  CONCORD_KEY       the PEM file with the signing key                required; make one with «concord-publish keygen»
  CONCORD_NAME      the authority's name                             required
  CONCORD_NETWORK   main, testnet4, signet or regtest                default: main
  CONCORD_STATE     the publisher's own folder                       default: CONCORD_TREE.state
  CONCORD_SHARDS    shards, as all authorities of a trustnet       default: the network's
  CONCORD_EPOCH     blocks from one snapshot to the next           default: the network's
  CONCORD_LEVEL     zstd level, 1 to 22                              default: the program's
  CONCORD_NOTE      a note for every new attestation                 default: none
  CONCORD_KEEP      epochs whose data is kept, 2 or more, at hosts too  default: all
  CONCORD_WEB_SEEDS URLs of the tree, for its torrents             default: none
  CONCORD_TEMPLATE  the folder of your template for the tree's page  default: the program's own
  CONCORD_OPTIONS   more options of «concord-publish run», like --first 920000 --confirmations 2
  CONCORD_BIN       the folder with both programs                    default: .build/release, built if needed
  CONCORD_UPLOAD_RSYNC   HOST:/PATH or folder, uploaded to by rsync  default: none, the tree stays where it is
  CONCORD_UPLOAD_RCLONE  REMOTE:PATH, uploaded to by rclone          default: none
  CONCORD_UPLOAD         a shell command that uploads the folder $1  default: none
  CONCORD_RSYNC_OPTIONS  more options of rsync, like --bwlimit=2M    default: none; rclone takes RCLONE_BWLIMIT and so on
  CONCORD_URL       where the tree is served, to be read back        default: none, nothing is read back
  CONCORD_URL_WAIT  seconds until that must be up to date            default: 60
  CONCORD_WITHOUT_LOCKS  1 to go on where a file system has no locks  default: end with an error
Several targets of rsync and rclone, and several URLs, stand with spaces between; each is tried, whatever comes of others.
With CONCORD_KEY=- the key comes on standard input. A mounted secret that others can read too is taken with --key-readable in
CONCORD_OPTIONS.
SETTINGS
}

# What else may be set: by this script, by the programs, by their tests.
is_known() {
    case $1 in
        CONCORD_CONFIG | CONCORD_HOME | CONCORD_NOW | CONCORD_SAMPLE_PORT | CONCORD_TEST_*) return ;;
    esac
    [[ $'\n'$(settings) == *$'\n'"  $1 "* ]]
}

# Ends if something is set that nothing here knows: a setting with a mistake in its name would not be heeded.
check_settings() {
    local name
    for name in $(compgen -v CONCORD_); do
        is_known "$name" && continue
        local line=''
        [ -z "$config" ] || line=$(grep -n "^[^#]*\b$name=" "$config" | head -n 1 | cut -d : -f 1) || :
        fail "${line:+$config, line $line: }there is no setting $name: see «publish.sh --help»"
    done
}

# Runs the configuration, if it is one that nobody else can have had a hand in.
read_config() {
    local file number
    [ -r "$config" ] || fail "$config cannot be read"
    file=$(realpath "$config")
    [ -z "$(find -L "$file" -prune ! -user 0 ! -user "$(id -u)")" ] ||
        fail "$config belongs to another user, and is run by the shell: it must be yours or root's"
    [ -z "$(find -L "$file" -prune \( -perm -020 -o -perm -002 \))" ] ||
        fail "$config can be written by others, and is run by the shell: chmod go-w $config"
    number=$(grep -n -m 1 $'\r' "$file" | cut -d : -f 1) || :
    [ -z "$number" ] ||
        fail "$config, line $number: ends as lines do on Windows, in a carriage return: sed -i 's/\r\$//' $config"
    set -a
    # shellcheck source=/dev/null
    . "$file"
    set +a
}

# The same settings, to fill in.
example() {
    settings | sed -E 's/^  (CONCORD_[A-Z_]*) +(.*)/# \2\n#\1=\n/; s/^([^#])/# \1/; s/  +/; /'
}

say() { printf '%s\n' "$@" >&2; }
fail() { say "error: $*"; exit 1; }

# Everything the build and the sample need; the Swift toolchain itself comes from swift.org.
libraries=(libcurl4-openssl-dev libsecp256k1-dev libsqlite3-dev libssl-dev libzstd-dev)
tools=(busybox ca-certificates openssl pkg-config tar zstd)

install_packages() {
    local missing=() package
    if ! command -v dpkg-query >/dev/null; then
        command -v pkg-config >/dev/null && pkg-config --exists libcurl libsecp256k1 sqlite3 libcrypto libzstd && return
        fail "this is no Debian or Ubuntu: install the development files of libcurl, libsecp256k1, sqlite3, libcrypto \
(OpenSSL) and libzstd, and pkg-config, with your system's package manager (macOS: brew install curl secp256k1 sqlite \
openssl@3 zstd pkgconf)"
    fi
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    [ "$(id -u)" -eq 0 ] || as_root=(sudo "${as_root[@]}")
    "${as_root[@]}" apt-get update -qq >&2
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

build() {
    if [ -n "${CONCORD_BIN:-}" ]; then
        bin=$CONCORD_BIN
        [ -x "$bin/concord-publish" ] || fail "there is no concord-publish in CONCORD_BIN, $bin"
        return
    fi
    command -v swift >/dev/null || fail "swift is not in the PATH: install Swift 6.2 or newer from swift.org"
    install_packages "${libraries[@]}" "${tools[@]}"
    local log
    log=$(mktemp)
    [ -x "$root/.build/release/concord" ] || say "building, which takes a few minutes the first time"
    local swift=(swift build --package-path "$root" -c release "$@")
    if ! "${swift[@]}" --product concord-publish >"$log" 2>&1 || ! "${swift[@]}" --product concord >>"$log" 2>&1; then
        cat "$log" >&2
        fail "the build failed, see above"
    fi
    rm -f "$log"
    bin=$("${swift[@]}" --show-bin-path)
}

# Debian packages and an archive of both programs, with Swift's own libraries inside, in the folder $1. What is
# built makes the same bytes each time, dated as the commit is (or as SOURCE_DATE_EPOCH says); the compiler's own output
# may differ from one clean build to the next.
package() {
    command -v dpkg-deb >/dev/null || fail "packages are made on Debian or Ubuntu"
    [ -e "$root/Package.swift" ] || fail "packages are made in a clone of the source"
    unset CONCORD_BIN
    install_packages binutils chrpath dpkg-dev jq
    local scratch=$root/.build-package maintainer version program deb archive
    say "building with Swift's own libraries inside, which takes some minutes the first time"
    build --static-swift-stdlib --scratch-path "$scratch"
    swift build --package-path "$scratch/checkouts/swift-argument-parser" --scratch-path "$scratch/manual" \
        --product generate-manual >/dev/null
    export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)} LC_ALL=C.UTF-8 TZ=UTC
    umask 022
    version=$("$bin/concord" --version)
    maintainer="${DEBFULLNAME:-The Concord developers} <${DEBEMAIL:-$(git -C "$root" log -1 --format=%ae)}>"
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    mkdir -p "$stage/debian" "$stage/out"
    cp "$root/site-template/package/control" "$stage/debian"
    printf 'concord (%s) unstable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n' "$version" "$version" "$maintainer" \
        "$(date -R -d "@$SOURCE_DATE_EPOCH")" >"$stage/debian/changelog"
    archive=concord-$version-linux-$(uname -m)
    for program in concord concord-publish; do
        lay_out "$program" "$stage/$archive" share/zsh/site-functions
        deb=$stage/$program
        lay_out "$program" "$deb/usr" share/zsh/vendor-completions
        gzip -9n "$deb/usr/share/man/man1/$program.1"
        gzip -9nc "$stage/debian/changelog" >"$deb/usr/share/doc/$program/changelog.gz"
        mkdir "$deb/DEBIAN"
        (cd "$deb" && find usr -type f | sort | xargs md5sum >DEBIAN/md5sums)
        (
            cd "$stage"
            dpkg-shlibdeps -Tdebian/substvars -e"$deb/usr/bin/$program"
            dpkg-gencontrol -p"$program" -P"$deb" -Tdebian/substvars -fdebian/files \
                -DMaintainer="$maintainer"
        )
        dpkg-deb --root-owner-group -Zxz --build "$deb" "$stage/out" >/dev/null
    done
    cp "$root/README.md" "$stage/$archive"
    cp "$scratch/checkouts/swift-asn1/LICENSE.txt" "$stage/$archive/share/doc/Apache-2.0.txt"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$stage" -c "$archive" |
        zstd -q -12 --long=27 -o "$stage/out/$archive.tar.zst"
    mkdir -p "$1"
    cp "$stage/out"/* "$1"
    say "made, in $1:" "$(cd "$stage/out" && du -b -- *)"
}

# A program and what belongs to it in a prefix $2; zsh looks for completions in another folder where a package puts them.
lay_out() {
    local program=$1 share=$2/share manual=$root/.build-package/manual/debug/generate-manual templates=$root/site-template/package
    mkdir -p "$2/bin" "$share/man/man1" "$share/doc/$program" "$share/bash-completion/completions" "$2/$3" \
        "$share/fish/vendor_completions.d"
    strip --strip-unneeded --remove-section=.comment -o "$2/bin/$program" "$bin/$program"
    chrpath --delete "$2/bin/$program" >/dev/null
    "$bin/$program" --generate-completion-script bash | sed '1{/^#!/d}' >"$share/bash-completion/completions/$program"
    "$bin/$program" --generate-completion-script zsh >"$2/$3/_$program"
    "$bin/$program" --generate-completion-script fish >"$share/fish/vendor_completions.d/$program.fish"
    # The manual's generator asks a program about its arguments. It gets the answer in ASCII, all that it keeps, and
    # without the two options that every subcommand has.
    cat >"$stage/$program.help" <<HELP
#!/bin/sh
"$bin/$program" "\$@" | jq '.command.subcommands |= map(select(.commandName != "help"))
    | .command.subcommands |= walk(if type == "object" and has("arguments")
        then .arguments |= map(select(.valueName | IN("help", "version") | not)) else . end)
    | walk(if type == "string" then gsub("[«»]"; "\u0027") | gsub("…"; "...") else . end)'
HELP
    chmod +x "$stage/$program.help"
    "$manual" "$stage/$program.help" --date "$(date -d "@$SOURCE_DATE_EPOCH" +%F)" -o "$share/man/man1"
    {
        cat "$root/LICENSE" && echo && cat "$templates/notices.txt" &&
            echo && cat "$root/.build-package/checkouts/swift-asn1/NOTICE.txt" &&
            printf '\nThe licence of ICU, a part of Foundation, and of what ICU contains:\n\n' && cat "$templates/icu-license.txt"
    } >"$share/doc/$program/copyright"
    if [ "$program" = concord-publish ]; then
        mkdir -p "$share/concord-publish"
        cp "$root/publish.sh" "$share/concord-publish"
    fi
}

# One published set, three signatures, one agreement: everything in .build/sample.
sample() {
    [ -e "$root/Package.swift" ] || fail "the sample is shown in a clone of the source; else a configuration is needed, see --help"
    build
    local folder name port base=${CONCORD_SAMPLE_PORT:-18450} urls=()
    folder=$root/.build/sample
    servers=()
    trap 'kill "${servers[@]}" 2>/dev/null || true' EXIT
    rm -rf "$folder"
    mkdir -p "$folder/node"
    tar -I zstd -xf "$root/Tests/Fixtures/regtest-rich/blocks.tar.zst" -C "$folder/node"
    export CONCORD_HOME=$folder/home
    for name in alice bob carol; do
        say "" "== $name publishes the sample chain with a key of her or his own"
        "$bin/concord-publish" keygen --key "$folder/$name.pem" >"$folder/$name.key"
        "$bin/concord-publish" run --datadir "$folder/node" --network regtest --shards 16 --epoch 50 \
            --tree "$folder/$name" --key "$folder/$name.pem" --name "$name"
        port=$base
        until serve "$folder/$name" "$port"; do
            port=$((port + 1))
            [ "$port" -lt $((base + 200)) ] || fail "no free port from $base on: set CONCORD_SAMPLE_PORT"
        done
        base=$((port + 1))
        urls+=("http://127.0.0.1:$port")
        "$bin/concord" trust add "$name" "$(cat "$folder/$name.key")" "http://127.0.0.1:$port"
    done
    say "" "== a client that trusts the three, and only where they agree: concord fetch"
    "$bin/concord" fetch
    say "" "== the coins of one address: concord utxos bcrt1qglzatc3pchr0vwtns88e6n0sysm6unmp7wptat"
    "$bin/concord" utxos bcrt1qglzatc3pchr0vwtns88e6n0sysm6unmp7wptat
    say "" "The trees (${urls[*]} until now) are in $folder. README.md says how to publish and fetch for real."
}

# Serves a folder on a loopback port; false if the port is taken.
serve() {
    (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return 1
    busybox httpd -f -p "127.0.0.1:$2" -h "$1" 2>/dev/null &
    servers+=($!)
    for _ in $(seq 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return 0
        kill -0 $! 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# The batch job of an authority.
publish() {
    local variable url options=()
    for variable in CONCORD_TREE CONCORD_KEY CONCORD_NAME; do
        [ -n "${!variable:-}" ] || fail "$variable is not set: see «publish.sh --help»"
    done
    build
    # One job at a time, upload included: the hint of one must not overtake the data of another.
    local state=${CONCORD_STATE:-$CONCORD_TREE.state}
    # The tree may stand beside it, for everybody; the folder itself is for nobody else, as the program makes it.
    (umask 022 && mkdir -p "$(dirname "$state")")
    [ -d "$state" ] || mkdir -m 700 "$state"
    exec 9>"$state/job.lock"
    lock
    options=("--tree=$CONCORD_TREE" "--key=$CONCORD_KEY" "--name=$CONCORD_NAME")
    [ -z "${CONCORD_DATADIR:-}" ] || options+=("--datadir=$CONCORD_DATADIR")
    [ -z "${CONCORD_NODE:-}" ] || options+=("--node=$CONCORD_NODE")
    [ -z "${CONCORD_COOKIE:-}" ] || options+=("--cookie=$CONCORD_COOKIE")
    [ -z "${CONCORD_NETWORK:-}" ] || options+=("--network=$CONCORD_NETWORK")
    [ -z "${CONCORD_STATE:-}" ] || options+=("--state=$CONCORD_STATE")
    [ -z "${CONCORD_SHARDS:-}" ] || options+=("--shards=$CONCORD_SHARDS")
    [ -z "${CONCORD_EPOCH:-}" ] || options+=("--epoch=$CONCORD_EPOCH")
    [ -z "${CONCORD_LEVEL:-}" ] || options+=("--level=$CONCORD_LEVEL")
    [ -z "${CONCORD_NOTE:-}" ] || options+=("--note=$CONCORD_NOTE")
    [ -z "${CONCORD_KEEP:-}" ] || options+=("--keep=$CONCORD_KEEP")
    for url in ${CONCORD_WEB_SEEDS:-}; do options+=("--web-seed=$url"); done
    [ -z "${CONCORD_TEMPLATE:-}" ] || options+=("--template=$CONCORD_TEMPLATE")
    # shellcheck disable=SC2086
    "$bin/concord-publish" run "${options[@]}" ${CONCORD_OPTIONS:-}
    if [ -e "$CONCORD_TREE/latest.txt" ]; then upload; else say "nothing is published yet, nothing to upload"; fi
}

# Holds file 9 as long as this job and its uploads live. What stops that is said as it is.
lock() {
    local words status=0
    words=$(flock -n -E 75 9 2>&1) || status=$?
    case $status in
        0) ;;
        75) fail "another run of this job is still at work in $CONCORD_TREE" ;;
        *)
            [ "${CONCORD_WITHOUT_LOCKS:-}" = 1 ] || fail "${CONCORD_STATE:-$CONCORD_TREE.state} cannot be locked: $words
take a CONCORD_STATE on another file system; or see to it yourself that one job at a time runs, and set CONCORD_WITHOUT_LOCKS=1"
            ;;
    esac
}

# Brings the tree to every target, then reads it back. The scripts for rsync and rclone send data, attestations,
# headers, pages and the hint one after the other: «concord-publish hosting rsync» shows them.
upload() {
    local targets urls options target tried=0 failed=()
    read -ra options <<<"${CONCORD_RSYNC_OPTIONS:-}"
    read -ra targets <<<"${CONCORD_UPLOAD_RSYNC:-}"
    for target in "${targets[@]}"; do
        send "$target" "$("$bin/concord-publish" hosting rsync)" "$target" "${options[@]}" || continue
        [ -z "${CONCORD_KEEP:-}" ] || send "$target" "$("$bin/concord-publish" hosting rsync-prune)" "$target" "${options[@]}" || :
    done
    read -ra targets <<<"${CONCORD_UPLOAD_RCLONE:-}"
    for target in "${targets[@]}"; do
        send "$target" "$("$bin/concord-publish" hosting rclone)" "$target" || continue
        [ -z "${CONCORD_KEEP:-}" ] || send "$target" "$("$bin/concord-publish" hosting rclone-prune)" "$target" || :
    done
    [ -z "${CONCORD_UPLOAD:-}" ] || send "your own command" "$CONCORD_UPLOAD" || :
    read -ra urls <<<"${CONCORD_URL:-}"
    if [ ${#urls[@]} -gt 0 ] && { [ "$tried" -eq 0 ] || [ ${#failed[@]} -lt "$tried" ]; }; then
        "$bin/concord-publish" compare "--tree=$CONCORD_TREE" "--wait=${CONCORD_URL_WAIT:-60}" -- "${urls[@]}" ||
            failed+=("what is served")
    fi
    [ ${#failed[@]} -eq 0 ] || fail "not as it should be, see above: $(printf '«%s» ' "${failed[@]}")
the tree is complete in $CONCORD_TREE, and running this job again goes on with the upload"
}

# send NAME SCRIPT [ARGUMENT…]: runs an upload, and keeps its name if it fails. An upload that outlives this job keeps
# its lock (file 9), for it would bring the hint of the next one.
send() {
    say "uploading to $1"
    tried=$((tried + 1))
    bash -c "$2" upload "$CONCORD_TREE" "${@:3}" && return
    say "error: uploading to $1 failed"
    failed+=("$1")
    return 1
}

config=${CONCORD_CONFIG:-}
case "${1:-}" in
    -h | --help) usage; exit ;;
    example) example; exit ;;
    install) shift; install_packages "${libraries[@]}" "${tools[@]}" "$@"; exit ;;
    build) build; say "built $bin/concord and $bin/concord-publish"; exit ;;
    package) package "$(realpath -m "${2:-$root/.build-package/out}")"; exit ;;
    --config) config=${2:?--config needs a file} ;;
    "") ;;
    *) usage >&2; exit 64 ;;
esac
[ -z "$config" ] || read_config
check_settings
if [ -n "${CONCORD_DATADIR:-}${CONCORD_NODE:-}" ]; then
    publish
elif [ -n "$config" ]; then
    fail "$config sets neither CONCORD_DATADIR nor CONCORD_NODE: see «publish.sh --help»"
else
    sample
fi
