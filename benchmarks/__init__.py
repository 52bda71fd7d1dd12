"""Side by side with peers: ``python -m benchmarks`` from the root of a checkout.

A row is one workload on one number of threads. Ours and the peer's calls take turns in one process,
so that whatever else the machine does falls on both; the ratio is the median of the turns' ratios,
and below 1 ours is faster. A row says besides which share it reaches of what the machine can do,
which is measured first.

To add rows, write a module with a list ``ROWS`` and name it in ``benchmarks.rows``.
"""
