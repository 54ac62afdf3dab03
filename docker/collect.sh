#!/usr/bin/env bash
# collect.sh BINARY ROOT: lays out the root of the image: the binary without its debug information,
# the libraries that ldd names under the paths it names, CA certificates where OpenSSL looks for
# them, and the user. For each Debian package something is taken from, its licence and its entry in
# the package list, and the release they are of, so that scanners know what is there.
set -euo pipefail
binary=$1 root=$2

install -D --strip --mode=0755 "$binary" "$root/usr/bin/realtime-strategies"
install -D --mode=0644 LICENSE "$root/usr/share/doc/realtime-strategies/copyright"

mapfile -t libraries < <(ldd "$binary" | grep -o '/[^ ]*')
for library in "${libraries[@]}"; do
  install -D --mode=0755 "$library" "$root$library"
done

certificates=/etc/ssl/certs/ca-certificates.crt
install -D --mode=0644 "$certificates" "$root$certificates"
mkdir -p "$root/usr/lib/ssl"
ln -s "$certificates" "$root/usr/lib/ssl/cert.pem"

echo 'nonroot:x:65532:65532:realtime-strategies:/:/nonexistent' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

# dpkg knows a library by the path it was packed with, which may be the one before /lib became a
# link to /usr/lib, or the one after. Since Debian 13 it names diversions of it, too.
owner() {
  { dpkg-query --search "$1" "$(realpath "$1")" 2>/dev/null || true; } | grep -v '^diversion by '
}

install -D --mode=0644 /usr/lib/os-release "$root/etc/os-release"
mkdir -p "$root/var/lib/dpkg/status.d"
{
  for library in "${libraries[@]}"; do owner "$library"; done
  echo 'ca-certificates:'
} | sed 's/:.*//' | sort -u | while read -r package; do
  dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
  install -D --mode=0644 "/usr/share/doc/$package/copyright" \
    "$root/usr/share/doc/$package/copyright"
done
