#!/bin/sh
# Leaves of the virtual environment $1 what runs, and compiles it. Bytecode that is not checked against its source can be the
# same in every build: no time is in it.
set -eu
environment=$1
packages=$(echo "$environment"/lib/python3*/site-packages)
find "$packages" -type d -name tests -prune -exec rm -rf {} +
find "$packages" -type f \( -name '*.c' -o -name '*.h' -o -name '*.a' -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' \) -delete
find "$environment/bin" -mindepth 1 ! -name 'python*' ! -name 'railbird-*' -delete
rm -rf "$environment/include"
find "$packages" -type f -name '*.py' -exec chmod a-x {} + # as scripts they want an env(1) that is not there
"$environment/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$packages"
