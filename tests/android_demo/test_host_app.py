"""The app's own classes, in the JVM and in Robolectric's Android."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from android_demo.host_app import HostApp
from quantize.bundle import Bundle
from quantize.detail import transfer_detail
from quantize.render import frame
from train.errors import UserError
from train.photo import network_input, read_photo, resize_photo, to_float, to_uint8

pytestmark = pytest.mark.skipif(
    not (shutil.which("javac") and shutil.which("mvn")),
    reason="needs a JDK: apt-get install openjdk-17-jdk-headless maven",
)


def test_the_screens_do_what_a_user_expects(host_app: HostApp, tmp_path: Path) -> None:
    said = host_app.test(
        "screen.MainActivityTest",
        "screen.CompareViewTest",
        "screen.ProofActivityTest",
        "model.ModelBundleTest",
        proof=tmp_path / "proof.json",
    )
    count = re.search(r"OK \((\d+) tests\)", said)
    assert count
    assert int(count[1]) >= 30
    assert (tmp_path / "proof.json").is_file()
