"""Signs an APK with a key that is made once per machine, or with your own."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from android_demo.programs import call
from pocket_bokeh.errors import UserError

_NAME = "pocket-bokeh"
_OPEN_PASSWORD = "pocket-bokeh"
"""Password of the machine's key. It is no secret: the key proves no identity, it only lets this
machine's builds replace each other on a phone."""


@dataclass(frozen=True)
class SigningKey:
    """A key in a keystore; `password` as apksigner takes it: `pass:…`, `env:…` or `file:…`."""

    keystore: Path
    alias: str | None
    password: str


def machine_key() -> SigningKey:
    """This machine's key, outside the repository; created if it is missing."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    keystore = data / "pocket-bokeh" / "signing.p12"
    if not keystore.is_file():
        _make_key(keystore)
    return SigningKey(keystore, _NAME, f"pass:{_OPEN_PASSWORD}")


def own_key(keystore: Path) -> SigningKey:
    """Your own key; its password is in the environment variable KEYSTORE_PASSWORD.

    Raises:
        UserError: the file or the variable is missing.
    """
    if not keystore.is_file():
        raise UserError(f"{keystore}: no such keystore")
    if "KEYSTORE_PASSWORD" not in os.environ:
        raise UserError(f"{keystore}: set KEYSTORE_PASSWORD to its password")
    return SigningKey(keystore, None, "env:KEYSTORE_PASSWORD")


def sign(unsigned: Path, signed: Path, key: SigningKey, min_sdk: int) -> None:
    """Writes the signed APK, whole or not at all.

    Raises:
        UserError: the keystore or its password is wrong.
    """
    alias = ["--ks-key-alias", key.alias] if key.alias else []
    with tempfile.TemporaryDirectory(prefix=f".{signed.name}.", dir=signed.parent) as folder:
        beside = Path(folder) / "signed.apk"
        call(
            [
                *("apksigner", "sign", "--ks", key.keystore, "--ks-pass", key.password, *alias),
                *("--min-sdk-version", str(min_sdk), "--v1-signing-enabled", "false"),
                *("--v2-signing-enabled", "true", "--v3-signing-enabled", "true"),
                *("--v4-signing-enabled", "false", "--out", beside, unsigned),
            ]
        )
        os.replace(beside, signed)


def _make_key(keystore: Path) -> None:
    keystore.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".key.", dir=keystore.parent))
    try:
        call(
            [
                *("keytool", "-genkeypair", "-keystore", beside / "key.p12", "-alias", _NAME),
                *("-storetype", "PKCS12", "-storepass", _OPEN_PASSWORD, "-keyalg", "RSA"),
                *("-keysize", "3072", "-validity", "20000", "-dname", "CN=Pocket Bokeh"),
            ]
        )
        (beside / "key.p12").chmod(0o600)
        os.replace(beside / "key.p12", keystore)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
