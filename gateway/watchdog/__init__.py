"""Watches the picture while a round needs it, and aborts the round with the cause when it fails."""
