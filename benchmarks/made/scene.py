"""What a fixed camera looks at: a part of a photograph that comes in a wheel."""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.float32]  # (H, W, 3), 0 to 1
PHOTOGRAPHS: Final = ("china", "flower", "hopper")


@cache
def photograph(name: str) -> Image.Image:
    """Return a photograph of scikit-learn (china, flower) or matplotlib (hopper), in colour."""
    if name == "hopper":
        from matplotlib import cbook

        path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
        with Image.open(Path(str(path))) as opened:
            return opened.convert("RGB")
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(f"{name}.jpg"))


def scene(random: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Draw a view of one of the photographs, `size` (width, height): a part of it, perhaps mirrored."""
    image = photograph(str(random.choice(PHOTOGRAPHS)))
    share = random.uniform(0.6, 1.0)
    width = min(image.width, image.height * size[0] / size[1]) * share
    height = width * size[1] / size[0]
    left = random.uniform(0, image.width - width)
    top = random.uniform(0, image.height - height)
    box = (left, top, left + width, top + height)
    view = image.resize(size, Image.Resampling.BICUBIC, box=box)
    return view.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else view


def smooth(random: np.random.Generator, size: tuple[int, int], cells: int) -> Picture:
    """Return a field (H, W, 1) of values around 0 with a deviation of about 1, `cells` bumps across."""
    width, height = size
    rows = max(2, round(cells * height / width))
    coarse = random.standard_normal((rows, cells)).astype(np.float32)
    field = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(field, np.float32)[:, :, None]
