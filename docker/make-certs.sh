#!/bin/sh
# make-certs.sh DIRECTORY HOST: a CA and a certificate for HOST signed by it, for the TiDB of docker/compose.yaml.
# Does nothing if they are there and good for a day yet. For trying things out: the CA's key is thrown away.
set -eu
directory=$1
host=$2

if openssl x509 -checkend 86400 -noout -in "$directory/server.pem" >/dev/null 2>&1; then
  echo "make-certs: $directory/server.pem is still good"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$directory"
new_key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
# shellcheck disable=SC2086 # a list of words
openssl req -x509 $new_key -days 90 -subj "/CN=Tidepool example CA" -addext "keyUsage=critical,keyCertSign" \
  -keyout "$work/ca.key" -out "$work/ca.pem"
# shellcheck disable=SC2086
openssl req $new_key -subj "/CN=$host" -addext "subjectAltName=DNS:$host" -addext "extendedKeyUsage=serverAuth" \
  -keyout "$work/server.key" -out "$work/server.csr"
openssl x509 -req -in "$work/server.csr" -copy_extensions copy -days 90 \
  -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -out "$work/server.pem"

install -m 644 "$work/ca.pem" "$work/server.pem" "$directory"
install -m 600 "$work/server.key" "$directory"
echo "make-certs: made $directory/ca.pem and a certificate for $host"
