"""The demo studio: a process of its own that draws a dealer table and publishes it by WHIP, as a real studio would.

    table (felt, cards, coup, wheel, lamp, clock_strip) -> encoder -> publisher -> the gateway
    tone  -----------------------------------------------^
    studio runs one publisher after the other, each in a process, and looks by presence whether it is still on air

It shares no module with the gateway: whatever plays from here has come in through the front door.
"""
