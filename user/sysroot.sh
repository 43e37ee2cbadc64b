#!/bin/sh
# sysroot.sh DIR - fetches what user programs are built from and run with, for both architectures,
# from Debian's archive: musl (headers and static library), compiler run-time, static busybox.
# Uses package lists and a cache of its own in DIR: the host's apt is not touched, root is not needed.
# Ends with DIR/ARCH/{usr,bin,lib} for ARCH = x86_64 and aarch64, and the stamp DIR/.done.
set -eu
dir=$1
packages="musl-dev musl busybox-static libclang-rt-16-dev"

fail() {
	echo "sysroot: $*" >&2
	echo "sysroot: this step needs Debian's archive once (about 40 MB); the result stays in $dir" >&2
	exit 1
}

command -v apt-get >/dev/null || fail "apt-get not found: run this on Debian 12 or copy $dir from there"
command -v dpkg-deb >/dev/null || fail "dpkg-deb not found"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

fetch() { # Debian's name, ours
	work=$dir/apt-$1
	opts="-q=2 -o APT::Architecture=$1 -o APT::Architectures=$1 -o Dir::State::Lists=$work/lists
		-o Dir::Cache=$work/cache -o Dir::State::status=/dev/null -o Debug::NoLocking=1
		-o Acquire::Retries=3 -o Acquire::http::Timeout=30"
	[ "$(id -u)" != 0 ] || opts="$opts -o APT::Sandbox::User=root"
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
	echo "  FETCH    $packages ($1)"
	apt-get $opts update >"$work/log" 2>&1 ||
		fail "no package lists for $1: offline? ($(tail -n 1 "$work/log"))"
	(cd "$work/debs" && rm -f ./*.deb && apt-get $opts download $packages >>"$work/log" 2>&1) ||
		fail "download for $1 failed: offline? ($(tail -n 1 "$work/log"))"
	rm -rf "$dir/$2.new"
	mkdir "$dir/$2.new"
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/$2.new"
	done
	[ -x "$dir/$2.new/bin/busybox" ] || fail "busybox is missing in what was fetched for $1"
	rm -rf "$dir/$2"
	mv "$dir/$2.new" "$dir/$2"
	rm -rf "$work"
}

fetch amd64 x86_64
fetch arm64 aarch64
touch "$dir/.done"
