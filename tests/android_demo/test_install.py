"""Installing with one phone, none and too many; a script replaces adb."""

from pathlib import Path

import pytest

from android_demo.install import install, the_phone
from android_demo.phone_report import fetch_proof
from pocket_bokeh.errors import UserError


def play_adb(commands: Path, script: str) -> None:
    (commands / "adb").write_text(f'#!/bin/sh\ncase "$*" in\n{script}\nesac\n')
    (commands / "adb").chmod(0o755)


def devices(*lines: str) -> str:
    return (
        'devices) printf "List of devices attached\\n' + "".join(f"{x}\\n" for x in lines) + '";;'
    )


def test_a_missing_adb_is_reported_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install adb"):
        the_phone()


def test_no_phone_and_too_many_are_reported(commands: Path) -> None:
    play_adb(commands, devices())
    with pytest.raises(UserError, match="no phone is connected"):
        the_phone()
    play_adb(commands, devices("one\\tdevice", "two\\tdevice"))
    with pytest.raises(UserError, match=r"2 phones are connected \(one, two\)"):
        the_phone()
    play_adb(commands, devices("one\\tunauthorized"))
    with pytest.raises(UserError, match="allow this computer"):
        the_phone()


def test_it_is_installed(commands: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    play_adb(commands, devices("one\\tdevice") + "\n*install*) echo Success;;")
    install(tmp_path / "app.apk")
    assert "installed on one" in capsys.readouterr().out


def test_an_app_signed_with_another_key_is_reported(commands: Path, tmp_path: Path) -> None:
    failure = "Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE]"
    play_adb(commands, devices("one\\tdevice") + f'\n*install*) echo "{failure}"; exit 1;;')
    with pytest.raises(UserError, match="remove it first"):
        install(tmp_path / "app.apk")


def test_the_proof_is_started_and_fetched(commands: Path, tmp_path: Path) -> None:
    play_adb(
        commands,
        devices("one\\tdevice")
        + """
*"pm list"*) echo package:app.pocketbokeh;;
*"am start"*) touch "$(dirname "$0")/asked";;
*"ls "*) [ -e "$(dirname "$0")/asked" ] && echo /sdcard/proof.json;;
*pull*) for to; do :; done; echo '{}' > "$to";;""",
    )
    assert fetch_proof(tmp_path / "proof.json").read_text() == "{}\n"


def test_a_missing_app_is_reported_with_how_to_install_it(commands: Path, tmp_path: Path) -> None:
    play_adb(commands, devices("one\\tdevice") + '\n*"pm list"*) ;;')
    with pytest.raises(UserError, match=r"android_demo\.build --install"):
        fetch_proof(tmp_path / "proof.json")
