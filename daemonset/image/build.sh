#!/bin/sh
# Builds the image $IMAGE with $ENGINE (podman, buildah or docker); `make image` calls it with all its settings.
# What this machine believes and where it fetches from goes in as build secrets, which are in no layer.
set -eu
cd "$(dirname "$0")/../.."
export CONTAINERS_CONF="${CONTAINERS_CONF:-$PWD/daemonset/image/containers.conf}"

refuse() {
    echo "image: $1" >&2
    exit 1
}

# A release is of a base that somebody's digest names, and of sources that have a commit. To try one out needs neither.
if [ -n "${RELEASE:-}" ]; then
    case $BASE_IMAGE in *@sha256:*) ;; *) refuse "RELEASE wants a base that cannot change: BASE_IMAGE=$BASE_IMAGE@sha256:..." ;; esac
    [ -z "$(git status --porcelain)" ] || refuse "RELEASE wants a clean work tree"
fi

in_store() {
    case $ENGINE in
        docker) docker image inspect "$1" >/dev/null 2>&1 ;;
        *) "$ENGINE" inspect --type image "$1" >/dev/null 2>&1 ;;
    esac
}

# A base with a digest comes from its registry, and so does that of a platform that is named; any other is made here where it can be.
if [ -z "${PLATFORM:-}" ] && ! in_store "$BASE_IMAGE" && [ "${BASE_IMAGE#*@}" = "$BASE_IMAGE" ] && command -v mmdebstrap >/dev/null; then
    sh daemonset/image/base.sh "$ENGINE" "$BASE_IMAGE"
fi

commit_s=$(git log -1 --format=%ct 2>/dev/null || echo 0)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || revision=$revision-dirty

# Of all that the image is made of. An engine that looks into its cache reads 400 MB to find that nothing has changed.
inputs=$(
    {
        echo "$BASE_IMAGE $("$ENGINE" images --quiet --no-trunc "$BASE_IMAGE" 2>/dev/null) $revision ${SOURCE:-}${PLATFORM:+ $PLATFORM}"
        git ls-files -z --cached --others --exclude-standard --deduplicate -- \
            Dockerfile .dockerignore $(sed -n 's/^!//p' .dockerignore) | xargs -0 sha256sum 2>/dev/null
    } | sha256sum | cut -d ' ' -f 1
)
if [ -z "${NO_CACHE:-}${RELEASE:-}" ]; then
    made=$("$ENGINE" images --quiet --filter "label=io.railbird.inputs=$inputs" --filter "reference=$IMAGE" 2>/dev/null || true)
    [ -z "$made" ] || exit 0
fi

set -- --tag "$IMAGE" --build-arg "BASE_IMAGE=$BASE_IMAGE" \
    --label "io.railbird.inputs=$inputs" \
    --label "org.opencontainers.image.base.name=$BASE_IMAGE" \
    --label "org.opencontainers.image.revision=$revision" \
    --label "org.opencontainers.image.created=$(date -u -d "@$commit_s" +%Y-%m-%dT%H:%M:%SZ)"
[ -z "${SOURCE:-}" ] || set -- "$@" --label "org.opencontainers.image.source=$SOURCE"
for secret in "ca=${CA_BUNDLE:-}" "pip=${PIP_CONF:-}" "npmrc=${NPMRC:-}" "apt=${APT_SOURCES:-}"; do
    [ ! -f "${secret#*=}" ] || set -- "$@" --secret "id=${secret%%=*},src=${secret#*=}"
done
[ -z "${NO_CACHE:-}" ] || set -- "$@" --no-cache

# The base in the store may be of another platform, and has the same name.
pull=missing
if [ -n "${PLATFORM:-}" ]; then
    set -- "$@" --platform "$PLATFORM"
    pull=always
fi

# A release has its commit's time everywhere, so that whoever builds it of the same packages gets the same bytes.
if [ -n "${RELEASE:-}" ]; then
    set -- "$@" --no-cache
    export SOURCE_DATE_EPOCH="$commit_s" # docker's way
    [ "$ENGINE" = docker ] || set -- "$@" --timestamp "$commit_s"
fi

case $ENGINE in
    docker) DOCKER_BUILDKIT=1 docker build --quiet "$@" . >/dev/null ;;
    *) "$ENGINE" build --quiet --isolation "$ISOLATION" --layers --jobs 2 --pull=$pull "$@" . >/dev/null ;;
esac
