#!/bin/sh
# setup.sh - makes this machine able to build, run and test Hindsight (`make setup`).
#
# Installs what is missing of HOST_PACKAGES (versions.mk, the one list) on Debian 12, checks for
# the commands elsewhere. A stamp under build/ makes the usual case a comparison of two strings; it
# is void as soon as the list changes. Never asks a question: it works, or says what to type.
#
# usage: setup.sh STAMP PACKAGE...
set -eu

stamp=$1
shift
wanted=$*

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
	exit 0
fi

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
finish() { mkdir -p "$(dirname "$stamp")"; printf '%s\n' "$wanted" >"$stamp"; }

# What each package is for; shown before it is installed.
reason() {
	case $1 in
	clang-format-*) echo "source format check" ;;
	clang-*) echo "the C compiler for kernel, programs and tools" ;;
	lld-*) echo "the linker" ;;
	llvm-*) echo "llvm-nm and llvm-objcopy: symbols and flat images" ;;
	libclang-rt-*) echo "compiler run-time: sanitizers for host tests" ;;
	qemu-system-arm) echo "emulator, aarch64" ;;
	qemu-system-x86) echo "emulator, x86-64" ;;
	qemu-user-static) echo "runs aarch64 programs here: the same tests on real Linux" ;;
	gdb-multiarch) echo "debugger for both architectures" ;;
	e2fsprogs) echo "mke2fs: the disk image" ;;
	libdw-dev|libelf-dev|zlib1g-dev) echo "source lines in tracedump" ;;
	libcmocka-dev) echo "host unit tests" ;;
	python3) echo "run and test scripts" ;;
	python3-pytest) echo "integration tests" ;;
	tmux) echo "debug-run's two panes" ;;
	nodejs|npm) echo "independent check of the Perfetto traces" ;;
	*) echo "listed in tests/harness/versions.mk" ;;
	esac
}

# The command (or header) that shows a package's presence where dpkg cannot be asked.
probe() {
	case $1 in
	lld-*) echo "ld.$1" ;;
	llvm-*) echo "llvm-nm-${1#llvm-}" ;;
	qemu-system-arm) echo qemu-system-aarch64 ;;
	qemu-system-x86) echo qemu-system-x86_64 ;;
	qemu-user-static) echo qemu-aarch64-static ;;
	e2fsprogs) echo mke2fs ;;
	nodejs) echo node ;;
	libdw-dev) echo /usr/include/elfutils/libdw.h ;;
	libelf-dev) echo /usr/include/libelf.h ;;
	zlib1g-dev) echo /usr/include/zlib.h ;;
	libcmocka-dev) echo /usr/include/cmocka.h ;;
	python3-pytest) echo pytest-module ;;
	libclang-rt-*) echo "" ;;
	*) echo "$1" ;;
	esac
}

present() {
	sign=$(probe "$1") # not p: sh has no local variables, and p is the callers'
	case $sign in
	'') return 0 ;;
	/*) [ -e "$sign" ] ;;
	pytest-module) python3 -c 'import pytest' 2>/dev/null ;;
	*) PATH=$PATH:/sbin:/usr/sbin command -v "$sign" >/dev/null 2>&1 ;;
	esac
}

ID=unknown VERSION_ID=
[ -r /etc/os-release ] && . /etc/os-release

if [ "$ID" != debian ] || [ "${VERSION_ID:-}" != 12 ]; then
	missing=
	for p in $wanted; do
		present "$p" || missing="$missing $p"
	done
	if [ -n "$missing" ]; then
		say "this is $ID ${VERSION_ID:-}, not Debian 12: nothing is installed for you."
		for p in $missing; do
			say "  missing: $(probe "$p")  (Debian's $p: $(reason "$p"))"
		done
		die "install these and run make again."
	fi
	say "$ID ${VERSION_ID:-}: all tools found."
	finish
	exit 0
fi

# A tool that came another way (nodejs with its own npm, say) counts as well.
missing=
for p in $wanted; do
	s=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) || s=
	[ "$s" = installed ] && continue
	[ -n "$(probe "$p")" ] && present "$p" && continue
	missing="$missing $p"
done
if [ -z "$missing" ]; then
	finish
	exit 0
fi

say "to install with apt-get:"
for p in $missing; do
	printf '  %-22s %s\n' "$p" "$(reason "$p")"
done

root=
if [ "$(id -u)" != 0 ]; then
	get="apt-get update && apt-get install -y --no-install-recommends$missing"
	if ! command -v sudo >/dev/null 2>&1; then
		die "this needs root, and there is no sudo here. Please type (root's password is asked for):
  su -c '$get'
then make again."
	elif sudo -n true 2>/dev/null; then
		root="sudo -n"
	else
		die "this needs root, and sudo would ask for a password. Please type:
  sudo sh -c '$get'
then make again."
	fi
fi

apt() { $root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=2 "$@"; }

# The package lists are fetched only when they do not know what we need or are out of date.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
	# Fails at once, and before anything is said, when the lists do not know a package.
	n=$(apt install -y -s --no-install-recommends $missing 2>"$log" | grep -c '^Inst ') || return 1
	say "installing $n packages, these and what they need; it takes some minutes ..."
	apt install -y -q --no-install-recommends $missing >"$log" 2>&1
}

if ! install; then
	say "refreshing the package lists (apt-get update)"
	if ! apt update -q >"$log" 2>&1 || ! install; then
		tail -n 5 "$log" >&2
		die "apt-get could not install:$missing
  Is the network there? Check with: apt-get update"
	fi
fi
say "installed:$missing"
finish
