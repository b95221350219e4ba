# Sourced by the runs that need more than Rust: installs what a bare Debian lacks. Runs at the same time wait for each other.

# installed PACKAGE...
installed() {
  (
    flock 9
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  ) 9>"${TMPDIR:-/tmp}/tsunagi-tools.lock" >&2 || { echo "could not install $*" >&2; exit 2; }
}

# needs PROGRAM PACKAGE...: nothing where the program is there.
needs() {
  command -v "$1" >/dev/null || installed "${@:2}"
}

# node_from VERSION: the path of a Node at least so new; where the machine's is older, the one that npm has.
node_from() {
  local own folder pinned="24.21.0"
  own="$(command -v node)"
  if [ "$(printf '%s\n' "$1" "$("$own" -p process.versions.node)" | sort -V | head -n 1)" = "$1" ]; then
    echo "$own"
    return
  fi
  folder="$(dirname "${BASH_SOURCE[0]}")/.node"
  (
    flock 9
    [ -x "$folder/node_modules/node/bin/node" ] ||
      npm install --prefix "$folder" --no-save --no-audit --no-fund --silent "node@$pinned"
  ) 9>"${TMPDIR:-/tmp}/tsunagi-tools.lock" >&2
  realpath "$folder/node_modules/node/bin/node"
}
