"""How well a rendering tells the subject from the background: what a viewer sees first.

PSNR hardly notices a soft face. These measures do. All of them compare gradients g of a rendering
with those of its photograph, pixel by pixel. The share of the photograph's own gradients that an
area A of the rendering keeps is the projection of one on the other,

    kept(A) = sum over A of g(rendering) · g(photograph) / sum over A of |g(photograph)|²,

the coefficient of a least-squares fit. It is 1 for the photograph itself and 0 for a plain area.
Unlike gradient energy it counts neither grain nor edges that the photograph does not have. The
gradients are central differences of the sRGB-encoded luma Y' of ITU-R BT.601, which is close to how
bright things look; in linear light, highlights alone would decide.

- *Subject kept*: kept(subject), where the subject is where the mask is at least `INSIDE`. Pixels
  that mix subject and background are left out.
- *Background kept*: kept(background), farther than `FAR` of the short side from the mask.
- *Softened*: the share of the subject's area where less than `SOFT_BELOW` of the detail round about
  it is left: kept(A) with A a Gaussian window (sigma `WINDOW` of the short side) on the subject. It
  finds a soft face in a sharp coat, which a mean over the subject would not show. Where there is
  less detail than `LEAST_DETAIL`, as on a smooth cheek, only the file's own noise could be lost.
- A rendering is *right* if enough of the subject is kept, little of it is softened, and enough of
  the background is gone (`is_right`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

INSIDE = 0.9
"""The subject is where the mask is at least this share of its greatest value."""

OUTSIDE = 0.1
"""There is no subject where the mask is at most this, 0…1."""

FAR = 0.04
"""Background nearer to the subject than this is not measured; relative to the short side."""

WINDOW = 0.02
"""Sigma of the window in which a softened place is looked for, relative to the short side."""

SOFT_BELOW = 0.7
"""A place with less than this share of its detail is softened."""

LEAST_DETAIL = 1 / 255
"""Root mean square gradient in the window, per pixel, below which there is no detail to lose."""

LEAST_SUBJECT, MOST_SOFTENED, MOST_BACKGROUND = 0.9, 0.1, 0.5
"""What makes a rendering right."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Separation:
    """How well one rendering tells the subject from the background.

    Attributes:
        subject_kept: share of the photograph's gradients that is left in the subject; None if the
            subject has none.
        softened: share of the subject's area that is softened, 0…1.
        background_kept: as `subject_kept`, in the background; None if the subject fills the
            photograph or the background has no gradients.
    """

    subject_kept: float | None
    softened: float
    background_kept: float | None

    @property
    def shortfall(self) -> float:
        """How far the three shares together are from right; 0 if the rendering is right."""
        subject = 0.0 if self.subject_kept is None else LEAST_SUBJECT - self.subject_kept
        background = 0.0 if self.background_kept is None else self.background_kept - MOST_BACKGROUND
        return sum(max(0.0, by) for by in (subject, self.softened - MOST_SOFTENED, background))

    @property
    def is_right(self) -> bool:
        """Whether the subject is sharp and the background soft."""
        return self.shortfall == 0


def measure_separation(picture: np.ndarray, photo: np.ndarray, mask: np.ndarray) -> Separation:
    """Measures a rendering of a photograph.

    Args:
        picture, photo: height × width × 3, sRGB-encoded, float 0…1.
        mask: height × width, uint8: 255 on the subject. Not empty.
    """
    products, squares = _gradient_products(picture, photo)
    subject = inside(mask)
    softened = softened_area(picture, photo, mask)
    far = distance_transform_edt(mask <= OUTSIDE * 255) > FAR * min(mask.shape)
    return Separation(
        _kept(products, squares, subject),
        float(softened.sum() / subject.sum()),
        _kept(products, squares, far),
    )


def softened_area(picture: np.ndarray, photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Where a rendering has softened the subject: height × width, bool; see `measure_separation`.

    Places without detail are not softened: there was nothing to lose.
    """
    subject = inside(mask)
    sigma = WINDOW * min(mask.shape)
    planes = (*_gradient_products(picture, photo), np.ones(mask.shape, np.float32))
    left, before, covered = (gaussian_filter(plane * subject, sigma) for plane in planes)
    had_detail = before > LEAST_DETAIL**2 * covered
    return subject & had_detail & (left < SOFT_BELOW * before)


def inside(mask: np.ndarray) -> np.ndarray:
    """Where the subject surely is, height × width, bool.

    Args:
        mask: height × width, uint8; not empty.
    """
    return mask >= INSIDE * float(mask.max())


def _gradient_products(picture: np.ndarray, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g(picture) · g(photo) and |g(photo)|² at every pixel."""
    after, before = (np.gradient(one @ _LUMA) for one in (picture, photo))
    products = after[0] * before[0] + after[1] * before[1]
    return products, np.square(before[0]) + np.square(before[1])


def _kept(products: np.ndarray, squares: np.ndarray, area: np.ndarray) -> float | None:
    total = float(squares[area].sum())
    return float(products[area].sum()) / total if total else None


@dataclass(frozen=True)
class MeanSeparation:
    """Means over photographs.

    Attributes:
        photographs: how many.
        right: the share of them that is right.
        subject_kept, softened, background_kept: means of `Separation`, over the photographs that
            have the figure; None if none has.
    """

    photographs: int
    right: float
    subject_kept: float | None
    softened: float
    background_kept: float | None


def mean_separation(figures: Sequence[Separation]) -> MeanSeparation:
    """The means over one photograph or more."""

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return MeanSeparation(
        len(figures),
        float(np.mean([one.is_right for one in figures])),
        mean([one.subject_kept for one in figures]),
        float(np.mean([one.softened for one in figures])),
        mean([one.background_kept for one in figures]),
    )
