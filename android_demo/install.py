"""Installs the app on a phone with adb."""

import subprocess
from pathlib import Path

from android_demo.programs import call, require
from pocket_bokeh.errors import UserError


def connected_phones() -> list[str]:
    """The serial numbers of the connected phones.

    Raises:
        UserError: adb is missing, or a phone has not authorized this computer.
    """
    require("adb")
    lines = [line.split() for line in call(["adb", "devices"]).splitlines()[1:] if line.strip()]
    unauthorized = [serial for serial, state, *_ in lines if state != "device"]
    if unauthorized:
        raise UserError(f"{unauthorized[0]} does not answer; allow this computer on its screen")
    return [serial for serial, *_ in lines]


def the_phone() -> str:
    """The serial number of the only connected phone.

    Raises:
        UserError: there is none, or more than one.
    """
    phones = connected_phones()
    if not phones:
        raise UserError(
            "no phone is connected; turn on USB debugging in its developer options, plug it in, "
            "and check that `adb devices` lists it"
        )
    if len(phones) > 1:
        raise UserError(
            f"{len(phones)} phones are connected ({', '.join(phones)}); unplug all but one"
        )
    return phones[0]


def install(package: Path) -> None:
    """Installs or updates the app.

    Raises:
        UserError: there is no phone, or it refuses the app, for example because the installed one
            was signed with another key.
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
            hint = "; the installed app was signed with another key: remove it first"
        raise UserError(f"{phone} refused {package.name}: {last}{hint}")
    print(f"{package}: installed on {phone}")
