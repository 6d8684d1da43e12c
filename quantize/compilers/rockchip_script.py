"""Compiles a .tflite file with the RKNN toolkit: python rockchip_script.py MODEL CHIP OUTPUT

This script is not imported; quantize.compilers.rockchip runs it in the toolkit's environment. Its
last line is a JSON object with the toolkit's `version`, or the process fails.
"""

import json
import sys
from importlib.metadata import version

from rknn.api import RKNN


def main() -> None:
    model, chip, output = sys.argv[1:4]
    toolkit = RKNN(verbose=False)
    steps = (
        lambda: toolkit.config(target_platform=chip),
        lambda: toolkit.load_tflite(model=model),
        # Integer models keep their scales, and float models become 16-bit floats.
        lambda: toolkit.build(do_quantization=False),
        lambda: toolkit.export_rknn(output),
    )
    for step in steps:
        if step() not in (None, 0):
            sys.exit("the toolkit gave no reason")
    print(json.dumps({"version": version("rknn-toolkit2")}))


if __name__ == "__main__":
    main()
