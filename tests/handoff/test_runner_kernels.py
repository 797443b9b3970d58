"""Which of OpenBLAS's kernels the processes are told to take."""

from __future__ import annotations

from pathlib import Path

import pytest

from handoff.runner import environment


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [
        ("fpu sse2 avx2 fma", {"OPENBLAS_CORETYPE": "Haswell"}),
        ("fma avx2 avx512f avx512bw avx512cd avx512dq avx512vl", {"OPENBLAS_CORETYPE": "SkylakeX"}),
        ("fpu sse2", {}),
        (None, {}),
    ],
)
def test_what_the_processor_is_capable_of(
    flags: str | None, kernels: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processors = tmp_path / "cpuinfo"
    if flags is not None:
        processors.write_text(f"flags : {flags}\n", encoding="utf-8")
    monkeypatch.setattr(environment, "PROCESSORS", processors)
    told = environment.defaults({})
    assert {name: value for name, value in told.items() if name == "OPENBLAS_CORETYPE"} == kernels
    assert environment.defaults({"OPENBLAS_CORETYPE": "Zen"})["OPENBLAS_CORETYPE"] == "Zen"
