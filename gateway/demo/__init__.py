"""The demo studio: a process of its own that draws a dealer table and publishes it by WHIP, as a real studio would.

    table (cards, wheel, clock_strip, lettering) -> encoder -> publisher -> the gateway
    tone  ----------------------------------------^

It shares no module with the gateway: whatever plays from here has come in through the front door.
"""
