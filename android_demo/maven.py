"""Downloads the pinned packages from Maven Central with Debian's Maven and the user's settings."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from android_demo.programs import require
from android_demo.versions import Package, read_packages
from pocket_bokeh.bundle import sha256
from pocket_bokeh.errors import UserError

_MAVEN_PROJECT = """<project><modelVersion>4.0.0</modelVersion>
<groupId>pocketbokeh</groupId><artifactId>packages</artifactId><version>1</version>
<build><plugins><plugin><artifactId>maven-dependency-plugin</artifactId><configuration>
<outputDirectory>{folder}</outputDirectory><artifactItems>{items}</artifactItems>
</configuration></plugin></plugins></build></project>"""


def cache_folder() -> Path:
    """Where downloaded packages and files unpacked from them are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pocket-bokeh" / "android"


def fetch(*groups: str) -> dict[str, Path]:
    """Downloads the packages of some groups, unless they are in the cache.

    Returns:
        By "group:name", the path of the file.

    Raises:
        UserError: Maven is missing or the download fails, or a file has the wrong checksum.
    """
    packages = read_packages(*groups)
    folder = cache_folder() / "packages"
    # A file is moved to its final name only after its checksum was verified.
    missing = [package for package in packages if not (folder / package.file).is_file()]
    if missing:
        require("mvn")
        print(f"fetching {len(missing)} packages to {folder}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch.", dir=folder) as beside:
            _fetch_with_maven(missing, Path(beside))
            for package in missing:
                _check(package, Path(beside) / package.file)
                os.replace(Path(beside) / package.file, folder / package.file)
    return {package.id: folder / package.file for package in packages}


def _fetch_with_maven(packages: Iterable[Package], folder: Path) -> None:
    project = folder / "pom.xml"
    items = "".join(
        f"<artifactItem><groupId>{escape(package.group)}</groupId>"
        f"<artifactId>{escape(package.name)}</artifactId>"
        f"<version>{escape(package.version)}</version><type>{package.type}</type></artifactItem>"
        for package in packages
    )
    project.write_text(_MAVEN_PROJECT.format(folder=folder, items=items))
    repository = f"-Dmaven.repo.local={folder / 'repository'}"
    command = ["mvn", "-B", repository, "-f", str(project), "dependency:copy"]
    lines: list[str] = []
    wanted = {package.file for package in packages}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as maven:
        assert maven.stdout
        for line in maven.stdout:
            lines.append(line.strip())
            found = re.search(r"Downloaded.*/(\S+) \((.+) at", line)
            if found and found[1] in wanted:
                print(f"  {found[1]}  {found[2]}", flush=True)
    shutil.rmtree(folder / "repository", ignore_errors=True)
    if maven.returncode:
        error = next((line for line in lines if "[ERROR]" in line), "no message")
        raise UserError(f"the packages could not be downloaded; is there a network? {error}")


def _check(package: Package, file: Path) -> None:
    found = sha256(file.read_bytes())
    if found != package.sha256:
        raise UserError(
            f"{package.file}: its SHA-256 is {found}; versions.toml expects {package.sha256}"
        )
