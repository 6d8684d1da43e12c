"""What the compilers print is understood; the printed lines here were written for these tests."""

import pytest

from quantize.compilers.arm import failure, parse_layers, parse_summary
from quantize.compilers.arm import refusals as arm_refusals
from quantize.compilers.installation import _cause
from quantize.compilers.litert_plugin import QUALCOMM, compiler_version, memory_traffic
from quantize.compilers.litert_plugin import refusals as qualcomm_refusals
from quantize.compilers.process import complaint
from quantize.compilers.report import Compiled, figures_text, results_table
from quantize.compilers.rockchip import failure as rockchip_failure


def test_velas_summary_and_layers_become_figures() -> None:
    summary = {
        "inference_time": "0.0125",
        "nn_macs": "2000000000",
        "sram_memory_used": "384.0",
        "dram_memory_used": "0.0",
        "off_chip_flash_memory_used": "1024.0",
        "dram_total_bytes": "0",
        "off_chip_flash_total_bytes": "3000000",
    }
    figures = parse_summary(summary)
    assert figures_text(figures) == (
        "12.5 ms, 2.00 G multiply-adds, 0.39 MB SRAM, 1.05 MB flash, 3.00 MB traffic"
    )
    layers = [
        {"Original Operator": "Conv2D", "Name": "head;more;names", "Network% (cycles)": "10.5"},
        {"Original Operator": "AvgPool", "Name": "mean", "Network% (cycles)": "30"},
        {"Original Operator": "Conv2D", "Name": "head;other", "Network% (cycles)": "2"},
    ]
    assert parse_layers(layers) == {"AvgPool mean": 30.0, "Conv2D head": 12.5}


def test_velas_refusals_are_counted_and_its_failure_fits_a_line() -> None:
    lines = ["Reason: tensor with unsupported DataType Float32 (some/layer)"] * 3 + ["Reason: x"]
    assert arm_refusals(lines) == "3 × tensor with unsupported DataType Float32; 1 × x"
    failed = [
        "Traceback (most recent call last):",
        "RuntimeError: Compilation failed: Error: CONV_2D 'layer/Relu;layer/BiasAdd",
        " - Scales must be finite",
        "   (scale)=inf",
    ]
    assert failure(failed) == "CONV_2D 'layer/Relu': Scales must be finite: (scale)=inf"
    assert failure(["something else"]) == ""


def test_rockchips_reason_is_found_among_its_advice() -> None:
    lines = [
        "I rknn-toolkit2 version: 2.5.0",
        "\x1b[1;31mE\x1b[0m \x1b[1;31mbuild: Traceback (most recent call last):",
        "ValueError: this type is unknown",
        "\x1b[1;31mE If the error still exists, please collect the logs\x1b[0m",
    ]
    assert rockchip_failure(lines) == "ValueError: this type is unknown"
    assert rockchip_failure(lines[:1]) == ""


def test_qualcomms_log_tells_traffic_version_and_refused_operators() -> None:
    lines = [
        "INFO: [x.cc:1] Applying plugin with SDK version: v2.51.0.1",
        "     0.0ms [  INFO ]  spill_bytes=100",
        "     0.0ms [  INFO ]  write_total_bytes=1000",
        "     0.0ms [  INFO ]  read_total_bytes=2000",
        "     0.0ms [  INFO ]  spill_bytes=11",
        "bits of a line   <E> No such types for the HTP Op 'PoolAvg2d' in the node 'P_1'. And",
        "     0.0ms [ ERROR ]   <E> No such types for the HTP Op 'PoolAvg2d' in the node 'P_2'.",
        "     0.0ms [ ERROR ]   <E> [1] has incorrect Rank 5.",
    ]
    assert memory_traffic(lines) == {
        "spilled_bytes": 111.0,
        "written_bytes": 1000.0,
        "read_bytes": 2000.0,
    }
    assert compiler_version(QUALCOMM, lines) == "Qualcomm SDK 2.51.0.1"
    assert compiler_version(QUALCOMM, []) == "Qualcomm SDK"
    assert qualcomm_refusals(lines) == "PoolAvg2d: No such types; a tensor of 5 dimensions"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ERROR: bad chip", "INFO: bye", ""], "ERROR: bad chip"),
        (
            ["ERROR: [a.cc:1] Unexpected SoC", "ERROR: [b.cc:2] ERROR: [c.cc:3]"],
            "ERROR: [a.cc:1] Unexpected SoC",
        ),
        (["only this"], "only this"),
        ([], "no message"),
    ],
)
def test_the_telling_line_of_a_failure_is_found(lines: list[str], expected: str) -> None:
    assert complaint(lines) == expected


def test_a_package_that_cannot_be_built_or_fetched_is_explained_in_one_line() -> None:
    built = (
        "  × Failed to build `x`\n  ├─▶ backend\n      ERROR: Failed to download SDK: no network"
    )
    assert _cause(built) == "Failed to download SDK: no network"
    fetched = "error: No solution found\n  cause: x was not found\nhint: try"
    assert _cause(fetched) == "error: No solution found: cause: x was not found"
    assert _cause("") == "no message"


def test_the_table_says_what_is_left_to_the_cpu() -> None:
    result = Compiled(
        "int8.tflite",
        "qualcomm:SM8750",
        "partly",
        "PoolAvg2d: no such types",
        operators=10,
        taken=9,
        refused={"AVERAGE_POOL_2D": 1},
        partitions=2,
        bytes=1_500_000,
    )
    line = results_table([result]).splitlines()[1]
    assert "partly        9 / 10     2   1.50" in line
    assert line.endswith("left to the CPU: 1 × AVERAGE_POOL_2D; PoolAvg2d: no such types")
    assert "seconds" not in result.for_bundle()
