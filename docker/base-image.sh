#!/usr/bin/env bash
# base-image.sh ENGINE NAME RELEASE: makes the builder's base image from the packages of that Debian,
# for machines that reach Debian's archive and no image registry. ENGINE is docker, podman or buildah.
# Needs mmdebstrap, and root or unprivileged user namespaces.
set -euo pipefail
engine=$1 name=$2 release=$3
tar=$(mktemp --suffix=.tar)
trap 'rm -f "$tar"' EXIT

mmdebstrap --quiet --variant=minbase --include=ca-certificates "$release" "$tar"
if [[ $engine == buildah ]]; then
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$tar" / >/dev/null
  buildah commit --quiet --rm "$container" "$name" >/dev/null
else
  "$engine" import "$tar" "$name" >/dev/null
fi
