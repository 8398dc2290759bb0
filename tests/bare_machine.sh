#!/bin/sh
# Is README.md true on a machine that has next to nothing? Makes the root of a Debian 12 with Python 3.11, git and make alone,
# and no font, clones the project into it as it is committed, and runs the two commands of README.md there.
#
#   sh tests/bare_machine.sh [FOLDER]       as root; takes some minutes, and debootstrap (apt-get install debootstrap)
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=${1:-$(mktemp -d)/root}
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)

[ -x "$root/usr/bin/python3" ] || debootstrap --variant=minbase \
  --include=python3,python3-venv,git,make,ca-certificates bookworm "$root" "$mirror" >/dev/null

# How this machine reaches the registries of packages, and nothing else of it.
for each in /etc/resolv.conf /etc/hosts /etc/ssl/certs /etc/pip.conf /etc/xdg/pip; do
  [ -e "$each" ] || continue
  mkdir -p "$root$(dirname "$each")" && rm -rf "$root$each" && cp -RL "$each" "$root$each"
done
settings=$(env | grep -E '^(PIP_|SSL_CERT_|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)' | grep -v '^PIP_FIND_LINKS' || true)

rm -rf "$root/project"
git clone --quiet --no-hardlinks "$here" "$root/project"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
[ -c "$root/dev/null" ] || mknod -m 666 "$root/dev/null" c 1 3
mkdir -p "$root/dev/shm" "$root/dev/pts"
mountpoint -q "$root/dev/shm" || mount -t tmpfs tmpfs "$root/dev/shm"
mountpoint -q "$root/dev/pts" || mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -sf pts/ptmx "$root/dev/ptmx"
trap 'umount "$root/dev/pts" "$root/dev/shm" "$root/proc"' EXIT

inside() { # shellcheck disable=SC2086 - one setting a word
  chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin $settings sh -c "cd /project && $1"
}
inside 'make demo'
drawn=$(inside 'find out/handbook/charts -name "*.svg" | wc -l; grep -c "<svg" out/handbook/en/flows/complaint.html' | paste -sd ' ')
echo "flowcharts as files, and lines with one in a page: $drawn"
case $drawn in 0*|*' 0') echo 'make demo drew no flowcharts' >&2; exit 1;; esac
inside 'make test'
