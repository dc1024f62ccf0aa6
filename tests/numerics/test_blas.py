"""How many threads BLAS has, whichever library brings it."""

from __future__ import annotations

import os
import subprocess
import sys


def test_libraries_that_are_loaded_later_have_one_thread_too():
    code = (
        "import glmcount, threadpoolctl\n"
        "from glmcount.numerics.blas import single_threaded_blas\n"
        "with single_threaded_blas():\n"
        "    import scipy.linalg\n"
        "    found = threadpoolctl.threadpool_info()\n"
        "print(*(each['num_threads'] for each in found if each['user_api'] == 'blas'))"
    )
    many = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "2")
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | many,
    )
    assert set(run.stdout.split()) == {"1"}


def test_small_products_are_made_where_the_processor_is_known_for_them():
    code = "from glmcount.numerics.blas import multiplies_small; print(multiplies_small())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OPENBLAS_CORETYPE": "Haswell"},
    )
    assert run.stdout.strip() == "False"
