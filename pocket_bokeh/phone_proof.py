"""What the app's proof screen found on a phone: how each model ran on each accelerator."""

from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.errors import UserError
from pocket_bokeh.strict_json import read_json

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class PhoneTrial:
    """One model on one accelerator of a phone. Figures are None if it did not run.

    Steps are differences from the golden output in 8-bit levels; `psnr` is in dB.
    """

    recipe: str
    file: str
    sha256: str
    accelerator: str
    runs: bool
    reason: str
    milliseconds: float | None = None
    largest_step: float | None = None
    mean_step: float | None = None
    psnr: float | None = None


@dataclass(frozen=True)
class PhoneProof:
    """A phone's proof, without the fields that only people read."""

    manufacturer: str
    phone: str
    android: str
    api: int
    page_size: int
    trials: tuple[PhoneTrial, ...]

    @property
    def name(self) -> str:
        """The phone's maker and model."""
        return f"{self.manufacturer} {self.phone}"


def read_proof(file: Path) -> PhoneProof:
    """Reads the file that the app wrote.

    Raises:
        UserError: it is not a proof, or the app has another version.
    """
    version = ("schema_version", SCHEMA_VERSION)
    try:
        return read_json(file.read_bytes(), PhoneProof, version=version, ignore_unknown=True)
    except FileNotFoundError as error:
        raise UserError(f"{file}: no such file; share it from the app's proof screen") from error
    except (ValueError, OSError) as error:
        raise UserError(
            f"{file}: damaged, or not a proof of this version of the app ({error}); share it again"
        ) from error
