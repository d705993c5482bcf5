"""Sets of pictures as a household's camera would take them, made from photographs that come in wheels."""
