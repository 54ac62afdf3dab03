#!/usr/bin/env bash
# What `make run-local` does after the build: a broker (the one at NATS_URL if it answers, else a
# private nats-server), the service, a made-up market, and every order as a subscriber of the order
# subject gets it. Settings from the environment pass through. Ctrl-C stops all that was started.
set -euo pipefail

binary=${BINARY:-build/release/realtime-strategies}
export NATS_URL=${NATS_URL:-nats://localhost:4222}
export HEALTH_CHECK_PORT=${HEALTH_CHECK_PORT:-8080}
rate=${SIMULATE_RATE:-200}
work=$(mktemp -d)
pids=()

stop() {
  trap - EXIT INT TERM
  echo
  echo "run-local: stopping"
  for pid in "${pids[@]}"; do  # newest first: the market, the service, the broker
    kill -TERM "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 0' INT TERM

# host and port of the first URL of the list
broker=${NATS_URL%%,*}
broker=${broker#*://}
broker=${broker##*@}
answers() { (exec 3<>"/dev/tcp/${broker%:*}/${broker##*:}") 2>/dev/null; }
[[ $broker == *:* ]] || broker=$broker:4222

if answers; then
  echo "run-local: using the broker at $broker"
else
  # Port -1 = any free one; the broker writes it into a file of its own choosing.
  nats-server -a 127.0.0.1 -p -1 --ports_file_dir "$work" >"$work/nats.log" 2>&1 &
  pids=($! "${pids[@]}")
  for _ in $(seq 100); do
    ports=$(cat "$work"/nats-server_*.ports 2>/dev/null || true)
    [[ -n $ports ]] && break
    kill -0 "${pids[0]}" 2>/dev/null || { cat "$work/nats.log" >&2; exit 69; }
    sleep 0.05
  done
  NATS_URL=$(grep -o 'nats://[0-9.:]*' <<<"$ports" | head -n 1)
  echo "run-local: no broker at $broker; started a private one at $NATS_URL"
fi

"$binary" check >/dev/null  # says everything that is wrong, and ends this
"$binary" run >"$work/service.log" 2>&1 &
service=$!
pids=("$service" "${pids[@]}")
until "$binary" health --ready >/dev/null 2>&1; do
  kill -0 "$service" 2>/dev/null || { cat "$work/service.log" >&2; exit 69; }
  sleep 0.1
done

cat <<EOF
run-local: the service is ready
  status page  http://localhost:$HEALTH_CHECK_PORT/
  readiness    http://localhost:$HEALTH_CHECK_PORT/ready
  metrics      http://localhost:$HEALTH_CHECK_PORT/metrics
  settings     http://localhost:$HEALTH_CHECK_PORT/info
  log          $work/service.log
Each line below is an order as it arrived on ${NATS_PUBLISHER_TOPIC:-tradeengine.orders}. Ctrl-C stops.
EOF
"$binary" simulate --rate "$rate" --show-orders &
pids=($! "${pids[@]}")
wait -n "${pids[@]}"
