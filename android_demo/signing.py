"""Signs an APK with a key that is made once per machine, or with one's own."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from android_demo.programs import call
from pocket_bokeh.errors import UserError

_NAME = "pocket-bokeh"
_OPEN_PASSWORD = "pocket-bokeh"
"""Of the machine's own key, which proves no identity: it lets this machine's builds replace each
other on a phone."""


@dataclass(frozen=True)
class SigningKey:
    """A key in a keystore; the password is read by apksigner: `pass:…`, `env:…`, `file:…`."""

    keystore: Path
    alias: str | None
    password: str


def machine_key() -> SigningKey:
    """This machine's key, made if need be, outside the repository."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    keystore = data / "pocket-bokeh" / "signing.p12"
    if not keystore.is_file():
        _make_key(keystore)
    return SigningKey(keystore, _NAME, f"pass:{_OPEN_PASSWORD}")


def own_key(keystore: Path) -> SigningKey:
    """One's own key, its password in the environment variable KEYSTORE_PASSWORD.

    Raises:
        UserError: there is no such file or no password.
    """
    if not keystore.is_file():
        raise UserError(f"{keystore}: no such keystore")
    if "KEYSTORE_PASSWORD" not in os.environ:
        raise UserError(f"{keystore}: set KEYSTORE_PASSWORD to its password")
    return SigningKey(keystore, None, "env:KEYSTORE_PASSWORD")


def sign(unsigned: Path, signed: Path, key: SigningKey, min_sdk: int) -> None:
    """Writes the signed package, whole or not at all.

    Raises:
        UserError: the keystore or its password is not right.
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
