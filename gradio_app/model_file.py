"""One .tflite file that the page can run."""

from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import FourthChannel, Size
from pocket_bokeh.transposed_model import transposed


@dataclass(frozen=True)
class ModelFile:
    """One .tflite file at one working size.

    Attributes:
        file: its path.
        output_size: height and width of its output in pixels, twice those of its input. A model
            that takes photos of any size is set to this one.
        channels: of its input, 3 or 4.
        bytes: the size of the file.
        is_transposed: whether the file is for the other orientation, to be transposed first.
        fourth_channel: what the fourth channel is, if there is one. An upload does not say.
    """

    file: Path
    output_size: Size
    channels: int
    bytes: int
    is_transposed: bool = False
    fourth_channel: FourthChannel = "depth"

    def load(self, threads: int) -> LiteRTModel:
        """Loads the model. The check of visitors' models calls this, too, before the server does.

        Raises:
            UserError: as `LiteRTModel`.
        """
        content = self.file.read_bytes()
        return LiteRTModel(
            transposed(content) if self.is_transposed else content,
            threads,
            working_size=self.output_size,
            fourth_channel=self.fourth_channel,
        )
