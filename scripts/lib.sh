# shellcheck shell=bash
# Sourced by the other scripts: telling what is done, waiting for a condition, ports, HTTP without curl.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# A port answers if something accepts connections there.
port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints a port that nobody listens on, below the range that the kernel gives to clients.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((20000 + RANDOM % 10000))
    port_answers "$port" || { printf '%s\n' "$port"; return; }
  done
  fail "no free port found between 20000 and 29999"
}

# http_ok PORT PATH: the answer is 200.
http_ok() {
  local line
  # shellcheck disable=SC2016
  line=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 && head -1 <&3' \
    "$1" "$2" 2>/dev/null) || return 1
  [[ $line == *" 200 "* ]]
}

# wait_for SECONDS PID COMMAND…: until the command succeeds; fails after the time, or as soon as the process has ended.
wait_for() {
  local deadline=$((SECONDS + $1)) pid=$2
  shift 2
  until "$@"; do
    kill -0 "$pid" 2>/dev/null || return 1
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# stop_process PID SECONDS: SIGTERM, then SIGKILL; returns the exit code of a child.
stop_process() {
  local pid=$1 deadline=$((SECONDS + $2))
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null && say "process $pid had to be killed"
  wait "$pid" 2>/dev/null
}
