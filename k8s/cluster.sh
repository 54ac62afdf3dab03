#!/usr/bin/env bash
# The service in a cluster, by kubectl: what `make deploy` and `make k8s-*` do.
#   cluster.sh deploy IMAGE_TAG CONTEXT [OVERLAY]    compares, applies, waits, goes back
#   cluster.sh status|logs|clean CONTEXT [OVERLAY]
# Nothing is guessed: no tag and no context means no deployment. On a terminal it asks before it
# changes anything; where there is none, whoever has started it has decided.
set -euo pipefail

name=petrosa-realtime-strategies
namespace=petrosa-apps
root=$(cd "$(dirname "$0")/.." && pwd)
timeout=${ROLLOUT_TIMEOUT:-180s}

die() { echo "$command: $*" >&2; exit 64; }
kube() { kubectl --context "$context" "$@"; }
ours() { kube --namespace "$namespace" "$@"; }

confirm() {
  [[ -t 0 ]] || return 0
  local answer
  read -r -p "$1 [y/N] " answer
  [[ $answer == y ]] || { echo "nothing done"; exit 1; }
}

# The overlay with the image's tag; kustomize takes folders by relative paths only.
render() {
  local work=$root/build/deploy
  mkdir -p "$work"
  cat >"$work/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../k8s/overlays/$overlay
images:
  - name: yurisa2/$name
    newTag: "$1"
YAML
  rendered=$work/rendered.yaml
  kubectl kustomize "$work" >"$rendered"
}

# What would change. A Job cannot be changed and is made anew, so it is not compared.
show_difference() {
  if ! kube get namespace "$namespace" >/dev/null 2>&1; then
    echo "== no namespace $namespace in $context: all of this is new"
    grep -E '^(kind|  name):' "$rendered"
    return
  fi
  echo "== what changes in $context"
  local result=0
  kube diff -f "$rendered" -l 'app.kubernetes.io/component!=provision' || result=$?
  if ((result > 1)); then
    echo "deploy: kubectl diff failed; nothing was changed" >&2
    exit 69
  fi
  if ((result == 0)); then echo "(nothing)"; fi
}

deploy() {
  render "$tag"
  show_difference
  confirm "apply this to $context?"
  # A Job cannot be changed; deleting one that is done loses nothing.
  if kube get namespace "$namespace" >/dev/null 2>&1; then
    ours delete job "$name-provision" --ignore-not-found
  fi
  kube apply -f "$rendered"
  if ours rollout status "deployment/$name" --timeout "$timeout"; then
    echo "deploy: $tag runs in $context"
    return
  fi
  echo "deploy: $tag does not become ready; going back" >&2
  ours get pods -l "app.kubernetes.io/name=$name" -o wide >&2 || true
  if ours rollout undo "deployment/$name" &&
    ours rollout status "deployment/$name" --timeout "$timeout"; then
    echo "deploy: the previous version runs in $context again" >&2
  else
    echo "deploy: there is no previous version that becomes ready; look at make k8s-status" >&2
  fi
  exit 69
}

status() {
  ours get deployments,pods,jobs,horizontalpodautoscalers,poddisruptionbudgets \
    -l "app.kubernetes.io/name=$name" -o wide
  ours rollout history "deployment/$name"
}

logs() {
  ours logs -l "app.kubernetes.io/name=$name" --prefix \
    --tail="${TAIL:-100}" --follow="${FOLLOW:-false}"
}

# Everything but the namespace, which is shared, and the Secrets, which are not ours. The selector
# leaves the namespace out; ConfigMaps of earlier settings go by their label.
clean() {
  confirm "remove $name from $context?"
  render any
  local selector="app.kubernetes.io/name in ($name, $name-nats)"
  kube delete -f "$rendered" -l "$selector" --ignore-not-found
  ours delete configmap -l "$selector" --ignore-not-found
}

command=${1:-}
case $command in
  deploy)
    tag=${2:-} context=${3:-} overlay=${4:-production}
    [[ $tag ]] || die "say which image: IMAGE_TAG=1.2.3"
    [[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || die "no tag of an image: $tag"
    [[ $tag != latest ]] || die "'latest' is whatever it is at that moment; name a version"
    ;;
  status | logs | clean)
    context=${2:-} overlay=${3:-production}
    ;;
  *)
    command=cluster.sh
    die "say one of deploy, status, logs, clean"
    ;;
esac
[[ $context ]] || die "say which cluster: CONTEXT=name, one of 'kubectl config get-contexts'"
[[ -f $root/k8s/overlays/$overlay/kustomization.yaml ]] || die "no overlay k8s/overlays/$overlay"
kubectl config get-contexts "$context" >/dev/null 2>&1 || die "kubectl knows no context '$context'"
"$command"
