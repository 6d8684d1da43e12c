"""Every setting in the Gradle file exists in the Android plugin that it names.

Gradle itself cannot be had from Maven Central, but the plugin's own interfaces can: they are what a
build file is compiled against.
"""

import re
import zipfile
from dataclasses import dataclass, field

import pytest

from android_demo.maven import fetch
from android_demo.programs import call
from android_demo.versions import APP_FOLDER, read_packages

BUILD_FILE = (APP_FOLDER / "app" / "build.gradle.kts").read_text()
EXTENSION = "com.android.build.api.dsl.ApplicationExtension"


@dataclass
class Interface:
    """Of a block in a build file.

    Attributes:
        parents: names of the interfaces it extends.
        getters: types of the properties by name.
        setters: names of the properties that can be set.
        blocks: names of the interfaces of inner blocks by name.
    """

    parents: list[str] = field(default_factory=list)
    getters: dict[str, str] = field(default_factory=dict)
    setters: set[str] = field(default_factory=set)
    blocks: dict[str, str] = field(default_factory=dict)


def _property(name: str) -> str:
    return name[0].lower() + name[1:]


@pytest.fixture(scope="session")
def plugin(java: None) -> dict[str, Interface]:
    """The interfaces of the Android plugin by name, with what they inherit."""
    jar = fetch("gradle")["com.android.tools.build:gradle-api"]
    with zipfile.ZipFile(jar) as opened:
        names = [name for name in opened.namelist() if name.endswith(".class")]
    classes = [name[:-6].replace("/", ".") for name in names if "/api/dsl/" in name]
    found: dict[str, Interface] = {}
    for line in call(["javap", "-cp", jar, *classes]).splitlines():
        if opened_type := re.search(r"interface ([\w.]+)(?:<.*?>)?(?: extends (.*))? \{", line):
            current = found[opened_type[1]] = Interface()
            current.parents = re.findall(r"com\.android[\w.]+", opened_type[2] or "")
        elif getter := re.search(r"([\w.]+)(?:<.*>)? get(\w+)\(\)", line):
            current.getters[_property(getter[2])] = getter[1]
        elif setter := re.search(r"void set(\w+)\(", line):
            current.setters.add(_property(setter[1]))
        elif block := re.search(r"void (\w+)\(kotlin\S+Function1<\? super ([\w.]+),", line):
            current.blocks[block[1]] = block[2]
    return {name: _with_inherited(name, found) for name in found}


def _with_inherited(name: str, found: dict[str, Interface]) -> Interface:
    own, whole = found[name], Interface()
    for parent in own.parents:
        if parent in found:
            inherited = _with_inherited(parent, found)
            whole.getters |= inherited.getters
            whole.setters |= inherited.setters
            whole.blocks |= inherited.blocks
    whole.getters |= own.getters
    whole.setters |= own.setters
    whole.blocks |= own.blocks
    return whole


def unknown_settings(build_file: str, plugin: dict[str, Interface]) -> list[str]:
    """The lines of the block `android` that the plugin does not understand."""
    (android,) = re.findall(r"^android \{\n(.*?)^\}", build_file, re.DOTALL | re.MULTILINE)
    unknown: list[str] = []
    within = [EXTENSION]
    for line in filter(None, map(str.strip, android.splitlines())):
        if line == "}":
            within.pop()
        elif line.endswith("{"):
            inner = plugin[within[-1]].blocks.get(line[:-1].strip())
            if inner is None:
                return [*unknown, line]
            within.append(inner)
        elif not _is_known(line, within[-1], plugin):
            unknown.append(line)
    return unknown


def _is_known(line: str, interface: str, plugin: dict[str, Interface]) -> bool:
    """Whether an assignment such as `jniLibs.useLegacyPackaging = true` is understood."""
    path, operator = re.match(r"([\w.]+) (\+?=) ", line).groups()  # type: ignore[union-attr]
    *through, name = path.split(".")
    for step in through:
        interface = plugin[interface].getters.get(step, "")
        if interface not in plugin:
            return False
    known = plugin[interface]
    return name in (known.setters if operator == "=" else known.getters)


def test_the_plugin_understands_every_setting(plugin: dict[str, Interface]) -> None:
    assert unknown_settings(BUILD_FILE, plugin) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("minSdk = 26", "minSDK = 26"),
        ("jniLibs.useLegacyPackaging = true", "jni.useLegacyPackaging = true"),
        ("abiFilters +=", "abiFilters ="),
        ("defaultConfig {", "defaults {"),
    ],
)
def test_a_setting_that_does_not_exist_is_found(
    plugin: dict[str, Interface], right: str, wrong: str
) -> None:
    assert right in BUILD_FILE
    (found,) = unknown_settings(BUILD_FILE.replace(right, wrong), plugin)
    assert found.startswith(wrong)


def test_the_plugin_is_the_one_that_gradle_would_take() -> None:
    root = (APP_FOLDER / "build.gradle.kts").read_text()
    (package,) = read_packages("gradle")
    assert f'id("com.android.application") version "{package.version}"' in root
