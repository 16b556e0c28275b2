#!/bin/sh
# What docker/Dockerfile does, step by step, so that it can also run without Docker, as tests/docker does.
#
#   build-steps.sh build-packages         installs what building needs (Debian 12, as root)
#   build-steps.sh build PREFIX [BUILD]   builds the release into PREFIX/usr/local and PREFIX/etc; BUILD: a directory to keep
#   build-steps.sh runtime-packages       installs what running needs, and makes the user (as root)
#   build-steps.sh list build|runtime     prints the names of those packages
set -eu

BUILD_PACKAGES="
  g++ cmake ninja-build pkg-config python3
  libuv1-dev libmariadb-dev libssl-dev zlib1g-dev libzstd-dev
  libyaml-cpp-dev liburiparser-dev libcli11-dev libexpected-dev libfmt-dev libspdlog-dev libxxhash-dev
  prometheus-cpp-dev libboost-dev nlohmann-json3-dev"

# Connector/C's plugins for the ways to log in come with libmariadb3. ca-certificates: TiDB Cloud is verified against it.
RUNTIME_PACKAGES="
  ca-certificates libuv1 libmariadb3 libssl3 zlib1g libzstd1
  libyaml-cpp0.7 liburiparser1 libfmt9 libspdlog1.10 libxxhash0
  libprometheus-cpp-core1.0"

say() { echo "build-steps: $*" >&2; }

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # shellcheck disable=SC2086 # a list of words
  apt-get install -q -y --no-install-recommends $1
  rm -rf /var/lib/apt/lists/*
}

build() {
  source=$(cd "$(dirname "$0")/.." && pwd)
  prefix=$1
  build=${2:-$source/build/docker}
  say "configuring in $build"
  cmake -S "$source" --preset release -B "$build" -D TIDEPOOL_TESTS=OFF
  say "building"
  cmake --build "$build" --target tidepool -j "${JOBS:-$(nproc)}"
  say "installing into $prefix"
  program=$(find "$build" -type f -name tidepool -perm -u+x)
  install -D --strip "$program" "$prefix/usr/local/bin/tidepool"
  install -D "$source/docker/healthcheck.sh" "$prefix/usr/local/bin/tidepool-healthcheck"
  install -D -m 644 -t "$prefix/etc/tidepool" "$source"/conf/*.yaml
  install -D -m 644 "$source/LICENSE" "$prefix/usr/local/share/doc/tidepool/LICENSE"
}

case "${1:-}" in
  build-packages) install_packages "$BUILD_PACKAGES" ;;
  build) build "${2:?where to}" "${3:-}" ;;
  runtime-packages)
    install_packages "$RUNTIME_PACKAGES"
    useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tidepool
    install -d -o tidepool -g tidepool /run/tidepool
    ;;
  list)
    # shellcheck disable=SC2086 # lists of words
    case "${2:-}" in
      build) echo $BUILD_PACKAGES ;;
      runtime) echo $RUNTIME_PACKAGES ;;
      *) say "list build or runtime?" && exit 2 ;;
    esac
    ;;
  *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2 && exit 2 ;;
esac
