"""What tuning a node is worth: CPU a packet in its kernel, and bursts that a socket's buffer has room for.

    measure -> sending        windows of sendmmsg(2) through a veth, the variants of the node by turns
                 variants     each made by the tuner's own controls: connection tracking, its bypass, DSCP
                 load         the datagrams of a window
                 cost         CPU of a core's sends, all that the kernel does for them included
            -> burst          a reader that stands still, with a small buffer and with the tuner's
    results, table

Two network namespaces stand for the node and for all others, so the node itself stays as it is; the exception is
net.core.rmem_max, which there is one of: it is put back before the bench goes on.
"""
