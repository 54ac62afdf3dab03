#!/usr/bin/env bash
# The service in a cluster, by kubectl: what `make deploy` and `make k8s-*` do.
#   cluster.sh deploy IMAGE_TAG CONTEXT [OVERLAY]    compares, applies, waits, goes back
#   cluster.sh status|logs|undo|clean CONTEXT [OVERLAY]
# Nothing is guessed: no tag and no context means no deployment. On a terminal it asks before it
# changes anything; where there is none, whoever has started it has decided.
set -euo pipefail

name=petrosa-realtime-strategies
namespace=petrosa-apps
root=$(cd "$(dirname "$0")/.." && pwd)
# For ten replicas, of which each begins when the last has been ready for minReadySeconds.
timeout=${ROLLOUT_TIMEOUT:-1200s}
service=app.kubernetes.io/name=$name,app.kubernetes.io/component=service
applied=''  # whether there is something to take back

die() { echo "$command: $*" >&2; exit 64; }
give_up() { echo "$command: $*" >&2; exit 69; }
kube() { kubectl --context "$context" "$@"; }
ours() { kube --namespace "$namespace" "$@"; }
# Where somebody waits: whoever cancels a job kills it some seconds later.
ours_soon() { ours "$@" --request-timeout=5s; }

confirm() {
  [[ -t 0 ]] || return 0
  local answer
  read -r -p "$1 [y/N] " answer
  [[ $answer == y ]] || { echo "nothing done"; exit 1; }
}

# The overlay with the image's tag; kustomize takes folders by relative paths only.
render() {
  # Of its own: of two at a time none applies what the other has rendered. Gone with this script.
  mkdir -p "$root/build/deploy"
  work=$(mktemp -d "$root/build/deploy/XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cat >"$work/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../../k8s/overlays/$overlay
images:
  - name: yurisa2/$name
    newTag: "$1"
YAML
  rendered=$work/rendered.yaml
  kubectl kustomize "$work" >"$rendered"
}

# NAME=value of each setting that is rendered; kustomize writes a line for each, sorted by name.
rendered_settings() {
  awk -v quotes="[\"']" '
    /^---/ { data = "" }
    /^  [A-Z][A-Z0-9_]*: / {
      value = substr($0, index($0, ":") + 2)
      if (value ~ "^" quotes) value = substr(value, 2, length(value) - 2)
      data = data substr($1, 1, length($1) - 1) "=" value "\n"
    }
    /^kind: ConfigMap$/ { if (data ~ /(^|\n)NATS_URL=/) printf "%s", data }' "$rendered"
}

# The same of what runs; nothing where nothing does.
running_settings() {
  local map
  map=$(ours get deployment "$name" --ignore-not-found -o 'jsonpath='\
'{.spec.template.spec.containers[0].envFrom[0].configMapRef.name}') && [[ $map ]] || return
  ours get configmap "$map" --ignore-not-found \
    -o 'go-template={{range $name, $value := .data}}{{$name}}={{$value}}{{"\n"}}{{end}}'
}

# "  NAME: old -> new" of two such lists.
changed_settings() {
  { sed 's/^/-/' <<<"$1"; sed 's/^/+/' <<<"$2"; } | awk '
    { at = index($0, "="); name = substr($0, 2, at - 2); value = substr($0, at + 1) }
    at && /^-/ { old[name] = value; names[name] }
    at && /^[+]/ { new[name] = value; names[name] }
    END {
      for (name in names) {
        if (name in old && name in new && old[name] == new[name]) continue
        printf "  %s: %s → %s\n", name, (name in old ? old[name] : "(none)"),
          (name in new ? new[name] : "(none)")
      }
    }' | LC_ALL=C sort
}

# What would change: settings from old to new, then objects by name. The settings' ConfigMap is new
# with each of them. A Job cannot be changed and is made anew, so it is not compared.
show_difference() {
  local differing result=0 settings
  if [[ ! $installed ]]; then
    echo "== no namespace $namespace in $context: all of this is new"
    grep -E '^(kind|  name):' "$rendered"
    return
  fi
  differing=$(LC_ALL=C KUBECTL_EXTERNAL_DIFF='diff -rq' kubectl --context "$context" \
    diff -f "$rendered" -l 'app.kubernetes.io/component!=provision') || result=$?
  ((result <= 1)) || give_up "kubectl diff failed; nothing was changed"
  settings=$(running_settings) || settings=''
  if [[ $settings ]]; then
    settings=$(changed_settings "$settings" "$(rendered_settings)")
    echo "== settings that change in $context"
    echo "${settings:-  (none)}"
  fi
  # Files LIVE-…/apps.v1.Deployment.petrosa-apps.NAME and MERGED-…/… differ
  differing=$(sed -nE 's|^Files .*/(.*[.])?v[0-9a-z]+[.]([A-Z][A-Za-z]*)[.]'\
'[^. ]*[.]([^ /]*) differ$|  \2 \3|p' <<<"$differing" |
    grep -vE "^  ConfigMap $name-[a-z0-9]{10}$" || true)
  echo "== objects that change in $context; until this ends, all of it:" \
    "kubectl --context $context diff -f $rendered"
  echo "${differing:-  (none)}"
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

# Of each ReplicaSet: revision|pods that have been ready for minReadySeconds|pods that are ready.
replica_sets() {
  ours get replicasets -l "$service" -o 'jsonpath={range .items[*]}'\
'{.metadata.annotations.deployment\.kubernetes\.io/revision}'\
'|{.status.availableReplicas}|{.status.readyReplicas}{"\n"}{end}'
}

# The newest revision but $unfinished whose pods stay ready; one whose pods come and go counts where
# there is no other.
newest_ready() {
  awk -F'|' -v unfinished="$unfinished" '
    $1 == unfinished { next }
    $2 > 0 && $1 + 0 > steady { steady = $1 + 0 }
    $3 > 0 && $1 + 0 > ready { ready = $1 + 0 }
    END { print steady ? steady : ready }'
}

# Sets `revision` to what a deployment that fails goes back to: the newest with ready pods or, where
# none has any, as while the broker is away, the one whose rollout was finished. Empty: there is
# none. $unfinished is set where the last rollout stands half done; to that nobody goes back, however
# many of its pods are ready.
find_revision() {
  local state reason sets
  revision='' unfinished=''
  state=$(ours get deployment "$name" --ignore-not-found -o 'jsonpath='\
'{.metadata.annotations.deployment\.kubernetes\.io/revision}'\
' {.status.conditions[?(@.type=="Progressing")].reason}') && sets=$(replica_sets) ||
    give_up "nobody says what to go back to; nothing was changed"
  read -r state reason <<<"$state" || true
  [[ $state ]] || return 0
  [[ $reason == NewReplicaSetAvailable ]] || unfinished=$state
  revision=$(newest_ready <<<"$sets")
  [[ $unfinished ]] || revision=${revision:-$state}
}

# Half a rollout has two versions in it: the next one would take the broken one for what was there.
# Where no pod of another one is ready there is nothing to go back to, and trying again mends it.
refuse_over_unfinished() {
  [[ $unfinished && $revision ]] || return 0
  give_up "revision $unfinished stands half rolled out in $context, and revision $revision has" \
    "ready pods: wait, or go back to that with make k8s-undo CONTEXT=$context; nothing was changed"
}

# Why it did not work, as long as those who know are there. Others run in the namespace, too.
say_why() {
  local pod
  echo "deploy: conditions of the Deployment:"
  ours_soon get deployment "$name" -o 'jsonpath={range .status.conditions[*]}'\
'  {.type} {.status} {.reason}: {.message}{"\n"}{end}'
  echo "deploy: pods:"
  ours_soon get pods -l "app.kubernetes.io/name=$name" -o wide
  echo "deploy: the last warnings:"
  ours_soon get events --field-selector type!=Normal --sort-by .metadata.creationTimestamp |
    grep -F "$name" | tail -n 20
  ours_soon get pods -l "app.kubernetes.io/name=$name" -o 'jsonpath={range .items[*]}'\
'{.metadata.name} {.status.containerStatuses[0].ready} {.status.phase}{"\n"}{end}' |
    while read -r pod ready; do
      case $ready in true* | *Succeeded) continue ;; esac
      echo "deploy: the last lines of $pod:"
      ours_soon logs "$pod" --tail 20 </dev/null
      ours_soon logs "$pod" --tail 20 --previous </dev/null 2>/dev/null
    done
}

delete_job() { ours_soon delete job "$name-provision" --ignore-not-found --wait=false || true; }

on_its_way() {
  kill $(jobs -p) 2>/dev/null || true
  give_up "interrupted; revision $revision is on its way back in $context"
}

# Only the Deployment goes back: autoscaler, policies, alerts and stream keep what was applied. It
# goes first, for there may be no time for more; then the Job, which would go on with the settings
# of what has failed. Nobody who reads may be there any more, so what is said ends nothing, and
# a revision that is there again has another number: it is not gone back to twice.
undo_rollout() {
  trap '' INT TERM HUP PIPE
  ours_soon rollout undo "deployment/$name" --to-revision "$revision" || return
  trap on_its_way INT TERM HUP
  delete_job >&2
  echo "$command: revision $revision of the Deployment comes back, and nothing else" >&2 || true
}

go_back() {
  # In the background, for bash hears no signal before a command in the foreground ends.
  say_why >&2 &
  wait $! || true
  if [[ ! $revision ]]; then
    delete_job >&2
    give_up "there is nothing to go back to; look at make k8s-status"
  fi
  undo_rollout && await rollout status "deployment/$name" --timeout "$timeout" ||
    give_up "revision $revision does not become ready either; look at make k8s-status"
  give_up "revision $revision runs in $context again"
}

# Who cancels a job kills it some seconds later: what was begun is taken back at once, unwatched.
# An apply that is still being killed could come after it.
interrupted() {
  trap '' INT TERM HUP PIPE
  kill $(jobs -p) 2>/dev/null || true
  wait
  [[ $applied ]] || give_up "interrupted; nothing was changed"
  [[ $revision ]] || give_up "interrupted; there is nothing to go back to"
  undo_rollout || give_up "interrupted, and the cluster refuses to go back; make k8s-undo"
  on_its_way
}

# bash hears signals while it waits, and not while a command is in the foreground. A function in the
# background would be a shell of its own, which could be ended without its kubectl.
await() {
  kubectl --context "$context" --namespace "$namespace" "$@" &
  wait $!
}

# A Job that has failed never completes, and `kubectl wait` waits for one of the two only.
await_job() {
  local state end=$((SECONDS + ${timeout%s}))
  while ((SECONDS < end)); do
    state=$(ours_soon get job "$name-provision" -o \
      'jsonpath={.status.conditions[?(@.status=="True")].type}') || state=''
    case " $state " in
      *" Complete "*) return 0 ;;
      *" Failed "*) return 1 ;;
    esac
    sleep 1
  done
  return 1
}

deploy() {
  render "$tag"
  local installed revision unfinished
  installed=$(kube get namespace "$namespace" --ignore-not-found -o name) ||
    give_up "$context does not answer, or not to you; nothing was changed"
  if [[ $installed ]]; then refuse_to_replace_production; fi
  find_revision
  refuse_over_unfinished
  show_difference
  confirm "apply this to $context?"
  trap interrupted INT TERM HUP
  applied=yes
  # A Job cannot be changed; deleting one that is done loses nothing.
  if [[ $installed ]]; then await delete job "$name-provision" --ignore-not-found; fi
  # What could be applied before an error rolls out: it has to be taken back, too.
  if ! await apply -f "$rendered"; then
    echo "deploy: not all of $tag can be applied" >&2
    go_back
  fi
  if ! await rollout status "deployment/$name" --timeout "$timeout"; then
    echo "deploy: $tag does not become ready" >&2
    go_back
  fi
  trap 'give_up "interrupted; $tag runs, and its Job goes on"' INT TERM HUP
  if grep -q '^kind: Job$' "$rendered" && ! await_job; then
    ours logs -l "app.kubernetes.io/name=$name,app.kubernetes.io/component=provision" \
      --prefix --tail=20 --ignore-errors >&2 || true
    give_up "$tag runs, but its stream is not made so far; see the logs of job/$name-provision"
  fi
  echo "deploy: $tag runs in $context"
}

# After a deployment that was killed.
undo() {
  local revision unfinished
  find_revision
  [[ $unfinished ]] || die "no rollout stands half done in $context"
  [[ $revision ]] || give_up "no other revision in $context has ready pods, to which to go back"
  confirm "go back to revision $revision in $context?"
  undo_rollout && await rollout status "deployment/$name" --timeout "$timeout" ||
    give_up "revision $revision does not become ready; look at make k8s-status"
}

status() {
  ours get deployments,pods,jobs,horizontalpodautoscalers,poddisruptionbudgets \
    -l "app.kubernetes.io/name=$name" -o wide
  ours rollout history "deployment/$name"
}

# kubectl follows five pods at most by itself, and ends at the first that has not begun.
logs() {
  ours logs -l "app.kubernetes.io/name=$name" --prefix --max-log-requests=100 --ignore-errors \
    --tail="${TAIL:-100}" --follow="${FOLLOW:-false}"
}

# Whatever has our label, of any overlay and of earlier settings; not the namespace, which is
# shared, the Secrets, which are not ours, and the volume of the component's broker. Kinds that the
# cluster does not know cannot be there. Who scales goes first.
clean() {
  local selector="app.kubernetes.io/name in ($name, $name-nats)" result=0 known kind kinds=
  # It fails, with its list, where any one aggregated API is away, as a metrics server.
  known=$(kube api-resources --namespaced --verbs delete -o name) || true
  grep -qx deployments.apps <<<"$known" ||
    give_up "$context does not say which kinds it has; nothing was changed"
  for kind in scaledobjects.keda.sh horizontalpodautoscalers.autoscaling deployments.apps \
    statefulsets.apps jobs.batch services poddisruptionbudgets.policy configmaps serviceaccounts \
    networkpolicies.networking.k8s.io servicemonitors.monitoring.coreos.com \
    prometheusrules.monitoring.coreos.com; do
    if grep -qx "$kind" <<<"$known"; then kinds+=",$kind"; fi
  done
  confirm "remove $name from $context?"
  ours delete "${kinds#,}" -l "$selector" --ignore-not-found || result=69
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
  status | logs | undo | clean)
    context=${2:-} overlay=${3:-production}
    ;;
  *)
    command=cluster.sh
    die "say one of deploy, status, logs, undo, clean"
    ;;
esac
[[ $timeout =~ ^[0-9]+s$ ]] || die "ROLLOUT_TIMEOUT takes seconds, as 1200s; not '$timeout'"
[[ $context ]] || die "say which cluster: CONTEXT=name, one of 'kubectl config get-contexts'"
[[ $context != -* ]] || die "no context: $context"
[[ $overlay =~ ^[a-z0-9-]+$ ]] || die "no overlay's name: $overlay"
[[ -f $root/k8s/overlays/$overlay/kustomization.yaml ]] || die "no overlay k8s/overlays/$overlay"
kubectl config get-contexts "$context" >/dev/null 2>&1 || die "kubectl knows no context '$context'"
"$command"
