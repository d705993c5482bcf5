"""Colours of the pictures, told apart by everybody (Okabe and Ito, jfly.uni-koeln.de/color)."""

from typing import Final

BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
VERMILLION: Final = "#D55E00"
GREEN: Final = "#009E73"
SKY: Final = "#56B4E9"
PURPLE: Final = "#CC79A7"
BLACK: Final = "#1a1a1a"
GREY: Final = "#5f6b7a"
LIGHT: Final = "#c3cad4"
PALE: Final = "#f3f6fa"
