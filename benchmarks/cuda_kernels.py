"""What the compiler makes of every CUDA kernel: ``python -m benchmarks.cuda_kernels --json FILE``.

Nothing is timed, and no GPU is needed: numba-cuda writes PTX, the language of no GPU in particular,
and nvJitLink makes machine code of it for several generations and says what a thread takes. Kept as
``benchmarks/results/cuda_kernels.json``, the book shows it.

Instructions are counted in PTX, in the whole kernel and in its hottest loop, the innermost one with
most multiply-adds. Machine code has about as many.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import report

Result = dict[str, Any]


class Machine(NamedTuple):
    """What one multiprocessor of a generation has for the blocks on it."""

    name: str
    threads: int
    blocks: int
    shared: int
    """In bytes."""
    kept: int
    """Of it by the system, for each block; on Hopper the linker's number has it already."""
    registers: int = 65536


MACHINES = {
    "sm_75": Machine("Turing", 1024, 16, 64 * 1024, 0),
    "sm_80": Machine("Ampere", 2048, 32, 164 * 1024, 1024),
    "sm_89": Machine("Ada", 1536, 24, 100 * 1024, 1024),
    "sm_90": Machine("Hopper", 2048, 32, 228 * 1024, 0),
}


def occupancy(registers: int, threads: int, shared: int, machine: Machine) -> float:
    """The share of a multiprocessor's threads that there is room for, if only these limits count.

    Registers are given to a warp, 32 threads, eight to each at a time.
    """
    warps = -(-threads // 32)
    of_a_block = warps * 32 * (-(-registers // 8) * 8)
    blocks = min(
        machine.blocks,
        machine.threads // (warps * 32),
        machine.registers // of_a_block,
        machine.shared // max(1, shared + machine.kept),
    )
    return blocks * threads / machine.threads


class Loop(NamedTuple):
    """A loop of a kernel, in instructions."""

    instructions: int
    multiply_adds: int


def instructions(ptx: str) -> list[str]:
    """The instructions and the labels of a kernel, one after the other."""
    body = ptx.split("{", 1)[1]
    lines = (line.strip() for line in body.splitlines())
    return [
        line.rstrip(";")
        for line in lines
        if line.endswith(":") or (line.endswith(";") and not line.startswith("."))
    ]


def hottest_loop(ptx: str) -> Loop | None:
    """The innermost loop with most multiply-adds; None if there is no loop."""
    lines = instructions(ptx)
    labels = {line[:-1]: k for k, line in enumerate(lines) if line.endswith(":")}
    jumps = [(k, re.search(r"\bbra(?:\.uni)?\s+(\S+)$", line)) for k, line in enumerate(lines)]
    loops = [
        (labels[jump.group(1)], k) for k, jump in jumps if jump and labels.get(jump.group(1), k) < k
    ]
    inner = [
        (first, last)
        for first, last in loops
        if not any(first <= a and b <= last and (a, b) != (first, last) for a, b in loops)
    ]
    found = [
        Loop(
            sum(not line.endswith(":") for line in lines[first : last + 1]),
            sum(" fma.rn" in f" {line}" for line in lines[first : last + 1]),
        )
        for first, last in inner
    ]
    return max(found, key=lambda loop: (loop.multiply_adds, loop.instructions), default=None)


def examine(kernel: Any, dtype: Any, capability: tuple[int, int]) -> Result:
    """What the compiler makes of one kernel, for one type and one generation."""
    from ketkar.kernels.cuda import offline

    made = offline.compiled(kernel, dtype, capability)
    found = made._asdict()
    ptx = found.pop("ptx")
    found["instructions"] = sum(not line.endswith(":") for line in instructions(ptx))
    loop = hottest_loop(ptx)
    found["loop"] = None if loop is None else loop._asdict()
    fits = made.registers, made.threads, made.shared, MACHINES[made.capability]
    return found | {"occupancy": occupancy(*fits)}


HEAD = (
    f"{'kernel':24} {'registers':>9} {'threads':>8} {'shared B':>9} {'instr.':>7} "
    f"{'of the loop':>12} {'room for':>9}"
)


def line(result: Result) -> str:
    """A kernel as a line of the table."""
    loop = result["loop"]
    hot = ""
    if loop and loop["multiply_adds"]:
        hot = f"{loop['multiply_adds']} of {loop['instructions']}"
    spilled = "  SPILLS" if result["stack"] or result["spilled"] else ""
    return (
        f"{result['kernel']:24} {result['registers']:9} {result['threads']:8} "
        f"{result['shared']:9} {result['instructions']:7} {hot:>12} "
        f"{result['occupancy']:9.0%}{spilled}"
    )


def table(found: Result, dtype: str, capability: str) -> list[str]:
    """The kernels of a report, for one type and one generation."""
    wanted = dtype, capability
    chosen = (r for r in found["cuda_kernels"] if (r["dtype"], r["capability"]) == wanted)
    return [HEAD, *map(line, chosen)]


def made(found: Result | None) -> list[str]:
    """Lines that say when and with what a report was made: no GPU had a part in it."""
    if found is None:
        return report.measured(None)
    kept = ("python", "ketkar", "numba", "numba-cuda", "nvJitLink")
    with_what = (f"{name} {found['versions'][name]}" for name in kept if name in found["versions"])
    return [f"compiled on {found['machine']['date']} with {', '.join(with_what)}"]


def versions() -> dict[str, str]:
    """Of what compiled the kernels."""
    from cuda.bindings import nvjitlink

    linker = ".".join(map(str, nvjitlink.version()))
    return report.versions(("numba-cuda",)) | {"nvJitLink": linker}


def run(names: Sequence[str]) -> Result:
    """Compile the kernels with one of these in their names, and print a table; give the report."""
    import ketkar.kernels.cuda  # noqa: F401  # defines all kernels
    from ketkar.kernels.cuda import offline
    from ketkar.kernels.cuda.kernel import KERNELS

    results: list[Result] = []
    chosen = [kernel for kernel in KERNELS if any(name in kernel.name for name in names)]
    for dtype in (np.float32, np.float64):
        for capability in offline.CAPABILITIES:
            print(f"\n{np.dtype(dtype).name}, sm_{capability[0]}{capability[1]}\n{HEAD}")
            for kernel in chosen:
                results.append(examine(kernel, dtype, capability))
                print(line(results[-1]), flush=True)
    return {
        "machine": report.machine([]),
        "versions": versions(),
        "cuda_kernels": results,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda_kernels")
    parser.add_argument("--only", action="append", metavar="NAME", help="kernels so named")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    arguments = parser.parse_args()
    found = run(arguments.only or [""])
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
