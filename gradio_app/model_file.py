"""One .tflite file that the page can run."""

from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.bundle import Size
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.transposed_model import transposed


@dataclass(frozen=True)
class ModelFile:
    """One .tflite file at one working size.

    Attributes:
        file: where it is.
        output_size: height and width of the picture that it gives, twice its input's. A model
            that takes photographs of any size is brought to this one.
        channels: that it takes; 4 with a depth map.
        bytes: of the file.
        is_turned: whether it is for the other shape, and is turned before it runs.
    """

    file: Path
    output_size: Size
    channels: int
    bytes: int
    is_turned: bool = False

    def load(self, threads: int) -> LiteRTModel:
        """Ready to run; a visitor's own is checked by this very call before it runs here.

        Raises:
            UserError: as `LiteRTModel`.
        """
        content = self.file.read_bytes()
        source = transposed(content) if self.is_turned else content
        return LiteRTModel(source, threads, working_size=self.output_size)
