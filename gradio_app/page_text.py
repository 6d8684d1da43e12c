"""The texts of the page."""

import re

from pocket_bokeh.bundle import Bundle

HEADING = """<h2>Is int8 good enough?</h2>
<p>One network in several number formats. Look at the difference, or take the blind test.</p>"""

RESEARCH_ONLY = (
    "The weights of these models are for research and evaluation only; the model card is under "
    "“About the models”."
)

MEASUREMENT_NOTES = (
    "MB: size of the model's file. ms: model time only, on one core of this computer ({computer}), "
    "not a phone; "
    "each picture needs two runs. Times are the median of five runs while the computer is idle, so "
    "they appear later, or not at all on a busy computer. PSNR, in dB, SSIM and the largest pixel "
    "difference (of one colour channel) compare the whole picture at its full size with that of "
    "float32, the network as trained. Visible is a difference of colours of 2.3 or more in "
    "CIE L\\*a\\*b\\*; less cannot be seen even side by side. The PSNR to real blur is a "
    "mean over the bundle's test pairs, not about this photo."
)

EXPLANATIONS = """
**photo** is your photo, unchanged. Every other picture comes from the same network in another
number format:

| model | recipe | what it is |
|---|---|---|
| float32 | `float32` | full precision, as trained; the reference for the others |
| float16 | `float16` | half the size, for phone GPUs |
| int8 weights only | `dynamic_int8` | 8-bit weights, float arithmetic |
| int8 (calibrated) | `int8_ptq` | 8-bit integers only; value ranges calibrated on photos |
| int8 (fine-tuned) | `int8_qat` | 8-bit integers only, fine-tuned for it; made for phones |
| int16x8 | `int16x8` | 16-bit activations and 8-bit weights, where int8 loses too much |

A model works at one small size. Its blur is then enlarged to the photo's size, and whatever stays
sharp keeps the photo's own detail. All pictures on this page are lossless PNG files.
"""

_CARD = "MODEL_CARD.md"


def model_card(bundle: Bundle) -> str | None:
    """The model card of a bundle as Markdown; None if it has none."""
    file = bundle.folder / _CARD
    if not file.is_file():
        return None
    # The page serves no other files of the bundle, so a picture becomes its description.
    text = re.sub(r"!\[([^\]]*)\]\(([^)]*)\)", r"*\2: \1*", file.read_text("utf-8"))
    # A screen reader needs a word at the head of every column.
    text = re.sub(r"^\| *\|(?=.*\n\|[-:| ]+\|$)", "| what |", text, flags=re.MULTILINE)
    # Its headings come below those of the page.
    return re.sub(r"^#", "###", text, flags=re.MULTILINE)
