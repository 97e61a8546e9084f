"""Where the program keeps what it knows of a packet, and how it reads more of it."""

from node_tuner.bpf.instructions import Instruction, Register, call, compute, jump_if

R0, R1, R2, R3, R4, R5 = list(Register)[:6]

SKB, PORT, AT, PAYLOAD_TYPE = Register.R6, Register.R7, Register.R8, Register.R9
"""Kept over calls. AT: where the transport header, later the payload is, from the packet's begin."""
FITTING = PORT
"""After the search among the ports: bit n for the n-th rule, if its ports fit."""

STACK = Register.R10
HEADER, TRANSPORT = -40, -64
"""Where on the stack the IP header and the transport header, later the payload's first bytes, are."""

OUT = "out"
"""The label of the program's end."""

_LOAD_BYTES = 26
"""bpf_skb_load_bytes (include/uapi/linux/bpf.h)."""


def read(at: Register | int, to: int, count: int, otherwise: str) -> list[Instruction]:
    """Copy bytes of the packet to the stack, wherever they are: of a GSO send the payload is not in the packet's head.
    To `otherwise` where it is too short."""
    return [
        compute(R1, "=", SKB),
        compute(R2, "=", at),
        compute(R3, "=", STACK),
        compute(R3, "+=", to),
        compute(R4, "=", count),
        call(_LOAD_BYTES),
        jump_if(R0, "!=", 0, otherwise),
    ]
