"""Settings of the process are put back after every test, and the instruction sets to go through."""

import pytest

import fastact
from fastact import _core


@pytest.fixture(autouse=True)
def _settings():
    isa, threads = fastact.isa(), fastact.get_num_threads()
    waking = _core._set_waking(0)  # otherwise hardly any call of a test is worth more than one thread
    yield
    _core._set_waking(waking)
    fastact.set_isa(isa)
    fastact.set_num_threads(threads)


@pytest.fixture(params=fastact.available_isas())
def isa(request):
    fastact.set_isa(request.param)
    return request.param
