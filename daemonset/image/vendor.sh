#!/bin/sh
# Copies what the pages take of $1 (a node_modules) to $2 (gateway/web/vendor). aiohttp serves a .gz to who takes it.
set -eu
node_modules=$1
vendor=$2
mkdir -p "$vendor"
install -m 644 "$node_modules/hls.js/LICENSE" "$vendor/hls.js.LICENSE"
install -m 644 "$node_modules/uplot/LICENSE" "$vendor/uPlot.LICENSE"
install -m 644 "$node_modules/uplot/dist/uPlot.min.css" "$node_modules/uplot/dist/uPlot.esm.js" "$vendor"
gzip -9 --no-name --stdout "$node_modules/uplot/dist/uPlot.esm.js" >"$vendor/uPlot.esm.js.gz"
gzip -9 --no-name --stdout "$node_modules/hls.js/dist/hls.min.mjs" >"$vendor/hls.min.mjs.gz"
install -m 644 "$node_modules/hls.js/dist/hls.min.mjs" "$vendor"
