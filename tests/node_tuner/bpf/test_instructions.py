"""The assembler, against bytes that RFC 9669 and the kernel's own macros (include/linux/filter.h) give."""

import pytest

from node_tuner.bpf.instructions import (
    Instruction,
    Label,
    Line,
    Register,
    Size,
    call,
    compute,
    encode,
    from_network_order,
    jump,
    jump_if,
    leave,
    load,
    move_wide,
    store,
)

R0, R1, R2, R3, R6, R9, R10 = (Register(number) for number in (0, 1, 2, 3, 6, 9, 10))


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        (compute(R0, "=", 0), "b7 00 0000 00000000"),
        (compute(R0, "=", -1), "b7 00 0000 ffffffff"),
        (compute(R6, "=", R1), "bf 16 0000 00000000"),
        (compute(R3, "+=", -40), "07 03 0000 d8ffffff"),
        (compute(R1, "-=", R2), "1f 21 0000 00000000"),
        (compute(R1, "|=", R0), "4f 01 0000 00000000"),
        (compute(R1, "&=", 0x0FC0), "57 01 0000 c00f0000"),
        (compute(R1, "<<=", 2), "67 01 0000 02000000"),
        (compute(R2, ">>=", R3), "7f 32 0000 00000000"),
        (from_network_order(R1), "dc 01 0000 10000000"),
        (load(R1, Size.WORD, R6, 16), "61 61 1000 00000000"),
        (load(R9, Size.BYTE, R10, -63), "71 a9 c1ff 00000000"),
        (store(R10, -40, Size.HALF, R1), "6b 1a d8ff 00000000"),
        (call(26), "85 00 0000 1a000000"),
        (leave(), "95 00 0000 00000000"),
    ],
)
def test_instruction_has_the_bytes_of_the_specification(instruction: Instruction, expected: str) -> None:
    assert encode([instruction]) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("condition", "opcode"),
    [("==", 0x15), (">", 0x25), (">=", 0x35), ("&", 0x45), ("!=", 0x55), ("<", 0xA5), ("<=", 0xB5)],
)
def test_condition_has_the_opcode_of_the_specification(condition: str, opcode: int) -> None:
    to_immediate, to_register = jump_if(R1, condition, 6, "on"), jump_if(R1, condition, R2, "on")
    assert encode([to_immediate, Label("on")]) == bytes([opcode, 0x01, 0, 0, 6, 0, 0, 0])
    assert encode([to_register, Label("on")]) == bytes([opcode | 8, 0x21, 0, 0, 0, 0, 0, 0])


def test_wide_move_takes_two_slots() -> None:
    assert encode(move_wide(R2, 0x1122334455667788)) == bytes.fromhex("18 02 0000 88776655 00 00 0000 44332211")


def test_jump_counts_slots_from_the_next_one_forward_and_back() -> None:
    lines: list[Line] = [Label("top"), *move_wide(R2, 1), jump("end"), jump("top"), Label("end"), leave()]
    encoded = encode(lines)
    assert encoded[16:24] == bytes.fromhex("05 00 0100 00000000")
    assert encoded[24:32] == bytes.fromhex("05 00 fcff 00000000")


def test_label_that_is_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="label nowhere is missing"):
        encode([jump("nowhere"), leave()])


def test_label_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="label here is there twice"):
        encode([Label("here"), leave(), Label("here")])


@pytest.mark.parametrize(("between", "is_refused"), [(32_767, False), (32_768, True)])
def test_jump_that_is_too_far_is_refused(between: int, is_refused: bool) -> None:
    lines: list[Line] = [jump("far"), *[leave()] * between, Label("far"), leave()]
    if not is_refused:
        assert encode(lines)[2:4] == b"\xff\x7f"
        return
    with pytest.raises(ValueError, match="label far is 32768 instructions away"):
        encode(lines)
