#!/bin/sh
# Installs Skerry from its archive on a system without Debian packages, or removes it.
#   sudo ./install.sh              installs the binary, the man page, the completions and the service
#   sudo ./install.sh --uninstall  removes them; the data folder stays
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
prefix=$root/usr/local
units=$root/etc/systemd/system
failed=0

missing() {
  echo "install.sh: $1" >&2
  failed=1
}

note() {
  echo "install.sh: $1"
}

check_architecture() {
  machine=$(uname -m)
  case $machine in
    x86_64) kernel=x64 ;;
    aarch64) kernel=arm64 ;;
    *) kernel=$machine ;;
  esac
  wanted=$(cat "$here/architecture")
  if [ "$kernel" != "$wanted" ]; then
    missing "this archive is for $wanted, and this machine is $machine: download the archive for $machine, if there is one."
    return
  fi
  if [ "$(getconf LONG_BIT)" != 64 ]; then
    missing "the kernel has 64 bits, but the system has 32: install the 64-bit system, such as Raspberry Pi OS (64-bit)."
  fi
}

check_libraries() {
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
  if [ -z "$libc" ]; then
    missing "there is no glibc here (musl?): Skerry needs glibc 2.34 or later."
    return
  fi
  major=${libc%%.*}
  minor=${libc#*.}
  minor=${minor%%.*}
  if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 34 ]; }; then
    missing "glibc is $libc, and Skerry needs 2.34 or later: update the system (Debian 12, Ubuntu 22.04 or later)."
  fi
  if ! "$here/skerry" version >/dev/null 2>&1; then
    missing "the binary does not start: $("$here/skerry" version 2>&1 | head -n 1)"
  fi
}

check_system() {
  if [ ! -d /run/systemd/system ] && [ -z "$root" ]; then
    note "systemd does not run here: start the hub yourself with \"skerry up\"."
  fi
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ ! -d /sys/fs/cgroup/memory ]; then
    note "there are no control groups here: limits of modules will not hold."
  elif [ -e /sys/fs/cgroup/cgroup.controllers ] && ! grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
    note "the kernel does not limit memory: add \"cgroup_enable=memory\" to /boot/firmware/cmdline.txt and reboot."
  fi
  if ! command -v bwrap >/dev/null; then
    note "bubblewrap is not installed: modules with a sandbox will not start until it is."
  fi
}

uninstall() {
  if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now skerry-provision.service skerry.service 2>/dev/null || true
  fi
  rm -f "$units/skerry.service" "$units/skerry-provision.service" "$prefix/bin/skerry" "$prefix/share/man/man1/skerry.1.gz"
  rm -f "$prefix/share/bash-completion/completions/skerry" "$prefix/share/zsh/site-functions/_skerry"
  rm -f "$prefix/share/fish/vendor_completions.d/skerry.fish"
  rm -rf "$prefix/share/doc/skerry"
  if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  note "Skerry is removed. /var/lib/skerry holds messages and keys and stays: remove it with \"rm -r /var/lib/skerry\"."
}

need_root() {
  if [ "$(id -u)" != 0 ] && [ -z "$root" ]; then
    echo "install.sh: run it as root: sudo ./install.sh" >&2
    exit 1
  fi
}

case ${1:-} in
  -h | --help)
    sed -n '2,4s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  --uninstall)
    need_root
    uninstall
    exit 0
    ;;
  '') ;;
  *)
    echo "install.sh: \"$1\" is not an option: run ./install.sh or ./install.sh --uninstall" >&2
    exit 2
    ;;
esac

need_root

check_architecture
if [ "$failed" = 0 ]; then check_libraries; fi
if [ "$failed" = 1 ]; then exit 1; fi
check_system

install -D -m 0755 "$here/skerry" "$prefix/bin/skerry.new"
mv "$prefix/bin/skerry.new" "$prefix/bin/skerry"
install -D -m 0644 "$here/skerry.1.gz" "$prefix/share/man/man1/skerry.1.gz"
install -D -m 0644 "$here/completions/skerry.bash" "$prefix/share/bash-completion/completions/skerry"
install -D -m 0644 "$here/completions/skerry.zsh" "$prefix/share/zsh/site-functions/_skerry"
install -D -m 0644 "$here/completions/skerry.fish" "$prefix/share/fish/vendor_completions.d/skerry.fish"
for text in LICENSE THIRD-PARTY-LICENSES user.conf journald.conf; do
  install -D -m 0644 "$here/$text" "$prefix/share/doc/skerry/$text"
done
mkdir -p "$units"
for unit in skerry.service skerry-provision.service; do
  sed 's#/usr/bin/skerry#/usr/local/bin/skerry#' "$here/$unit" >"$units/$unit"
  chmod 0644 "$units/$unit"
done
[ -e "$root/etc/default/skerry" ] || install -D -m 0644 "$here/skerry.default" "$root/etc/default/skerry"

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable skerry.service skerry-provision.service
  systemctl restart skerry.service
  # It waits until a prepared manifest is healthy.
  systemctl --no-block start skerry-provision.service
  note "Skerry runs. See \"sudo skerry ps\"."
else
  note "Skerry is installed. Start a hub: skerry up"
fi
