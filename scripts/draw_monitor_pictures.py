"""Draw every page of the monitor in both themes and two sizes of window, as they stand in docs/monitor-pictures.md.

Usage: python scripts/draw_monitor_pictures.py RUN [FOLDER]
"""

import subprocess
import sys
from itertools import product
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parents[1] / "docs" / "pictures" / "monitor"
PAGES, THEMES = ("now", "history", "inside", "health"), ("dark", "light")
KEPT_PX = {"1366x768": (1366, 768), "3840x2160": (1440, 810)}  # sizes of the window, and of the picture that is kept
NUM_COLOURS = 256


def main(run: Path, folder: Path) -> None:
    """Draw them with the command that everybody has, and keep them small."""
    folder.mkdir(parents=True, exist_ok=True)
    for page, theme, size in product(PAGES, THEMES, KEPT_PX):
        path = folder / f"{page}-{theme}-{size}.png"
        command = [sys.executable, "-m", "operando.cli", "monitor", str(run), "--headless", str(path)]
        subprocess.run([*command, "--page", page, "--theme", theme, "--size", size], check=True)
        with Image.open(path) as drawn:
            kept = drawn.convert("RGB").resize(KEPT_PX[size], Image.Resampling.LANCZOS)
        kept.quantize(NUM_COLOURS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
        print(path.name, f"{path.stat().st_size / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else FOLDER)
