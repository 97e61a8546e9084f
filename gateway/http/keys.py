"""What handlers find in the application: typed keys, one place."""

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.config import Settings
from gateway.hub.hub import Hub
from gateway.quality.operations import Operations
from gateway.quality.sampler import Quality

HUB = web.AppKey("hub", Hub)
SETTINGS = web.AppKey("settings", Settings)
METRICS = web.AppKey("metrics", CollectorRegistry)
QUALITY = web.AppKey("quality", Quality)
OPERATIONS = web.AppKey("operations", Operations)
