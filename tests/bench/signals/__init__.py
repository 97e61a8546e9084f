"""What bet signals cost: a ping, a bet, a bet that is handed on; and what becomes of bets while their upstream is down.

    measure -> remote -> crowd       a process: the load generator's players, by WebSocket or with a data channel
            -> remote -> probe       a process: the studio, which is there and sends nothing
            -> remote -> echo        on the gateway's core: a bare aiohttp WebSocket that echoes
            -> remote -> chorus      a process: WebSockets that talk to it
            -> remote -> casino      a process: the upstream, which checks signature, order and idempotency
    table       the rounds, over HTTP as a studio drives them
    results, report

Players bet as in every other run of the load generator (`loadgen.signals`), and check each answer as there.
"""
