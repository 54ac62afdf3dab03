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
# For ten replicas, of which each begins when the last has been ready for minReadySeconds.
timeout=${ROLLOUT_TIMEOUT:-1200s}

die() { echo "$command: $*" >&2; exit 64; }
give_up() { echo "$command: $*" >&2; exit 69; }
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
  if [[ ! $installed ]]; then
    echo "== no namespace $namespace in $context: all of this is new"
    grep -E '^(kind|  name):' "$rendered"
    return
  fi
  echo "== what changes in $context"
  local result=0
  kube diff -f "$rendered" -l 'app.kubernetes.io/component!=provision' || result=$?
  ((result <= 1)) || give_up "kubectl diff failed; nothing was changed"
  if ((result == 0)); then echo "(nothing)"; fi
}

# Overlays have the same objects: one for development would replace what trades.
refuse_to_replace_production() {
  if grep -q '^  ENVIRONMENT: production$' "$rendered"; then return; fi
  local there
  there=$(ours get configmaps -l "app.kubernetes.io/name=$name" \
    -o 'jsonpath={.items[*].data.ENVIRONMENT}') ||
    give_up "nobody says what runs in $context; nothing was changed"
  [[ " $there " != *" production "* ]] ||
    die "production is in $context; make k8s-clean removes it, OVERLAY=$overlay does not replace it"
}

# To the revision that was there before, whatever this deployment has come to. Only the Deployment
# goes back: autoscaler, policies, alerts and stream keep what was applied.
go_back() {
  ours get pods -l "app.kubernetes.io/name=$name" -o wide >&2 || true
  [[ $revision ]] || give_up "there is nothing to go back to; look at make k8s-status"
  echo "deploy: going back to revision $revision of the Deployment, and of nothing else" >&2
  ours rollout undo "deployment/$name" --to-revision "$revision" &&
    ours rollout status "deployment/$name" --timeout "$timeout" ||
    give_up "revision $revision does not become ready either; look at make k8s-status"
  give_up "revision $revision runs in $context again"
}

deploy() {
  render "$tag"
  local installed revision
  installed=$(kube get namespace "$namespace" --ignore-not-found -o name) ||
    give_up "$context does not answer, or not to you; nothing was changed"
  if [[ $installed ]]; then refuse_to_replace_production; fi
  show_difference
  confirm "apply this to $context?"
  revision=$(ours get deployment "$name" --ignore-not-found \
    -o 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}') ||
    give_up "nobody says what to go back to; nothing was changed"
  # A Job cannot be changed; deleting one that is done loses nothing.
  if [[ $installed ]]; then ours delete job "$name-provision" --ignore-not-found; fi
  # What could be applied before an error rolls out: it has to be taken back, too.
  if ! kube apply -f "$rendered"; then
    echo "deploy: not all of $tag can be applied" >&2
    go_back
  fi
  if ! ours rollout status "deployment/$name" --timeout "$timeout"; then
    echo "deploy: $tag does not become ready" >&2
    go_back
  fi
  if grep -q '^kind: Job$' "$rendered"; then
    ours wait --for=condition=complete "job/$name-provision" --timeout "$timeout" ||
      give_up "$tag runs, but its stream is not made so far; see the logs of job/$name-provision"
  fi
  echo "deploy: $tag runs in $context"
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

# Everything but the namespace, which is shared, the Secrets, which are not ours, and the volume of
# the component's broker. The selector leaves the namespace out; ConfigMaps of earlier settings go
# by their label.
clean() {
  confirm "remove $name from $context?"
  render any
  local selector="app.kubernetes.io/name in ($name, $name-nats)" result=0
  kube delete -f "$rendered" -l "$selector" --ignore-not-found || result=69
  ours delete configmap -l "$selector" --ignore-not-found || result=69
  return "$result"
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
[[ $context != -* ]] || die "no context: $context"
[[ $overlay =~ ^[a-z0-9-]+$ ]] || die "no overlay's name: $overlay"
[[ -f $root/k8s/overlays/$overlay/kustomization.yaml ]] || die "no overlay k8s/overlays/$overlay"
kubectl config get-contexts "$context" >/dev/null 2>&1 || die "kubectl knows no context '$context'"
"$command"
