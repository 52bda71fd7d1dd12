"""What the tests of chapter 5 share: the backends, and a convolution written as nested loops."""

import importlib.util
import os

import numpy as np
import pytest

# A copy of the package that a mutant spoils would have to compile everything anew.
WITHOUT_COMPILING = "KETKAR_TEST_WITHOUT_COMPILING" in os.environ


@pytest.fixture(scope="session", params=["numpy", "cpu"])
def backend(request):
    """Every backend there is, one after the other."""
    if request.param == "cpu":
        if importlib.util.find_spec("numba") is None:
            pytest.skip("the compiled kernels need numba")
        if WITHOUT_COMPILING:
            pytest.skip("nothing is compiled in this run")
    return request.param


@pytest.fixture(scope="session")
def draw():
    """Normal random arrays of these shapes, the same for the same seed."""

    def draw(*shapes, seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        return tuple(rng.normal(size=shape).astype(dtype) for shape in shapes)

    return draw


@pytest.fixture(scope="session")
def loops():
    """The sums of a convolution layer and of its gradients, term by term."""
    return _loops


def _loops(x, K, b, dy, stride, pads, dilation, groups):
    """Returns y, dx, dK and db; knows nothing of the package."""
    (N, _, H, W), (M, each, R, S) = x.shape, K.shape
    (top, _), (left, _) = pads
    Ho, Wo = dy.shape[2:]
    image, kernel, error = x.tolist(), K.tolist(), dy.tolist()
    y = np.tile(np.asarray(b, np.float64)[:, None, None], (N, 1, Ho, Wo)).tolist()
    dx, dK = np.zeros(x.shape).tolist(), np.zeros(K.shape).tolist()
    for n in range(N):
        for m in range(M):
            first = m // (M // groups) * each
            for i in range(Ho):
                for r in range(R):
                    row = i * stride[0] + r * dilation[0] - top
                    if not 0 <= row < H:
                        continue
                    for j in range(Wo):
                        for s in range(S):
                            column = j * stride[1] + s * dilation[1] - left
                            if not 0 <= column < W:
                                continue
                            for c in range(each):
                                seen = image[n][first + c][row][column]
                                y[n][m][i][j] += seen * kernel[m][c][r][s]
                                dx[n][first + c][row][column] += (
                                    error[n][m][i][j] * kernel[m][c][r][s]
                                )
                                dK[m][c][r][s] += error[n][m][i][j] * seen
    db = np.zeros(M)
    for n in range(N):
        for m in range(M):
            db[m] += sum(sum(row) for row in error[n][m])
    return np.array(y), np.array(dx), np.array(dK), db
