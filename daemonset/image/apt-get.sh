#!/bin/sh
# apt-get for the stages of the build: by the sources.list of the build secret `apt` where there is one, else by the base's own.
set -eu
sources=/run/secrets/apt
authority=/run/secrets/ca
export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
set -- --quiet --quiet --option APT::Sandbox::User=root "$@"
[ ! -e "$sources" ] || set -- --option "Dir::Etc::SourceList=$sources" --option Dir::Etc::SourceParts=/dev/null "$@"
[ ! -e "$authority" ] || set -- --option "Acquire::https::CaInfo=$authority" "$@"
exec apt-get "$@"
