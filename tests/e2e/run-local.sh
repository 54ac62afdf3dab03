#!/usr/bin/env bash
# What `make run-local` does after the build: a broker of its own, the service, a made-up market, and
# every order as a line. However it ends, what it has started ends with it; the service's log stays.
#
# Settings from the environment pass through, but for ENVIRONMENT, which is local: a service in
# production refuses a made-up market. A broker that NATS_URL names is used with
# SIMULATE_ON_REAL_BROKER=yes only, for whoever trades there would trade on that market.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
binary=${BINARY:-$root/build/release/realtime-strategies}
rate=${SIMULATE_RATE:-200}
export HEALTH_CHECK_PORT=${HEALTH_CHECK_PORT:-8080}
export ENVIRONMENT=local
if [[ -z ${NATS_URL:-} ]]; then unset NATS_URL; fi
PATH=$PATH:/usr/local/sbin:/usr/sbin  # where Debian keeps nats-server

say() { echo "run-local: $*"; }
give_up() { echo "run-local: $*" >&2; exit 69; }

# --- Starting and stopping ------------------------------------------------------------------------

pids=()  # newest first: the market, the service, the broker

# In a session of its own, so that Ctrl-C ends one after the other; and with us, however we end: also
# when that was before it could ask to be told.
start() {
  setsid setpriv --pdeathsig TERM \
    bash -c 'if [[ $PPID == "$0" ]]; then exec "$@"; fi' $$ "$@" &
  pids=($! "${pids[@]}")
}

all_run() {
  for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || return 1; done
}

# Where the terminal is gone nothing can be said, which must not keep the rest from being stopped.
stop() {
  trap '' HUP INT TERM PIPE
  trap - EXIT
  set +e
  { echo; say stopping; } 2>/dev/null
  for pid in "${pids[@]}"; do
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 250); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    # Who writes to an output that is open and that nobody reads hears no other signal.
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  rm -rf "$work"
}

# --- The broker -----------------------------------------------------------------------------------

named_broker() {
  # Without its secrets.
  "$binary" config --json | sed -n 's/.*"NATS_URL":{"value":"\([^"]*\)".*/\1/p'
}

refuse_broker() {
  cat >&2 <<EOF
run-local: refused: NATS_URL is $(named_broker), and whoever trades there would trade on a made-up market.
  Without NATS_URL a broker of its own is started: NATS_URL= make run-local
  If this one is meant: SIMULATE_ON_REAL_BROKER=yes make run-local
EOF
  exit 78
}

use_named_broker() {
  # The frames of the real service's queue group are not ours to take.
  export NATS_CONSUMER_GROUP=${NATS_CONSUMER_GROUP-run-local}
  patience=4
  cat <<EOF
run-local: SIMULATE_ON_REAL_BROKER=yes: at $(named_broker)
  a made-up market is published to ${NATS_CONSUMER_TOPIC:-binance.websocket.data}
  and the orders that it leads to to ${NATS_PUBLISHER_TOPIC:-tradeengine.orders}: whoever listens there gets them.
EOF
}

start_own_broker() {
  local jetstream=() ports="" info=""
  if [[ ${ORDER_DELIVERY:-core} == jetstream ]]; then
    jetstream=(--jetstream --store_dir "$work/jetstream")
  fi
  nats-server --version >/dev/null 2>&1 || give_up "nats-server does not work here; make setup"
  # Port -1 = any free one; the broker writes it into a file of its own choosing.
  start nats-server --addr 127.0.0.1 --port -1 --ports_file_dir "$work" "${jetstream[@]}" \
    >"$work/broker.log" 2>&1
  for _ in {1..200}; do
    ports=$(cat "$work"/nats-server_*.ports 2>/dev/null) && break
    kill -0 "${pids[0]}" 2>/dev/null || break
    sleep 0.05
  done
  NATS_URL=$(grep -o 'nats://[0-9.:]*' <<<"$ports" | head -n 1) ||
    give_up "the broker does not start: $(cat "$work/broker.log")"
  export NATS_URL
  # It asks for no login.
  unset ${!NATS_USER@} ${!NATS_PASSWORD@} ${!NATS_TOKEN@} ${!NATS_CREDS@} ${!NATS_NKEY@} \
    ${!NATS_TLS_@} ${!NATS_JETSTREAM_DOMAIN@}
  exec 3<>"/dev/tcp/127.0.0.1/${NATS_URL##*:}"
  IFS= read -r -t 5 info <&3
  exec 3>&-
  to_broker=(--broker-id "$(sed -n 's/.*"server_id": *"\([^"]*\)".*/\1/p' <<<"$info")")
  say "a broker of its own at $NATS_URL"
  if ((${#jetstream[@]})); then "$binary" provision --daily-cap 0 >>"$work/broker.log"; fi
}

# --- The service ----------------------------------------------------------------------------------

# What a demonstration wants, unless somebody has given a value: orders that keep coming.
demonstration=()
unless_given() {
  if [[ -v $1 ]]; then return; fi
  export "$1=$2"
  demonstration+=("$1=$2")
}

port_is_taken() {
  local host=${HEALTH_CHECK_HOST:-0.0.0.0}
  if [[ $host == 0.0.0.0 ]]; then host=127.0.0.1; fi
  (exec 3<>"/dev/tcp/$host/$HEALTH_CHECK_PORT") 2>/dev/null
}

choose_port() {
  if [[ $HEALTH_CHECK_PORT == 0 ]]; then
    HEALTH_CHECK_PORT=$((20000 + RANDOM))
    while port_is_taken; do HEALTH_CHECK_PORT=$((20000 + RANDOM)); done
  elif port_is_taken; then
    give_up "somebody else listens on port $HEALTH_CHECK_PORT, where the service would serve HTTP;" \
      "stop that, or: HEALTH_CHECK_PORT=$((HEALTH_CHECK_PORT + 1)) make run-local"
  fi
}

service_ended() {
  tail -n 3 "$log" >&2 || true
  give_up "the service has ended; its log: $log"
}

# The reasons that /ready gives, a line each.
why_not_ready() {
  { "$binary" health --ready --json 2>&1 || true; } |
    grep -o '"[a-z_]*":{"ok":false[^}]*}' |
    sed 's/^"\([a-z_]*\)":.*"detail":"\([^"]*\)".*/  \1: \2/' || true
}

start_service() {
  mkdir -p "$root/build/run-local"
  log=$(mktemp "$root/build/run-local/$(date +%Y-%m-%dT%H%M%S)-XXXXXX.log")
  start "$binary" run >"$log" 2>&1
  service=${pids[0]}
  local begun=$SECONDS
  until "$binary" health --ready >/dev/null 2>&1; do
    kill -0 "$service" 2>/dev/null || service_ended
    if ((SECONDS - begun >= patience)); then
      give_up "the service does not get ready:"$'\n'"$(why_not_ready)"$'\n'"  its log: $log"
    fi
    sleep 0.1
  done
}

# --- All of it ------------------------------------------------------------------------------------

"$binary" check >/dev/null  # says everything that is wrong, and ends this
if [[ ${NATS_URL:-} && ${SIMULATE_ON_REAL_BROKER:-} != yes ]]; then refuse_broker; fi
choose_port

work=$(mktemp -d)
trap stop EXIT
trap 'exit 0' HUP INT TERM PIPE
to_broker=()
patience=20  # seconds; a broker of our own keeps nobody out
if [[ ${NATS_URL:-} ]]; then use_named_broker; else start_own_broker; fi
unless_given SIGNAL_COOLDOWN_SECONDS 30
unless_given RISK_MAX_DAILY_SIGNALS 0
start_service

cat <<EOF
run-local: the service is ready
  status page  http://localhost:$HEALTH_CHECK_PORT/
  readiness    http://localhost:$HEALTH_CHECK_PORT/ready
  decisions    http://localhost:$HEALTH_CHECK_PORT/decisions?format=text
  metrics      http://localhost:$HEALTH_CHECK_PORT/metrics
  settings     http://localhost:$HEALTH_CHECK_PORT/info
  log          $log
Settings of this demonstration: ENVIRONMENT=local ${demonstration[*]}
Each line below is an order as it arrived on ${NATS_PUBLISHER_TOPIC:-tradeengine.orders}. Ctrl-C stops.
EOF
start "$binary" simulate --rate "$rate" --show-orders "${to_broker[@]}"
# A terminal that is closed tells its first process only. That may be make, which waits for us.
terminal=
if [[ -t 1 ]]; then terminal=yes; fi
while all_run; do
  if [[ $terminal && ! -t 1 ]]; then exit 0; fi
  sleep 0.5
done
kill -0 "$service" 2>/dev/null || service_ended
give_up "the market or the broker has ended; the service's log: $log"
