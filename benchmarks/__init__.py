"""Side by side with peers: ``python -m benchmarks`` from the root of a checkout.

A row is one workload, in float32. Ours and the calls of all its peers take turns in one process, so
that whatever else the machine does falls on all of them; a ratio is the median of the turns'
ratios, and below 1 ours is faster. Before anything is timed, every peer's result must equal ours: a
benchmark never compares different work. A row says besides which share it reaches of what the
machine can do, which is measured first.

=========================  =====================================================================
``torch``                  the layout of the textbook (NCHW); the peer of the bars
``torch-channels-last``    the same arrays stored channels last, which torch likes better
``torch-fft``              torch's Fourier transform, for the large filter
``jax``                    compiled by XLA for the CPU, float32
``scipy-ndimage``          ``scipy.ndimage.correlate``, for the image filters
``scipy-fft``              SciPy's Fourier transform, for the large filter
``numpy``                  im2col and a product of matrices, or a sum over the window's places
=========================  =====================================================================

Of several ways to do the same, a peer has its fastest: gradients come from the operation that
computes them, without a graph around it. A peer that is not installed is left out.
Peers with a bar, and SciPy's filter, take part in every round, the others in a few of them.

Each number of threads has a process of its own, which starts with that number in the environment
of every library (``benchmarks.processes``): JAX reads it only there. JAX's pool of workers then has
this size; the thread that waits for them does no work but is one more.

A share of the limit counts the multiply-adds of the sum as the chapter writes it. Winograd's
algorithm and the Fourier transform need fewer, so their share may exceed 100 %.

==============================================  ================================================
``python -m benchmarks``                        all rows on one thread and on all processors
``python -m benchmarks --only NAME``            the rows with NAME in their names
``python -m benchmarks --quick``                few turns, first peer only: a smoke test
``python -m benchmarks --json FILE``            also keep the results
``python -m benchmarks --plot FILE``            also draw them
``python -m benchmarks --first-calls``          how long the first call in a new process takes
``python -m benchmarks --ladder``               from the sum to the fastest loop, rung by rung
``python -m benchmarks --gpu``                  the CUDA kernels on a GPU (``benchmarks.gpu``)
==============================================  ================================================

The page on performance in the book shows what is kept in ``benchmarks/results``: ``rows.json``,
``ladder.json`` and ``first_calls.json``, written by ``--json`` without another option, with
``--ladder`` and with ``--first-calls``. Run them on a machine that does nothing else.

To add rows, write a module with a list ``ROWS`` and name it in ``benchmarks.rows``; to add a peer,
a module in ``benchmarks.peers``.
"""
