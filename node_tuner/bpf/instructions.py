"""eBPF instructions as values, and their bytes: those that we need, so that no compiler is needed (RFC 9669).

Jumps name a `Label`; `encode` turns the name into a distance.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, unique
from typing import TypeAlias

INSTRUCTION_BYTES = 8
_LAYOUT = struct.Struct("<BBhI")
"""Opcode, registers, offset, immediate (section 3.1), as little-endian machines have them: both that we know are."""

_MAX_JUMP = 32_767

# Classes of opcodes, section 3.2; and what is or-ed to them.
_LD, _LDX, _STX, _ALU, _JMP, _ALU64 = 0, 1, 3, 4, 5, 7
_FROM_REGISTER = 0x08
_MEMORY = 0x60
_WIDE = 0x18

_OPERATIONS: Mapping[str, int] = {"+=": 0x00, "-=": 0x10, "|=": 0x40, "&=": 0x50, "<<=": 0x60, ">>=": 0x70, "=": 0xB0}
_CONDITIONS: Mapping[str, int] = {"==": 0x10, ">": 0x20, ">=": 0x30, "&": 0x40, "!=": 0x50, "<": 0xA0, "<=": 0xB0}
"""Unsigned, all of them. `&`: a bit of both is set."""
_JUMP, _CALL, _EXIT, _SWAP = 0x00, 0x80, 0x90, 0xD0


class Register(IntEnum):
    """R0 is what is returned, R1 to R5 are a call's arguments and lost by it, R6 to R9 are kept, R10 is the stack's
    end."""

    R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 = range(11)


@unique
class Size(IntEnum):
    """Of a load or store."""

    WORD = 0x00
    HALF = 0x08
    BYTE = 0x10


@dataclass(frozen=True, slots=True)
class Instruction:
    """One slot; `target` is the label whose distance `offset` becomes."""

    opcode: int
    destination: int = 0
    source: int = 0
    offset: int = 0
    immediate: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A place to jump to; it takes no room."""

    name: str


Line: TypeAlias = Instruction | Label


def compute(to: Register, operation: str, operand: Register | int) -> Instruction:
    """`R1 &= 3`, `R1 = R6`: on 64 bits. An immediate is 32 bits, its sign goes on to 64."""
    return _with_operand(_ALU64 | _OPERATIONS[operation], to, operand)


def move_wide(to: Register, value: int) -> list[Instruction]:
    """`to = value`, 64 bits: two slots."""
    low, high = value & 0xFFFF_FFFF, value >> 32
    return [Instruction(_LD | _WIDE, to, immediate=low), Instruction(0, immediate=high)]


def from_network_order(register: Register) -> Instruction:
    """Its low 16 bits, as they were loaded, to a number, and back; the rest becomes 0."""
    return Instruction(_ALU | _SWAP | _FROM_REGISTER, register, immediate=16)


def load(to: Register, size: Size, base: Register, offset: int) -> Instruction:
    """`to = *(base + offset)`."""
    return Instruction(_LDX | _MEMORY | size, to, base, offset)


def store(base: Register, offset: int, size: Size, source: Register) -> Instruction:
    """`*(base + offset) = source`."""
    return Instruction(_STX | _MEMORY | size, base, source, offset)


def jump(target: str) -> Instruction:
    """Go there."""
    return Instruction(_JMP | _JUMP, target=target)


def jump_if(left: Register, condition: str, right: Register | int, target: str) -> Instruction:
    """Go there where it holds, else on."""
    return replace(_with_operand(_JMP | _CONDITIONS[condition], left, right), target=target)


def call(helper: int) -> Instruction:
    """A function of the kernel's, by its number in include/uapi/linux/bpf.h; its result is in R0."""
    return Instruction(_JMP | _CALL, immediate=helper)


def leave() -> Instruction:
    """End the program with what is in R0."""
    return Instruction(_JMP | _EXIT)


def encode(lines: Iterable[Line]) -> bytes:
    """What bpf(2) takes. ValueError for a label that is missing or there twice, and for a jump that is too far."""
    instructions: list[Instruction] = []
    places: dict[str, int] = {}
    for line in lines:
        if isinstance(line, Instruction):
            instructions.append(line)
        elif line.name in places:
            raise ValueError(f"label {line.name} is there twice")
        else:
            places[line.name] = len(instructions)
    return b"".join(_packed(each, at, places) for at, each in enumerate(instructions))


def _with_operand(opcode: int, register: Register, operand: Register | int) -> Instruction:
    if isinstance(operand, Register):
        return Instruction(opcode | _FROM_REGISTER, register, operand)
    return Instruction(opcode, register, immediate=operand)


def _packed(instruction: Instruction, at: int, places: Mapping[str, int]) -> bytes:
    offset = _distance(instruction.target, at, places) if instruction.target else instruction.offset
    registers = instruction.source << 4 | instruction.destination
    return _LAYOUT.pack(instruction.opcode, registers, offset, instruction.immediate & 0xFFFF_FFFF)


def _distance(target: str, at: int, places: Mapping[str, int]) -> int:
    if target not in places:
        raise ValueError(f"label {target} is missing")
    distance = places[target] - at - 1
    if abs(distance) > _MAX_JUMP:
        raise ValueError(f"label {target} is {distance} instructions away: a jump reaches {_MAX_JUMP}")
    return distance
