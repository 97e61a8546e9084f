#!/bin/sh
# Unpacks packages.txt into $1: no maintainer script runs, so nothing is asked for that only they need (shell, perl, debconf).
# dpkg's own record of each package stays, one file a package, as scanners read it where there is no dpkg (status.d).
set -eu
here=$(dirname "$0")
here=$(cd "$here" && pwd)
root=$1

apt_get() { "$here/apt-get.sh" "$@"; }

# /bin and the like are links in Debian 12, also in the base; libc's packages still unpack through them.
merge_usr() {
    for link in /bin /sbin /lib /lib32 /lib64 /libx32; do
        [ -L "$link" ] || continue
        cp --no-dereference "$link" "$root$link"
        mkdir -p "$root/$(readlink "$link")"
    done
}

unpack() {
    package=$(dpkg-deb --field "$1" Package)
    dpkg-deb --fsys-tarfile "$1" | tar --extract --directory "$root" --keep-directory-symlink --exclude-from "$here/left-out.txt"
    dpkg-deb --field "$1" >"$root/var/lib/dpkg/status.d/$package"
    dpkg-deb --ctrl-tarfile "$1" | tar --extract --to-stdout ./md5sums >"$root/var/lib/dpkg/status.d/$package.md5sums"
}

# Of what documents a package its copyright stays.
drop_documents() {
    find "$root/usr/share/doc" ! -type d ! -name copyright ! -type l -delete
    find "$root/usr/share/doc" -type d -empty -delete
}

# What ca-certificates' own script makes of Debian's certificates: of these alone, not of the build machine's.
believe() {
    mkdir -p "$root/etc/ssl/certs" "$root/usr/lib/ssl"
    find "$root/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
    ln -s /etc/ssl/certs "$root/usr/lib/ssl/certs"
    ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
}

accounts() {
    printf '%s\n' root:x:0:0:root:/root:/usr/sbin/nologin railbird:x:65532:65532:railbird:/nonexistent:/usr/sbin/nologin \
        >"$root/etc/passwd"
    printf '%s\n' root:x:0: railbird:x:65532: >"$root/etc/group"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    mkdir -p "$root/etc/railbird"
    install -d -o 65532 -g 65532 "$root/run/railbird" "$root/var/lib/railbird"
}

debs=$(mktemp -d)
mkdir -p "$root/var/lib/dpkg/status.d"
merge_usr
cd "$debs"
# shellcheck disable=SC2046
apt_get download $(sed 's/#.*//' "$here/packages.txt")
for deb in *.deb; do unpack "$deb"; done
drop_documents
believe
accounts
find "$root/usr/lib/python3.11" -type f -name '*.py' -exec chmod a-x {} + # as scripts they want an env(1) that is not there
python3.11 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$root" "$root/usr/lib/python3.11"
rm -rf "$debs"
