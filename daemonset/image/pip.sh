#!/bin/sh
# pip for the stages of the build, working on $VIRTUAL_ENV: with the build secrets `pip` (a pip.conf) and `ca` where there are any.
set -eu
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1 PIP_COMPILE=0
[ ! -e /run/secrets/pip ] || export PIP_CONFIG_FILE=/run/secrets/pip
[ ! -e /run/secrets/ca ] || export PIP_CERT=/run/secrets/ca
exec /build/pip/bin/python -m pip --python "$VIRTUAL_ENV/bin/python" "$@"
