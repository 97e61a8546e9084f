"""`make bench`: what a forwarded packet, a join and a viewer cost the gateway, how long a packet stays in it, and what
LL-HLS and bet signals cost.

The gateway is the real process on a core of its own; studio and players are real sessions with real keys on the others.

    __main__ -> measure -> gateway_process      the gateway, its CPU clock, its memory, its /metrics
                        -> remote -> probe      a process: the studio, and players that check and time every packet
                                  -> crowd      a process: the other players, which only drain
                        -> floor                a process on the gateway's core: the bare loop
             results -> table
             hls/        what LL-HLS costs (`--only hls`): see there
    signals/    what pings and bets cost, and what an upstream that is down does to them (`--only signals`): see there
    node/       what the node's kernel costs untuned and tuned, and what a burst loses (`--only node`): see there
    placement   which core and which priority each of them has

How a session comes about and how its reports are written is the load generator's (`loadgen.peer`, `loadgen.signalling`,
`loadgen.players.reports`). The bench has a studio of its own, for the time stamp in every packet.
"""
