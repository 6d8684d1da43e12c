"""Which processors compute in bfloat16."""

from pathlib import Path

from train.network.precision import has_bfloat16_instructions


def test_the_processors_flags_say_whether_bfloat16_may_pay(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    assert not has_bfloat16_instructions(file)
    file.write_text("model name\t: Some CPU\nflags\t\t: fpu avx512f avx512_vnni\n")
    assert not has_bfloat16_instructions(file)
    file.write_text("flags\t\t: fpu avx512f avx512_bf16 amx_tile\n")
    assert has_bfloat16_instructions(file)
