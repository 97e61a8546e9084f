"""Pictures in yuv420p, and sprites laid over them: what the encoder wants, so that no frame is converted as a whole.

Colours are BT.709, limited range (luma 16..235), as the encoder's `colorspace` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.uint8]
Alpha = NDArray[np.int16]

OPAQUE: Final = 128
"""Full cover of an alpha plane. Not 255: (235 - 16) * 128 still fits the int16 that the blend works in."""

_BT709: Final = np.array(
    [
        [0.1826, 0.6142, 0.0620],
        [-0.1006, -0.3386, 0.4392],
        [0.4392, -0.3989, -0.0403],
    ],
    dtype=np.float32,
)
_OFFSETS: Final = np.array([16.0, 128.0, 128.0], dtype=np.float32)


class Picture:
    """One picture; `planes` is uint8 of shape (height * 3 / 2, width), the layout that PyAV takes for yuv420p.

    `luma` (height, width) and `blue`, `red` (height / 2, width / 2) are views into it. Width and height are even.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.planes: Plane = np.empty((height * 3 // 2, width), dtype=np.uint8)
        flat = self.planes.reshape(-1)
        luma_bytes, chroma_bytes = width * height, width * height // 4
        half = (height // 2, width // 2)
        self.luma: Plane = flat[:luma_bytes].reshape(height, width)
        self.blue: Plane = flat[luma_bytes : luma_bytes + chroma_bytes].reshape(half)
        self.red: Plane = flat[luma_bytes + chroma_bytes :].reshape(half)

    @classmethod
    def from_image(cls, image: Image.Image) -> Picture:
        """Convert a Pillow image of even size; its alpha channel, if any, is ignored."""
        picture = cls(*image.size)
        rgb = np.asarray(image.convert("RGB"), dtype=np.float32)
        yuv = rgb @ _BT709.T + _OFFSETS
        picture.luma[:] = np.rint(yuv[..., 0])
        picture.blue[:] = np.rint(_halved(yuv[..., 1]))
        picture.red[:] = np.rint(_halved(yuv[..., 2]))
        return picture

    def copy(self) -> Picture:
        other = Picture(self.width, self.height)
        other.planes[:] = self.planes
        return other

    def paste(self, source: Picture, x: int, y: int) -> None:
        """Copy all of `source` to (x, y), both even, without blending."""
        self.luma[y : y + source.height, x : x + source.width] = source.luma
        rows, columns = slice(y // 2, (y + source.height) // 2), slice(x // 2, (x + source.width) // 2)
        self.blue[rows, columns] = source.blue
        self.red[rows, columns] = source.red

    def restore(self, background: Picture, area: Area) -> None:
        """Copy `area` back from a background of the same size."""
        rows, columns = slice(area.top, area.bottom), slice(area.left, area.right)
        self.luma[rows, columns] = background.luma[rows, columns]
        rows, columns = slice(area.top // 2, (area.bottom + 1) // 2), slice(area.left // 2, (area.right + 1) // 2)
        self.blue[rows, columns] = background.blue[rows, columns]
        self.red[rows, columns] = background.red[rows, columns]


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in luma pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Sprite:
    """A small picture with soft edges, made once from an RGBA image of even size and laid down many times."""

    def __init__(self, image: Image.Image) -> None:
        self.picture = Picture.from_image(image)
        cover = np.asarray(image.convert("RGBA").getchannel("A"), dtype=np.float32) * (OPAQUE / 255)
        self._luma_alpha: Alpha = np.rint(cover).astype(np.int16)
        self._chroma_alpha: Alpha = np.rint(_halved(cover)).astype(np.int16)

    @property
    def width(self) -> int:
        return self.picture.width

    @property
    def height(self) -> int:
        return self.picture.height

    def lay(self, canvas: Picture, x: int, y: int) -> Area:
        """Blend the sprite over `canvas` with its top left corner at (x, y), cut off at the edges.

        Returns the area it touched, for `Picture.restore`. Chroma moves in steps of two pixels, which no eye sees.
        """
        area = Area(max(x, 0), max(y, 0), min(x + self.width, canvas.width), min(y + self.height, canvas.height))
        if area.left >= area.right or area.top >= area.bottom:
            return Area(0, 0, 0, 0)
        _blend(canvas.luma, self.picture.luma, self._luma_alpha, x, y)
        _blend(canvas.blue, self.picture.blue, self._chroma_alpha, x // 2, y // 2)
        _blend(canvas.red, self.picture.red, self._chroma_alpha, x // 2, y // 2)
        return area


def _blend(target: Plane, source: Plane, alpha: Alpha, x: int, y: int) -> None:
    left, top = max(-x, 0), max(-y, 0)
    under = target[max(y, 0) : y + source.shape[0], max(x, 0) : x + source.shape[1]]
    rows, columns = slice(top, top + under.shape[0]), slice(left, left + under.shape[1])
    difference = source[rows, columns].astype(np.int16) - under
    # Negative steps become large ones of uint8, and the sum wraps to what it should be.
    under += ((difference * alpha[rows, columns]) >> 7).astype(np.uint8)


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = plane.shape
    mean: NDArray[np.float32] = plane.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    return mean
