#!/bin/sh
# Makes Debian's base image from its archive, under the name $2, in the store of the engine $1: for machines without a registry.
# What it makes is Debian's, but nobody's digest says so: releases name theirs (BASE_IMAGE=...@sha256:...).
set -eu
engine=$1
name=$2
suite=${3:-bookworm}
echo "image: no $name in $engine's store: making it of Debian's archive with mmdebstrap"
[ "$engine" != buildah ] || engine=podman # buildah imports nothing, and shares podman's store
archive=$(mktemp --suffix=.tar)
trap 'rm -f "$archive"' EXIT
mmdebstrap --quiet --variant=minbase "$suite" "$archive" ${APT_SOURCES:+"$APT_SOURCES"}
"$engine" import --quiet "$archive" "$name" >/dev/null
