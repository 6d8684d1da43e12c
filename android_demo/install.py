"""Puts the app on a phone with adb."""

import subprocess
from pathlib import Path

from android_demo.programs import call, require
from pocket_bokeh.errors import UserError


def connected_phones() -> list[str]:
    """The serial numbers of the phones that adb sees and may talk to.

    Raises:
        UserError: adb is missing, or a phone has not allowed this computer yet.
    """
    require("adb")
    lines = [line.split() for line in call(["adb", "devices"]).splitlines()[1:] if line.strip()]
    shy = [serial for serial, state, *_ in lines if state != "device"]
    if shy:
        raise UserError(f"the phone {shy[0]} does not answer; allow this computer on its screen")
    return [serial for serial, *_ in lines]


def the_phone() -> str:
    """The serial number of the one phone that is connected.

    Raises:
        UserError: there is none, or more than one.
    """
    phones = connected_phones()
    if not phones:
        raise UserError(
            "no phone is connected; turn on USB debugging in its developer options, plug it in, "
            "and see that `adb devices` lists it"
        )
    if len(phones) > 1:
        raise UserError(f"{len(phones)} phones are connected ({', '.join(phones)}); leave one")
    return phones[0]


def install(package: Path) -> None:
    """Installs or updates the app.

    Raises:
        UserError: no phone, or it refuses, such as an app signed by another machine.
    """
    phone = the_phone()
    ended = subprocess.run(
        ["adb", "-s", phone, "install", "-r", str(package)], capture_output=True, text=True
    )
    said = (ended.stdout + ended.stderr).strip()
    if ended.returncode or "Success" not in said:
        last = said.splitlines()[-1] if said else "no message"
        hint = ""
        if "UPDATE_INCOMPATIBLE" in said:
            hint = "; it has one signed by another machine: remove that first"
        raise UserError(f"{phone} refused {package.name}: {last}{hint}")
    print(f"{package}: on the phone {phone}")
