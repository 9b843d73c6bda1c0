#!/bin/sh
# Makes the Debian base from packages, for machines that no registry answers.
#
#   bootstrap.sh RELEASE > rootfs.tar
#
# Standard output is the archive and nothing else; what the tools say goes to
# standard error. The exit statuses 64 and 69 (sysexits.h: EX_USAGE,
# EX_UNAVAILABLE) come with one line that says what to do.
set -eu

release=${1:-}
exec 3>&1 1>&2

case $release in
bookworm | trixie) ;;
*)
	echo "unknown Debian release \"$release\": bookworm and trixie are known"
	exit 64
	;;
esac

# root may install what is missing; anybody else is told.
need() { # PROGRAM-OR-FILE PACKAGE
	if command -v "$1" || [ -e "$1" ]; then
		return
	fi
	if [ "$(id -u)" = 0 ] && command -v apt-get; then
		# Lists may be old or absent; a failing update is told by the install.
		apt-get update || :
		if DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; then
			return
		fi
	fi
	echo "no registry answers, and making the Debian base without one needs $2: apt-get install mmdebstrap debian-archive-keyring uidmap"
	exit 69
}

need mmdebstrap mmdebstrap
need /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
if [ "$(id -u)" = 0 ]; then
	mode=root
else
	# Without root the packages are unpacked in a user namespace, which needs newuidmap.
	need newuidmap uidmap
	mode=unshare
fi

# With /usr merged from the beginning bookworm needs no usrmerge, which would
# bring all of perl: a third of the files, and each one costs time in every
# snapshot. The registry's images are made the same way.
set --
hooks=/usr/share/mmdebstrap/hooks/maybe-merged-usr
if [ -d "$hooks" ]; then
	set -- --hook-dir="$hooks"
fi

# minbase has bash, which ScarletDME's SH command runs, and no recommended
# packages. Excluded is what nothing in a target reads; dpkg's own records
# stay, so that a report can name the version of xinetd and setup.sh can ask.
# One retry and a short time-out: a mirror that is out of reach is told soon.
mmdebstrap "$@" --mode="$mode" --variant=minbase --include=xinetd \
	--aptopt='Acquire::Retries "1"' \
	--aptopt='Acquire::http::Timeout "15"' \
	--aptopt='Acquire::https::Timeout "15"' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/info/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='path-exclude=/usr/share/lintian/*' \
	--dpkgopt='path-exclude=/usr/share/zoneinfo/right/*' \
	--dpkgopt='path-exclude=/usr/share/zoneinfo/posix/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-include=/usr/share/doc/*/copyright' \
	--customize-hook='rm -rf "$1"/var/log/apt "$1"/var/log/dpkg.log "$1"/var/cache/apt/*.bin' \
	--format=tar "$release" - >&3
