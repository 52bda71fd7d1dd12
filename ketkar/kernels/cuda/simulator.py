"""A GPU of one thread at a time: kernels rewritten for Numba's own compiler.

A kernel's source becomes that of a generator: `cuda.syncthreads()` is `yield`, a thread's numbers
are arguments, memory shared by the block is one array handed to all of its threads. Numba compiles
it for the processor, under the same rules for the types of numbers as for the GPU. What the block
shares, and what a thread keeps for itself, is filled with NaN before it starts; every index is
checked.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ketkar.kernels.simulation import Simulation

__all__ = ["BarrierError", "SimulatedArray", "poisoned", "run"]

_NUMBERS = {"threadIdx": "thread_", "blockIdx": "block_", "blockDim": "size_", "gridDim": "grid_"}


class BarrierError(RuntimeError):
    """Some threads of a block wait at a barrier that the others never reach."""


class _Rewritten(NamedTuple):
    run: Callable[..., Any]  # a generator function where there are barriers, else a loop over all
    shared: tuple[tuple[Any, Any], ...]  # shape and type of each shared array
    waits: bool


def run(
    source: Callable[..., None],
    blocks: int | tuple[int, ...],
    threads: tuple[int, ...],
    values: list[Any],
    wanted: Simulation,
) -> None:
    """Run all blocks of a kernel, one after the other."""
    grid, size = _three(blocks), _three(threads)
    kernel = _rewritten(source)
    arrays = [value.memory if isinstance(value, SimulatedArray) else value for value in values]
    rng = np.random.default_rng(wanted.seed)
    turn = functools.partial(_turn, order=wanted.order, rng=rng)
    everyone = np.array(list(itertools.product(*map(range, size[::-1]))))[:, ::-1].astype(np.int32)
    for place in turn(np.array(list(itertools.product(*map(range, grid[::-1]))))[:, ::-1]):
        block = tuple(np.int32(k) for k in place)
        shared = [poisoned(shape, kind) for shape, kind in kernel.shared]
        if kernel.waits:
            members = [
                kernel.run(*arrays, tuple(thread), block, size, grid, *shared)
                for thread in everyone
            ]
            _take_turns(members, turn)
        else:
            kernel.run(turn(everyone), tuple(arrays), block, size, grid, tuple(shared))


def _take_turns(members: list[Any], turn: Callable[[Any], Any]) -> None:
    waiting = list(members)
    while waiting:
        still = [k for k in turn(np.arange(len(waiting))) if next(waiting[k], None) is not None]
        if len(still) not in (0, len(waiting)):
            raise BarrierError(
                f"{len(still)} of {len(waiting)} threads of a block wait at a barrier that the "
                "others do not reach"
            )
        waiting = [waiting[k] for k in sorted(still)]


def _turn(items: Any, order: str, rng: np.random.Generator) -> Any:
    if order == "reverse":
        return items[::-1].copy()  # in memory as the others are: compiled once for all orders
    return rng.permutation(items) if order == "random" else items


def _three(sizes: int | tuple[int, ...]) -> tuple[Any, Any, Any]:
    given = sizes if isinstance(sizes, tuple) else (sizes,)
    x, y, z = (np.int32(k) for k in (*given, 1, 1)[:3])
    return x, y, z


def poisoned(shape: Any, kind: Any) -> np.ndarray[Any, Any]:
    """Memory in which what is read before it is written shows."""
    array = np.empty(shape, kind)
    array.view(np.uint8).fill(0xFF)  # NaN in numbers with a point, -1 or the largest in whole ones
    return array


@functools.lru_cache(maxsize=256)
def _rewritten(source: Callable[..., None]) -> _Rewritten:
    names = dict(source.__globals__)
    cells = source.__closure__ or ()
    names.update(
        (name, cell.cell_contents)
        for name, cell in zip(source.__code__.co_freevars, cells, strict=True)
    )
    for name, value in list(names.items()):
        if name != "cuda" and hasattr(value, "py_func") and callable(value):
            names[name] = _part(value.py_func)  # a device function
    names["np"] = np
    names["poisoned_"] = _poisoned_inside
    tree = _read(source)
    rewriter = _Rewriter(names)
    rewriter.visit(tree)
    function: Any = tree.body[0]
    function.decorator_list = []
    shared = [f"shared{k}_" for k in range(len(rewriter.shared))]
    function.args.args += [ast.arg(name) for name in (*_NUMBERS.values(), *shared)]
    ast.fix_missing_locations(tree)
    exec(compile(tree, f"<{function.name}, simulated>", "exec"), names)
    body = names[function.name]
    if rewriter.waits:
        body = njit(body, boundscheck=True, error_model="numpy")
        return _Rewritten(body, tuple(rewriter.shared), True)
    return _Rewritten(_loop(_part(body)), tuple(rewriter.shared), False)


def _read(source: Callable[..., None]) -> ast.Module:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(source)))
    except (OSError, SyntaxError):
        tree = ast.Module([], [])
    if not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        raise ValueError(
            f"the source of the kernel's {source.__name__} cannot be read, which is needed to "
            "simulate it; write it as a def in a file or in a cell of a notebook"
        )
    return tree


@functools.cache
def _part(function: Callable[..., Any]) -> Callable[..., Any]:
    """What compiled code calls, and Python does not: without a door for Python, it takes less time.

    A device function is so compiled once for all the kernels that call it.
    """
    doors = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    part: Callable[..., Any] = njit(function, boundscheck=True, error_model="numpy", **doors)
    return part


def _loop(body: Callable[..., None]) -> Callable[..., None]:
    """All threads of a block, where none waits for another."""

    @njit
    def everyone(threads, values, block, size, grid, memory):  # type: ignore[no-untyped-def]
        for k in range(len(threads)):
            thread = (threads[k, 0], threads[k, 1], threads[k, 2])
            body(*values, thread, block, size, grid, *memory)

    return everyone


@njit
def _poisoned_inside(shape, kind):  # type: ignore[no-untyped-def]
    array = np.empty(shape, kind)
    array.view(np.uint8)[...] = 0xFF
    return array


class _Rewriter(ast.NodeTransformer):
    """What is said of `cuda` in a kernel, said of the arguments that the simulator passes."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.shared: list[tuple[Any, Any]] = []
        self.waits = False

    def value(self, node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), "<a shape>", "eval"), self.names)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        inner = node.value
        if isinstance(inner, ast.Attribute) and ast.unparse(inner.value) == "cuda":
            index = ast.Constant("xyz".index(node.attr))
            return ast.Subscript(ast.Name(_NUMBERS[inner.attr], ast.Load()), index, node.ctx)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        if ast.unparse(node.value) == "cuda.syncthreads()":
            self.waits = True
            return ast.Expr(ast.Yield(ast.Constant(0)))
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        called = ast.unparse(node.func)
        if called == "cuda.shared.array":
            shape, kind = (self.value(argument) for argument in node.args)
            self.shared.append((shape, np.dtype(kind)))
            return ast.Name(f"shared{len(self.shared) - 1}_", ast.Load())
        if called == "cuda.local.array":
            return ast.Call(ast.Name("poisoned_", ast.Load()), node.args, [])
        if called == "cuda.grid":
            return ast.parse("block_[0] * size_[0] + thread_[0]", mode="eval").body
        self.generic_visit(node)
        return node


class SimulatedArray(np.lib.mixins.NDArrayOperatorsMixin):
    """Memory of the pretended device: NumPy's functions work on it, but it never turns into NumPy.

    As with CuPy's arrays, what stands in it is had with :meth:`get` alone.
    """

    __array_priority__ = 100

    def __init__(self, memory: Any) -> None:
        self.memory = np.asarray(memory)

    def get(self) -> np.ndarray[Any, Any]:
        """A copy of it on the processor."""
        return self.memory.copy()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self.memory.__array_interface__, "version": 3}

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("a simulated array does not turn into NumPy's by itself; get() copies it")

    def __getattr__(self, name: str) -> Any:
        if name.startswith(
            "__"
        ):  # above all __array_interface__, by which it would turn into NumPy's
            raise AttributeError(name)
        value = getattr(self.memory, name)
        if name in ("shape", "dtype", "ndim", "size", "strides", "flags", "itemsize", "nbytes"):
            return value
        if not callable(value):
            return _wrapped(value)  # such as T
        return lambda *args, **kwargs: _wrapped(value(*_bare(args), **_bare(kwargs)))

    def __len__(self) -> int:
        return len(self.memory)

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(self.memory[_bare(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.memory[_bare(index)] = _bare(value, strict=True)

    def __float__(self) -> float:
        return float(self.memory)

    def __int__(self) -> int:
        return int(self.memory)

    def __bool__(self) -> bool:
        return bool(self.memory)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        result = getattr(ufunc, method)(*_bare(args, strict=True), **_bare(kwargs))
        return out[0] if out is not None else _wrapped(result)

    def __array_function__(self, function: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        out = kwargs.get("out")
        result = function(*_bare(args), **{k: v for k, v in _bare(kwargs).items() if k != "like"})
        return out if out is not None else _wrapped(result)


def _wrapped(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return SimulatedArray(value)
    return type(value)(map(_wrapped, value)) if isinstance(value, tuple | list) else value


def _bare(value: Any, strict: bool = False) -> Any:
    """What NumPy works on; where `strict`, an array of the processor is refused, as CuPy does."""
    if isinstance(value, SimulatedArray):
        return value.memory
    if isinstance(value, dict):
        return {key: _bare(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return type(value)([_bare(entry, strict) for entry in value])
    if strict and isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("an array of the processor meets one of the device; copy one of them")
    return value
