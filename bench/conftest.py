"""One thread for every library."""

import warnings

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

import fastact
from fastact.cli.peers import REPORTED, Peer, installed

# Here and not in the fixture, where what the libraries warn of when they are imported would be an error.
INSTALLED = {peer.name: peer for peer in installed(1, REPORTED)}


@pytest.fixture
def installed_peers() -> dict[str, Peer]:
    return INSTALLED


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    # A saved run from another processor is worth a warning and not an error.
    warnings.filterwarnings("default", category=PytestBenchmarkWarning)


def pytest_benchmark_update_machine_info(machine_info: dict[str, object]) -> None:
    machine_info["instruction set"] = fastact.isa()
    machine_info["versions"] = {name: peer.version for name, peer in INSTALLED.items()}
