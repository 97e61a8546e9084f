"""Studios: what they publish, how it becomes packets, and the life of one that publishes it by WHIP.

file_clip | generated_clip -> clip -> packetizer -> transmission -> broadcast (event loop, socket) -> whip_peer
                                 playhead, pacer, outgoing_track, feedback          studio (its life: timeline)
"""
