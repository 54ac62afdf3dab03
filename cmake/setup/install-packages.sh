#!/usr/bin/env bash
# install-packages.sh PACKAGE…: installs what is missing of Debian's packages, as root or by sudo.
# install-packages.sh --missing PACKAGE…: prints what is missing, and installs nothing.
# ONE/OTHER is the first of them that the release has.
#
# What has a service is installed without it being started or enabled: a broker that the tests want
# must not listen on the machine from then on. Packages' scripts ask helpers for both, by name, and
# apt says where names are looked for; stopped/ comes first there. So nothing of the machine is
# changed for that, not even for a while, and what was there before stays as its owner has it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# The first of ONE/OTHER that the release has; as it was given, where apt cannot tell. apt shows what is
# installed and what its lists have; of a name that others only mention it shows nothing, with exit code 0.
# OTHER counts only when a list has it: without lists an installed OTHER, which may be too old, would
# stand for a release that has ONE.
choice() {
  local name ask=show
  if [[ $1 == */* ]]; then
    for name in ${1//\// }; do
      if [[ $(apt-cache $ask "$name" 2>/dev/null) ]]; then echo "$name"; return; fi
      ask=madison
    done
  fi
  echo "$1"
}

only_say=
if [[ ${1:-} == --missing ]]; then only_say=yes; shift; fi
missing=()
for package; do
  # A line for each architecture that it is there for.
  status=$(dpkg-query -W -f='${db:Status-Status}\n' "$(choice "$package")" 2>/dev/null) || true
  grep -qx installed <<<"$status" || missing+=("$package")
done
if [[ $only_say ]]; then echo "${missing[*]}"; exit; fi
if ((${#missing[@]} == 0)); then exit 0; fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  as_root=(sudo)
  if ! sudo --version >/dev/null 2>&1; then
    echo "not root, and no sudo; as root: $0 ${missing[*]}" >&2
    exit 69
  fi
fi
"${as_root[@]}" apt-get update -qq
for i in "${!missing[@]}"; do missing[i]=$(choice "${missing[i]}"); done
if [[ ${missing[*]} == */* ]]; then
  echo "apt's lists, just updated, have none of these: $(grep -o '[^ ]*/[^ ]*' <<<"${missing[*]}")" >&2
  exit 69
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends \
  -o "DPkg::Path=$here/stopped:/usr/sbin:/usr/bin:/sbin:/bin" \
  "${missing[@]}" >/dev/null
