"""The start leaves what it made alone, and collects garbage again afterwards."""

import gc
import subprocess
import sys

import pytest

from gradio_app.light_start import nothing_collected
from train.errors import UserError


def test_garbage_is_collected_again_also_when_the_start_fails() -> None:
    with nothing_collected():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(UserError), nothing_collected():
        raise UserError("no such bundle")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_the_page_waits_for_no_library_that_only_a_comparison_needs() -> None:
    code = (
        "import sys; import gradio_app.__main__;"
        "from gradio_app.light_start import import_gradio; import_gradio();"
        "import gradio_app.page, gradio_app.handlers, gradio_app.server;"
        "print(sorted({'tensorflow', 'keras', 'scipy.ndimage'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
