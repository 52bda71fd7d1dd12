"""The table of what the compiler makes of the kernels: how it counts, and that it is up to date."""

import pytest

pytest.importorskip("numba", reason="Numba is not installed")
pytest.importorskip("benchmarks", reason="the benchmarks come with a checkout")

from benchmarks import cuda_kernels, report
from benchmarks.cuda_kernels import MACHINES, Loop, hottest_loop, occupancy

pytestmark = pytest.mark.cuda

PTX = """
.visible .entry kernel(.param .u64 a)
{
    .reg .f32 %f<9>;
    mov.u32 %r1, 0;
$L__outer:
    add.s32 %r1, %r1, 1;
$L__hot:
    fma.rn.f32 %f1, %f2, %f3, %f1;
    fma.rn.f32 %f4, %f2, %f3, %f4;
    setp.lt.s32 %p1, %r1, 5;
    @%p1 bra $L__hot;
    @%p2 bra $L__outer;
$L__long:
    ld.global.f32 %f2, [%rd1];
    add.s32 %r1, %r1, 1;
    add.s32 %r2, %r1, 1;
    add.s32 %r3, %r1, 1;
    setp.lt.s32 %p1, %r1, 5;
    @!%p1 bra $L__end;
    bra.uni $L__long;
$L__end:
    ret;
}
"""


def test_the_hottest_loop_is_the_inner_one_with_most_multiply_adds():
    assert hottest_loop(PTX) == Loop(instructions=4, multiply_adds=2)
    assert hottest_loop(PTX.replace("fma.rn.f32", "add.f32")) == Loop(7, 0)
    assert hottest_loop(PTX.replace("bra", "call")) is None


@pytest.mark.parametrize(
    ("registers", "threads", "shared", "share"),
    [
        (32, 256, 0, 1.0),
        (33, 256, 0, 6 * 256 / 2048),  # 40 registers are given: 65536 // (40 * 256) blocks
        (255, 256, 0, 256 / 2048),
        (16, 32, 0, 32 * 32 / 2048),  # no more blocks than 32
        (16, 256, 48 * 1024, 3 * 256 / 2048),  # 49 KiB each of 164
    ],
)
def test_the_scarcest_of_all_limits_decides_how_many_threads_there_is_room_for(
    registers, threads, shared, share
):
    assert occupancy(registers, threads, shared, MACHINES["sm_80"]) == share


def test_the_stored_table_has_every_kernel():
    import ketkar.kernels.cuda  # noqa: F401
    from ketkar.kernels.cuda.kernel import KERNELS
    from ketkar.kernels.cuda.offline import CAPABILITIES

    found = report.stored("cuda_kernels")
    if found is None:
        pytest.skip("no table is stored in this copy of the repository")
    wanted = {
        (kernel.name, dtype, f"sm_{major}{minor}")
        for kernel in KERNELS
        if kernel.source.__module__.startswith("ketkar.")
        for dtype in ("float32", "float64")
        for major, minor in CAPABILITIES
    }
    stored = {(r["kernel"], r["dtype"], r["capability"]) for r in found["cuda_kernels"]}
    assert stored == wanted, "run python -m benchmarks.cuda_kernels --json FILE again"
    assert len(cuda_kernels.table(found, "float32", "sm_90")) == 1 + len(wanted) // 8
