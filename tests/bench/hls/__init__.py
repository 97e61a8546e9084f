"""What LL-HLS costs: packaging a stream, answering a request, carrying a player, with and without nginx in front.

    packaging -> remote -> studios      a process: real H264 and Opus, several streams of them
              -> processor              the gateway's CPU and wake-ups, thread by thread, packaged and not, by turns
    serving   -> remote -> crowd        a process: players over keep-alive connections (`player`, `connection`), and a
                                        chorus that asks for one URL
              -> remote -> static       on the gateway's core: aiohttp that answers constant bytes
              -> remote -> front        on the gateway's core: nginx, for files or before the gateway
    results, table

Where all that is measured shares the gateway's core, all that loads it is on the others.
"""
