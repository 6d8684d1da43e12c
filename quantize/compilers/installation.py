"""Environments of the compilers, made on demand from locked requirements.

Each maker has a file in `locks`, with a hash for every package. Its environment is a folder of the
user's cache whose name contains a hash of that file, so a new lock makes a new environment.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.errors import UserError

LOCKS = Path(__file__).with_name("locks")

PYTHON = "3.11"
"""The newest Python that every compiler supports."""


@dataclass(frozen=True)
class Installation:
    """The environment of one maker's compiler.

    Attributes:
        maker: name of the lock file.
        licence: what is printed before anything is fetched; empty for open-source compilers.
    """

    maker: str
    licence: str = ""

    @property
    def lock(self) -> Path:
        return LOCKS / f"{self.maker}.txt"

    @property
    def folder(self) -> Path:
        name = hashlib.sha256(self.lock.read_bytes()).hexdigest()[:12]
        return cache_folder() / "compilers" / f"{self.maker}-{name}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return self.folder / "lib" / f"python{PYTHON}" / "site-packages"

    @property
    def is_installed(self) -> bool:
        return self.python.exists()

    def install(self) -> None:
        """Creates the environment atomically, unless it exists.

        Raises:
            UserError: uv is missing, or a package could not be fetched.
        """
        if self.is_installed:
            return
        uv = find_uv()
        if uv is None:
            raise UserError("uv is missing; ./run python --version installs it")
        if self.licence:
            print(f"{self.maker}: {self.licence}", file=sys.stderr)
        print(f"{self.maker}: installing its compiler in {self.folder}", file=sys.stderr)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{self.maker}.", dir=self.folder.parent))
        try:
            _call(uv, "venv", "--relocatable", "--python", PYTHON, "--allow-existing", str(beside))
            python = str(beside / "bin" / "python")
            _call(uv, "pip", "sync", "--require-hashes", "--python", python, str(self.lock))
            beside.chmod(0o755)
            os.rename(beside, self.folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def cache_folder() -> Path:
    """The project's folder in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pocket-bokeh"


def find_uv() -> str | None:
    """uv from the PATH, or the one that `./run` installed."""
    ours = Path(__file__).parents[2] / ".uv" / "bin" / "uv"
    return shutil.which("uv") or (str(ours) if ours.is_file() else None)


def _call(uv: str, *arguments: str) -> None:
    ended = subprocess.run(
        [uv, "--quiet", "--no-config", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
    )
    if ended.returncode:
        raise UserError(f"uv {arguments[0]} failed: {_cause(ended.stderr)}")


def _cause(complaints: str) -> str:
    """uv's reason in one line: a package's own error if there is one, else uv's first causes."""
    lines = [line.strip(" ×├╰─▶·") for line in complaints.splitlines()]
    if own := [line for line in lines if line.startswith("ERROR: ")]:
        return own[0].removeprefix("ERROR: ")
    told = [line for line in lines if line and not line.startswith(("hint:", "help:"))]
    return ": ".join(told[:3]) or "no message"
