"""What light and a camera make of a scene: gain, colour temperature, shadows, noise, blur, JPEG."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from benchmarks.made.scene import Picture, smooth


@dataclass(frozen=True, slots=True)
class Camera:
    """One make of camera. Noise in shares of full white; `quality` is JPEG's, from and to."""

    noise: float = 0.02
    blotches: float = 0.008
    blur: float = 0.0  # radius in thousandths of the width
    vignette: float = 0.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    quality: tuple[int, int] = (70, 92)


GOOD = (Camera(),)
POOR = (
    Camera(0.08, 0.03, 1.5, 0.35, (1.0, 0.94, 0.82), (38, 45)),
    Camera(0.12, 0.02, 0.5, 0.15, (0.88, 1.0, 1.08), (38, 50)),
    Camera(0.05, 0.045, 3.0, 0.5, (1.08, 0.98, 0.9), (38, 60)),
)
"""Other cameras: much noise, blur, dark corners, a colour cast, JPEG at 40."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one moment: gain, warmth (red over blue), a slope across and a shadow's depth."""

    gain: float
    warmth: float
    slope: tuple[float, float]
    shadow: float

    @classmethod
    def drawn(cls, random: np.random.Generator) -> "Light":
        """Draw the light of some hour of some day."""
        slope = random.uniform(-0.25, 0.25, 2)
        return cls(
            gain=float(np.exp(random.uniform(np.log(0.4), np.log(1.35)))),
            warmth=float(np.exp(random.uniform(-0.22, 0.22))),
            slope=(float(slope[0]), float(slope[1])),
            shadow=float(random.uniform(0, 0.55)) if random.random() < 0.6 else 0.0,
        )


def lit(picture: Picture, light: Light, random: np.random.Generator) -> Picture:
    """Put a scene (H, W, 3) into a light; shadows are soft and fall anywhere."""
    height, width, _ = picture.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    brightness = light.gain * (1 + light.slope[0] * x + light.slope[1] * y)
    if light.shadow:
        edge = smooth(random, (width, height), 4) * 4
        brightness = brightness * (1 - light.shadow / (1 + np.exp(-edge)))
    root = np.float32(light.warmth**0.5)
    seen: Picture = (picture * brightness * np.array([root, 1, 1 / root])).astype(np.float32)
    return seen


def taken(
    picture: Picture, camera: Camera, random: np.random.Generator, shake: float
) -> tuple[Image.Image, int]:
    """Take a picture (H, W, 3): the image, and the quality that JPEG stores it with.

    shake: the camera moves by up to this share of the width, and turns by as much of a radian.
    """
    height, width, _ = picture.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    seen = picture * (1 - camera.vignette * (x * x + y * y) / 2)
    seen = seen * np.array(camera.cast, np.float32)
    seen = seen + camera.blotches * smooth(random, (width, height), 40)
    image = _bytes(seen)
    across, down = random.uniform(-shake, shake, 2) * width
    turn = float(np.degrees(random.uniform(-shake, shake)))
    image = image.rotate(turn, Image.Resampling.BILINEAR, translate=(round(across), round(down)))
    # Nothing is black at the edges: a camera that moves sees what lies beside.
    margin = 2 * shake
    inner = (width * margin, height * margin, width * (1 - margin), height * (1 - margin))
    image = image.resize((width, height), Image.Resampling.BILINEAR, box=inner)
    if camera.blur:
        image = image.filter(ImageFilter.GaussianBlur(camera.blur * width / 1000))
    noisy = np.asarray(image, np.float32) / 255
    strength = camera.noise * random.uniform(0.6, 1.4) * np.sqrt(0.25 + noisy)
    noisy = noisy + strength * random.standard_normal(noisy.shape, np.float32)
    return _bytes(noisy), int(random.integers(*camera.quality, endpoint=True))


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Encode as JPEG."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _bytes(picture: npt.NDArray[np.floating]) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
