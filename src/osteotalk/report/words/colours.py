"""How far colours are apart, in normal vision and in the three kinds of colour-blind vision."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb

# Colours are told apart from this difference on. A just noticeable one, of large areas that touch,
# is about 1; these are small areas that do not touch.
APART = 9.0
# Machado, Oliveira and Fernandes 2009 (doi:10.1109/TVCG.2009.113), severity 1, for linear RGB.
_VISION = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ]
)
VISIONS = ("normal", "protanopia", "deuteranopia", "tritanopia")
# sRGB (IEC 61966-2-1) to XYZ over that of its white, D65.
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_FAR = 25.0**7


def seen(colours: Sequence[str]) -> np.ndarray:
    """Colours as each kind of vision has them.

    Parameters
    ----------
    colours
        As matplotlib takes them, such as ``#RRGGBB``.

    Returns
    -------
    CIELAB values (D65), visions (as `VISIONS`) x colours x 3.
    """
    rgb = np.array([to_rgb(colour) for colour in colours]).reshape(-1, 3)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return _lab(np.clip(linear @ _VISION.transpose(0, 2, 1), 0, 1))


def _lab(linear: np.ndarray) -> np.ndarray:
    share = (linear @ _XYZ.T) / _XYZ.sum(axis=1)
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Differences of colours (Sharma, Wu and Dalal 2005, doi:10.1002/col.20070).

    Parameters
    ----------
    first, second
        CIELAB values, ... x 3, of shapes that fit each other.
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(x, float), -1, 0) for x in (first, second))
    mean = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    more = 1.5 - 0.5 * np.sqrt(mean / (mean + _FAR))
    c1, c2 = np.hypot(more * a1, b1), np.hypot(more * a2, b2)
    h1, h2 = (np.arctan2(b, more * a) % (2 * np.pi) for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)
    hue = np.where(grey, h1 + h2, h1 + turn / 2)
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    wave = (
        1
        - 0.17 * np.cos(hue - np.pi / 6)
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.pi / 30)
        - 0.20 * np.cos(4 * hue - np.deg2rad(63))
    )
    degrees = np.rad2deg(hue) % 360
    angle = np.deg2rad(60 * np.exp(-(((degrees - 275) / 25) ** 2)))
    twist = -2 * np.sqrt(chroma**7 / (chroma**7 + _FAR)) * np.sin(angle)
    by_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + 0.015 * chroma * wave)
    total = by_light**2 + by_chroma**2 + by_hue**2 + twist * by_chroma * by_hue
    return np.asarray(np.sqrt(np.maximum(total, 0)))


def apart(colours: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """How far colours are from others in the vision that tells them least (CIEDE2000).

    Returns
    -------
    Colours x others.
    """
    first, second = seen(colours), seen(others)
    return np.asarray(ciede2000(first[:, :, None], second[:, None]).min(axis=0))
