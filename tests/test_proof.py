"""What `make proof` found is within the bounds, is what the documents say, and still holds where it was worst."""

import json

import numpy as np
import proof
import pytest
from activation_reference import ulps

pytestmark = pytest.mark.skipif(not proof.KEPT.exists(), reason="not in a source tree")

RESULTS = json.loads(proof.KEPT.read_text(encoding="utf-8")) if proof.KEPT.exists() else {"results": {}}


def test_every_function_of_the_list_is_proved():
    assert set(RESULTS["results"]) == set(proof.JOBS)


def test_documents_say_what_was_found():
    assert proof.TABLE.read_text(encoding="utf-8") == proof.document(RESULTS)
    block = proof.SUMMARY.search(proof.README.read_text(encoding="utf-8"))
    assert block[0] == f"{block[1]}{proof.summary(RESULTS)}{block[2]}"


@pytest.mark.parametrize("job", RESULTS["results"])
def test_worst_inputs(job, isa):
    """Within the bound, on every instruction set."""
    call, dtype = proof.JOBS[job]
    for found in RESULTS["results"][job].values():
        assert found["ulp"] <= call.ulp
        operands = [np.array([float.fromhex(a)], dtype) for a in found["at"]]
        values = call.activation.some_values
        if call in proof.GATED_CALLS:
            *operands, other = operands
            values = (other,)
        got = call(*operands, *values)
        error = ulps(got, *call.exact(dtype, operands, values))[0]
        assert error <= call.ulp, f"{job} {isa}: {operands} {values}: got {got}, {error} ULP, bound {call.ulp}"
