"""Settings of the process are put back after every test, and the instruction sets to go through."""

import pytest

import fastact


@pytest.fixture(autouse=True)
def _settings():
    isa, threads = fastact.isa(), fastact.get_num_threads()
    yield
    fastact.set_isa(isa)
    fastact.set_num_threads(threads)


@pytest.fixture(params=fastact.available_isas())
def isa(request):
    fastact.set_isa(request.param)
    return request.param
