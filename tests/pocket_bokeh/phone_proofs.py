"""A file as the app's proof screen shares it."""

import json
from pathlib import Path

from pocket_bokeh.bundle import Bundle


def write_proof(file: Path, bundle: Bundle, **changed: object) -> Path:
    """Writes a proof with one model that runs and one that does not."""
    first, second = bundle.models[:2]
    common = {"recipe": "float16", "accelerator": "GPU"}
    right = {"runs": True, "reason": "", "milliseconds": 38.25, "largest_step": 2}
    trials = [
        {**common, "file": first.file, "sha256": first.sha256, **right, "psnr": 61.0},
        {**common, "file": second.file, "sha256": second.sha256, "runs": False, "reason": "no"},
    ]
    proof = {
        **{"schema_version": 1, "manufacturer": "Maker", "phone": "One", "android": "16"},
        **{"api": 36, "page_size": 16384, "trials": trials},
    }
    file.write_text(json.dumps(proof | changed))
    return file
