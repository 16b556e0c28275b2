#!/bin/bash
# Exits 0 if Tidepool's /healthz answers 200. The shell speaks HTTP itself, so that the image needs no curl.
# The address is TIDEPOOL_HTTP, as Tidepool takes it, or the one given; 0.0.0.0 and :: are asked on the loopback address.
address=${1:-${TIDEPOOL_HTTP:-127.0.0.1:6034}}
port=${address##*:}
host=${address%:*}
host=${host#[}
host=${host%]}
case $host in
  "" | 0.0.0.0) host=127.0.0.1 ;;
  ::) host=::1 ;;
esac

exec 3<>"/dev/tcp/$host/$port" || exit 1
printf 'GET /healthz HTTP/1.0\r\nHost: %s\r\n\r\n' "$host" >&3
read -r -t 3 version status rest <&3 || exit 1
[[ $version == HTTP/* && $status == 200 ]]
