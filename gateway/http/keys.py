"""What handlers find in the application: typed keys, one place."""

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.config import Settings
from gateway.hls.presentations import Presentations
from gateway.hub.hub import Hub

HUB = web.AppKey("hub", Hub)
HLS = web.AppKey("hls", Presentations)
SETTINGS = web.AppKey("settings", Settings)
METRICS = web.AppKey("metrics", CollectorRegistry)
