#!/usr/bin/env bash
# Installs, upgrades, removes and purges the Debian package on this machine. Needs root, and no running systemd.
# Usage: tests/functional/package_test.sh BUILD-FOLDER
# Exit code 77 (skipped) without root, under a running systemd, outside of Debian, or where unlearnd is installed or set up
# already. The build must be whole: cpack builds what is missing.
set -euo pipefail

build=$(realpath "${1:?usage: package_test.sh BUILD-FOLDER}")
work=$(mktemp -d)
daemon=
status=0

skip() {
    echo "package_test: skipped: $1"
    exit 77
}
fail() {
    echo "package_test: FAILED: $1" >&2
    exit 1
}
step() { echo "package_test: $1"; }

[ "$(id -u)" -eq 0 ] || skip "not root"
for tool in cpack dpkg-deb dpkg-shlibdeps apt-get setpriv; do
    command -v "$tool" >/dev/null || skip "no $tool here"
done
[ ! -d /run/systemd/system ] || skip "systemd runs here, and would start the unit"
installed=$(dpkg-query -W -f='${db:Status-Status}' unlearnd 2>/dev/null || true)
[ -z "$installed" ] || [ "$installed" = not-installed ] || skip "unlearnd is installed here"
if [ -e /var/lib/unlearnd ] || [ -e /etc/unlearnd ]; then skip "there is a node here already"; fi

clean_up() {
    status=$?
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    dpkg --purge unlearnd >/dev/null 2>&1 || true
    rm -rf "$work" /srv/unlearnd-package-test
    exit "$status"
}
trap clean_up EXIT

make_package() { # VERSION -> path of the package
    (cd "$build" && cpack -G DEB -D CPACK_PACKAGE_VERSION="$1" -B "$work/$1" >"$work/cpack.log" 2>&1) || {
        cat "$work/cpack.log" >&2
        fail "cpack"
    }
    ls "$work/$1"/*.deb
}
install_package() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --allow-downgrades "$1" \
        >"$work/apt.log" 2>&1 || {
        cat "$work/apt.log" >&2
        fail "apt-get install $1"
    }
}

step "build 0.9.1 and 0.9.2"
old=$(make_package 0.9.1)
new=$(make_package 0.9.2)
dpkg-deb -f "$old" Depends | grep -q libsodium || fail "shared libraries are not among the dependencies"

step "install"
install_package "$old"
getent passwd unlearnd >/dev/null || fail "no system user"
[ "$(stat -c '%U %a' /var/lib/unlearnd)" = "unlearnd 700" ] || fail "the data folder is not private to unlearnd"
unlearnctl --version | grep -q . || fail "unlearnctl does not run"
if unlearnctl status 2>"$work/err"; then fail "status succeeded without a daemon"; else status=$?; fi
[ "$status" -eq 3 ] || fail "status without a daemon ended with $status"
grep -q "unlearnd is not running" "$work/err" || fail "status did not say that unlearnd is not running"

with_daemon=no
if [ -x /usr/bin/unlearnd ]; then
    with_daemon=yes
    [ -e /lib/systemd/system/unlearnd.service ] || fail "no unit"
    ! command -v systemd-analyze >/dev/null || systemd-analyze verify /lib/systemd/system/unlearnd.service
fi

start_daemon() {
    install -d -o unlearnd -g unlearnd -m 0750 /run/unlearnd
    setpriv --reuid unlearnd --regid unlearnd --init-groups \
        /usr/bin/unlearnd --config /etc/unlearnd/node.toml >>"$work/unlearnd.log" 2>&1 &
    daemon=$!
    for _ in $(seq 300); do
        ! unlearnctl status >/dev/null 2>&1 || return 0
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    tail -20 "$work/unlearnd.log" >&2
    fail "unlearnd did not start"
}
stop_daemon() {
    kill "$daemon"
    wait "$daemon" || fail "unlearnd ended with $?"
    daemon=
}

if [ "$with_daemon" = yes ] && unlearnctl init --help >/dev/null 2>&1; then
    step "init, and run as the system user"
    data=/srv/unlearnd-package-test
    mkdir -p "$data"
    points() { # SEED -> two clusters
        awk -v seed="$1" 'BEGIN { srand(seed); print "x,y,class"
            for (i = 0; i < 200; i++) printf "%.3f,%.3f,%s\n", i % 2 + rand(), i % 2 - rand(), i % 2 ? "b" : "a" }'
    }
    points 1 >"$data/train.csv"
    points 2 >"$data/reference.csv"
    unlearnctl init --network package-test --data "$data/train.csv" --label class --classes a,b --main mlp:8 \
        --seed mlp:4 --reference "$data/reference.csv" --sealed "$work/exit.sealed"
    start_daemon
    id=$(unlearnctl id)
    stop_daemon
else
    # What the daemon would keep: an upgrade must not touch it.
    step "no daemon in this build: a stand-in for its state"
    unlearnctl network-key /var/lib/unlearnd/identity >/dev/null
    echo 'data_dir = "/var/lib/unlearnd"' >/etc/unlearnd/node.toml
    id=$(unlearnctl id)
fi
before=$(cd /var/lib/unlearnd && find . -type f -exec sha256sum {} + | sort -k2)

step "upgrade"
install_package "$new"
unlearnctl --version | grep -q . || fail "unlearnctl does not run after the upgrade"
[ "$(dpkg-query -W -f='${Version}' unlearnd)" = 0.9.2 ] || fail "not upgraded"
[ "$(cd /var/lib/unlearnd && find . -type f -exec sha256sum {} + | sort -k2)" = "$before" ] ||
    fail "the upgrade changed the state"
[ "$(unlearnctl id)" = "$id" ] || fail "another identity after the upgrade"
if [ "$with_daemon" = yes ] && unlearnctl init --help >/dev/null 2>&1; then
    start_daemon
    [ "$(unlearnctl id)" = "$id" ] || fail "the daemon has another identity after the upgrade"
    stop_daemon
fi

step "remove"
dpkg --remove unlearnd >/dev/null
[ ! -e /usr/bin/unlearnctl ] || fail "unlearnctl is still there"
[ -s /var/lib/unlearnd/identity ] || fail "removing took the identity away"
[ -s /etc/unlearnd/node.toml ] || fail "removing took the configuration away"

step "purge"
dpkg --purge unlearnd >"$work/purge.log"
[ ! -e /var/lib/unlearnd ] || fail "state is left after a purge"
[ ! -e /etc/unlearnd ] || fail "configuration is left after a purge"
grep -q "never left its network" "$work/purge.log" || fail "no warning about an identity that never left"
echo "package_test: passed (daemon run: $with_daemon)"
