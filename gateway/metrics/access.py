"""Who was turned away, and the keys that tokens are judged by."""

from gateway.metrics.family import Family

FAMILIES = (
    Family("railbird_token_refusals_total", "counter", ("cause",), "Requests whose token did not open the door."),
    Family("railbird_rate_limited_total", "counter", ("kind",), "Requests over the rate of a player or an address."),
    Family("railbird_malformed_requests_total", "counter", ("cause",), "Requests that are no HTTP, or broken."),
    Family("railbird_jwks_keys", "gauge", (), "Keys that tokens may be signed by."),
    Family(
        "railbird_jwks_reload_failures_total", "counter", (), "Times that the keys could not be read; the old stay."
    ),
    Family("railbird_open_doors", "gauge", ("role",), "1 where no token is asked for."),
)
