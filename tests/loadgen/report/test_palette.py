"""Lines that share a plot look different to people who see colours in other ways."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import loadgen.report
from loadgen.report.plots import PLOTS

Colour = npt.NDArray[np.float64]

PAGE_CSS = Path(loadgen.report.__file__).with_name("page.css")
LEAST_DIFFERENCE = 35.0
"""CIE76, in CIELAB: 2.3 is the least that can be seen, side by side and in large areas; lines are thin."""

# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009).
VISIONS = {
    "all cones": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)


def _palettes() -> dict[str, dict[str, str]]:
    light, dark = PAGE_CSS.read_text().split("prefers-color-scheme: dark", 1)
    return {name: dict(re.findall(r"(--\w+): (#\w{6});", css)) for name, css in (("light", light), ("dark", dark))}


def _linear(colour: str) -> Colour:
    shares = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def _lab(colour: str, vision: Colour) -> Colour:
    xyz = TO_XYZ @ np.clip(vision @ _linear(colour), 0, 1) / WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_of_a_plot_can_be_told_apart(scheme: str, vision: str) -> None:
    palette = _palettes()[scheme]
    pairs = {pair for plot in PLOTS for pair in combinations([line.colour.value for line in plot.lines], 2)}
    differences = {
        pair: float(np.linalg.norm(np.subtract(*(_lab(palette[name], VISIONS[vision]) for name in pair))))
        for pair in pairs
    }
    assert {pair: each for pair, each in differences.items() if each < LEAST_DIFFERENCE} == {}
