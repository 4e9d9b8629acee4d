"""The command line as its user meets it."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from activation_registry import ACTIVATIONS, CALLS

import fastact
from fastact.__main__ import main
from fastact.cli import stream


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tiny_blocks(monkeypatch):
    monkeypatch.setattr(stream, "BLOCK", 256)


def normal(shape, dtype="float32", order="C", seed=0):
    return np.asarray(np.random.default_rng(seed).normal(0, 10, shape)).astype(dtype, order=order)


def softmax_file(x, *arguments, output="out.npy"):
    np.save("in.npy", x)
    assert main(["softmax", "in.npy", "-o", output, *arguments]) == 0
    return np.load(output)


def assert_same_bits(a, b):
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes()


def leftovers():
    return [name for name in os.listdir() if name.startswith(".")]


def refusal(capsys, *arguments):
    """The one line on standard error of a command that ends with exit code 2."""
    try:
        code = main([*arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert not os.path.exists("out.npy")
    assert not leftovers()
    return captured.err


# --- softmax: in blocks, the same bits ------------------------------------------------------------------------------


@pytest.mark.usefixtures("tiny_blocks")
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("shape", [(9,), (1000,), (1, 300), (30, 7), (200, 2), (5, 6, 7), (4, 0), (0, 4)], ids=str)
def test_every_axis(shape, order):
    x = normal(shape, order=order)
    for axis in range(-len(shape), len(shape)):
        assert_same_bits(softmax_file(x, "--axis", str(axis)), fastact.softmax(x, axis))
        assert_same_bits(softmax_file(x, "--axis", str(axis), "--log"), fastact.log_softmax(x, axis))


@pytest.mark.usefixtures("tiny_blocks")
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "i1", ">i8", "u4", "?"])
def test_every_type(dtype, axis):
    x = normal((12, 40), dtype)
    assert_same_bits(softmax_file(x, "--axis", str(axis)), fastact.softmax(x, axis))
    for wanted in ("float16", "float32", "float64"):
        expected = fastact.softmax(x, axis, dtype=wanted)
        assert_same_bits(softmax_file(x, "--axis", str(axis), "--dtype", wanted), expected)


@pytest.mark.usefixtures("tiny_blocks")
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("mask_shape", [(4, 6, 30), (6, 1), (30,), (4, 1, 1), ()], ids=str)
def test_masks(mask_shape, dtype, log):
    function = fastact.log_softmax if log else fastact.softmax
    mask = np.asarray(np.random.default_rng(1).random(mask_shape) < 0.5)
    if mask.ndim == 3:
        mask[0] = False  # no entry of these rows takes part
    np.save("mask.npy", mask)
    for order in "CF":
        x = normal((4, 6, 30), dtype, order)
        x[1] = -np.inf
        x[:, 0, 0] = np.nan
        for axis in range(3):
            result = softmax_file(x, "--axis", str(axis), "--where", "mask.npy", *(["--log"] * log))
            assert_same_bits(result, function(x, axis, where=mask))


@pytest.mark.usefixtures("tiny_blocks")
def test_number_without_axes():
    x = np.array(3.0, "float32")
    assert_same_bits(softmax_file(x), np.asarray(fastact.softmax(x)))
    assert_same_bits(softmax_file(x, "--log"), np.asarray(fastact.log_softmax(x)))


def test_whole_blocks():
    x = normal((300, 1000))
    assert_same_bits(softmax_file(x), fastact.softmax(x))


def test_long_row_is_announced(capsys, tiny_blocks):
    x = normal((2, 1000))
    assert_same_bits(softmax_file(x), fastact.softmax(x))
    assert "rows of 1000 entries" in capsys.readouterr().err
    softmax_file(normal((1000, 2)))
    assert capsys.readouterr().err == ""


def test_output_keeps_the_order_of_axes():
    softmax_file(normal((20, 30), order="F"))
    assert np.load("out.npy", mmap_mode="r").flags.f_contiguous


@pytest.mark.usefixtures("tiny_blocks")
@pytest.mark.parametrize("axis", ["0", "1"])
def test_output_may_be_the_input(axis):
    x = normal((30, 40))
    os.umask(0o022)
    np.save("in.npy", x)
    os.chmod("in.npy", 0o640)
    os.symlink("in.npy", "link.npy")
    assert_same_bits(softmax_file(x, "--axis", axis, output="link.npy"), fastact.softmax(x, int(axis)))
    assert os.path.islink("link.npy")
    assert os.stat("in.npy").st_mode & 0o777 == 0o640


def test_memory_is_bounded():
    code = """if True:
        import resource, sys
        from fastact.__main__ import main
        from fastact.cli import stream
        stream.BLOCK = 1 << 22
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert main(["softmax", "in.npy", "-o", "out.npy", "--axis", sys.argv[1]]) == 0
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    x = np.lib.format.open_memmap("in.npy", "w+", "float32", (4000, 4000))
    x[:] = np.arange(4000)
    for axis in "01":
        run = subprocess.run([sys.executable, "-c", code, axis], capture_output=True, text=True, check=True)
        assert int(run.stdout) * (1 if sys.platform == "darwin" else 1024) < x.nbytes / 2


# --- softmax: what can go wrong -------------------------------------------------------------------------------------


def test_refusals(capsys):
    np.save("in.npy", normal((3, 4)))
    np.save("complex.npy", np.zeros(3, complex))
    np.save("object.npy", np.array([{}, []], object), allow_pickle=True)
    np.save("mask.npy", np.zeros((4, 3), bool))
    np.savez("archive.npz", np.zeros(3))
    with open("text.npy", "w") as file:
        file.write("1 2 3")
    np.save("short.npy", np.zeros(1000))
    os.truncate("short.npy", 500)

    def refused(source, *arguments, output="out.npy"):
        return refusal(capsys, "softmax", source, "-o", output, *arguments)

    assert "complex128" in refused("complex.npy")
    assert "Python objects" in refused("object.npy")
    assert "not a .npy file" in refused("archive.npz")
    assert "not a .npy file" in refused("text.npy")
    assert "shorter" in refused("short.npy")
    assert "No such file" in refused("absent.npy")
    assert "directory" in refused(".").lower()
    assert "2 axes" in refused("in.npy", "--axis", "2")
    assert "invalid int" in refused("in.npy", "--axis", "x")
    assert "invalid choice" in refused("in.npy", "--dtype", "int8")
    assert "must hold bools" in refused("in.npy", "--where", "in.npy")
    assert "broadcasts to (3, 4)" in refused("in.npy", "--where", "mask.npy")
    assert "No such file" in refused("in.npy", output="absent/out.npy")
    assert "replaced" in refused("in.npy", output=os.devnull)
    assert "--output" in refusal(capsys, "softmax", "in.npy")


class Trap:
    """Creates a file when it is unpickled."""

    def __reduce__(self):
        return open, ("trapped", "w")


def test_objects_are_not_unpickled(capsys):
    np.save("in.npy", np.array([Trap()], object), allow_pickle=True)
    refusal(capsys, "softmax", "in.npy", "-o", "out.npy")
    assert not os.path.exists("trapped")


@pytest.mark.usefixtures("tiny_blocks")
@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (OSError("broken"), 1)])
@pytest.mark.parametrize("output", ["out.npy", "in.npy"])
def test_interruption_leaves_nothing(monkeypatch, capsys, error, code, output):
    x = normal((100, 10))
    np.save("in.npy", x)
    blocks = []

    def interrupted(rows, out=None, dtype=None):
        if rows.ndim == 2:
            blocks.append(rows)
        if len(blocks) == 3:
            raise error
        return rows

    monkeypatch.setattr(fastact, "softmax", interrupted)
    assert main(["softmax", "in.npy", "-o", output]) == code
    assert capsys.readouterr().err.count("\n") == 1
    assert len(blocks) == 3
    assert os.listdir() == ["in.npy"]
    assert_same_bits(np.load("in.npy"), x)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals(number):
    code = """if True:
        import sys, time
        from fastact.__main__ import main
        from fastact.cli import stream
        def pause(maps):
            print("begun", flush=True)
            time.sleep(60)
        stream._release = pause
        sys.exit(main(["softmax", "in.npy", "-o", "out.npy"]))
    """
    np.save("in.npy", normal((10, 10)))
    np.save("out.npy", np.zeros(3))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert_same_bits(np.load("out.npy"), np.zeros(3))
    assert number == signal.SIGKILL or not leftovers()


def test_full_disk():
    code = """if True:
        import resource, sys
        from fastact.__main__ import main
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        sys.exit(main(["softmax", "in.npy", "-o", "out.npy"]))
    """
    np.save("in.npy", normal((100, 1000)))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("fastact softmax: error: ")
    assert run.stderr.count("\n") == 1
    assert os.listdir() == ["in.npy"]


# --- info and usage -------------------------------------------------------------------------------------------------


def test_info(capsys):
    assert main(["info"]) == 0
    assert fastact.isa() in capsys.readouterr().out
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == fastact.show_config(mode="dicts")


def test_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "fastact", "info", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout)["fastact"] == fastact.__version__
    assert run.stderr == ""


def test_reader_that_leaves():
    process = subprocess.Popen(
        [sys.executable, "-m", "fastact", "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["bench", "--threads", "0"], ["info", "--yaml"]])
def test_usage(capsys, arguments):
    assert "fastact" in refusal(capsys, *arguments)


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"fastact {fastact.__version__}\n"


@pytest.mark.parametrize(("hidden", "command"), [("sklearn", ["demo"]), ("rich", ["demo"])])
def test_missing_package(monkeypatch, capsys, hidden, command):
    for module in [hidden, *(name for name in sys.modules if name.startswith(f"{hidden}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    assert 'pip install "fastact[cli,sklearn]"' in refusal(capsys, *command)


def test_without_rich(monkeypatch):
    for module in ["rich", *(name for name in sys.modules if name.startswith("rich."))]:
        monkeypatch.setitem(sys.modules, module, None)
    x = normal((30, 40))
    assert_same_bits(softmax_file(x), fastact.softmax(x))


# --- demo and bench -------------------------------------------------------------------------------------------------


def test_demo():
    pytest.importorskip("sklearn")
    pytest.importorskip("rich")
    run = subprocess.run([sys.executable, "-m", "fastact", "demo"], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (accuracy,) = (line.split()[1].rstrip(":") for line in lines if line.startswith("Accuracy"))
    assert float(accuracy) > 0.9
    deviations = [float(line.partition(" ULP")[0].split()[-1]) for line in lines if " ULP " in line]
    assert len(deviations) == 4
    assert deviations[0] <= 3
    assert deviations[2] <= 3
    assert sum("██" in line for line in lines) > 8
    assert sum("━" in line for line in lines) >= 4


def test_bench(monkeypatch, capsys):
    from fastact.cli import bench, peers

    monkeypatch.setattr(peers, "PEERS", (peers.Fastact, peers.NumPy))
    monkeypatch.setattr(bench, "SHAPES", ((1, 10), (30, 400)))
    monkeypatch.setattr(bench, "medians", lambda calls, rounds: dict.fromkeys(calls, 1e-6) | {"NumPy": 5e-7})
    assert main(["bench", "--quick"]) == 0
    out = capsys.readouterr().out
    assert out.count("30 x 400") == 4
    assert out.count("0.50!") == 8
    assert max(map(len, out.splitlines())) <= 80


def test_bench_refuses_wrong_results(monkeypatch, capsys):
    from fastact.cli import peers

    class Wrong(peers.NumPy):
        name = "Wrong"

        def softmax(self, x):
            return lambda: x

    monkeypatch.setattr(peers, "PEERS", (peers.Fastact, Wrong))
    assert main(["bench", "--quick"]) == 2
    assert "Wrong" in capsys.readouterr().err


def test_bench_of_activations(monkeypatch, capsys):
    from fastact.cli import bench, peers

    monkeypatch.setattr(peers, "PEERS", (peers.Fastact, peers.NumPy))
    times = {"fastact": 1e-6, "NumPy": 5e-7, "copy": 2.56e-5}
    monkeypatch.setattr(bench, "medians", lambda calls, rounds: {name: times[name] for name in calls})
    assert main(["bench", "--activations", "--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line.split() for line in lines]
    for call in CALLS:
        found = [row[1:] for row in rows if row[:1] == [str(call)]]
        assert len(found) == (4 if call.takes_out else 2), f"{call} is in {len(found)} tables"
        assert all(row[-1] == "0.2" for row in found), f"{call}: the copy's time is not in the last column"
        compared = [row for row in found if "NumPy" in row]
        assert len(compared) == 2 * sum(peers.NumPy.has(str(call), given_output=mode) for mode in (False, True))
        assert all("0.50!" in row for row in compared), f"{call}: the loss is not marked"


def test_bench_refuses_two_contents(capsys):
    assert "not allowed with" in refusal(capsys, "bench", "--activations", "--plot", "times.png")


@pytest.mark.parametrize("function", ["sigmoid", "mish_backward"])
def test_bench_of_activations_refuses_wrong_results(monkeypatch, capsys, function):
    from fastact.cli import bench, peers

    class Wrong(peers.NumPy):
        name = "Wrong"
        tables = ({function: lambda *operands: 1.01 * operands[0]}, {})

    monkeypatch.setattr(peers, "PEERS", (peers.Fastact, Wrong))
    monkeypatch.setattr(bench, "medians", lambda calls, rounds: dict.fromkeys(calls, 1e-6))
    assert main(["bench", "--activations", "--quick"]) == 2
    assert f"Wrong computes {function} " in capsys.readouterr().err


def test_plot(monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    from fastact.cli import bench, peers

    monkeypatch.setattr(peers, "PEERS", (peers.Fastact, peers.NumPy))
    monkeypatch.setattr(bench, "medians", lambda calls, rounds: dict.fromkeys(calls, 1e-4))
    assert main(["bench", "--quick", "--plot", "times.png"]) == 0
    with open("times.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"
    capsys.readouterr()
    assert "folder" in refusal(capsys, "bench", "--plot", "absent/times.png")


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("mode", ["allocating", "given output"])
@pytest.mark.parametrize(
    "function", ["softmax", "log_softmax", "logsumexp", "softmax_backward", "log_softmax_backward"]
)
def test_peers_are_right(function, mode, axis):
    from fastact.cli import peers
    from fastact.cli.bench import agrees, logits, operands
    from fastact.cli.measure import reference

    given_output = mode == "given output"
    x = logits((20, 30) if axis == -1 else (20, 6, 5), "float64")
    arrays = operands(function, x, axis)
    for peer in (peers.Fastact, peers.NumPy, peers.SciPy, peers.ScikitLearn):
        if peer.has(function, given_output=given_output) and peer.is_installed():
            call = peer(1).call(function, *arrays, axis=axis, given_output=given_output)
            if call is None:
                assert peer is peers.ScikitLearn, peer.name
                continue
            assert agrees(call(), reference(function, *arrays, axis=axis), x.dtype)
            assert (call() is call()) == given_output


def test_reference_of_masked_entries():
    from fastact.cli.measure import reference

    x = np.array([[1.0, -np.inf, 3.0]])
    for function, want in (("softmax", fastact.softmax(x)), ("log_softmax", fastact.log_softmax(x))):
        np.testing.assert_allclose(reference(function, x).astype(float), want, rtol=1e-15)
    assert np.isnan(reference("softmax", np.array([[1.0, np.nan]]))).any()


@pytest.mark.parametrize("mode", ["allocating", "given output"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("listed", CALLS, ids=str)
def test_peers_compute_the_list(listed, dtype, mode):
    from fastact.cli import peers
    from fastact.cli.bench import ELEMENTWISE_TOLERANCES, agrees, logits, operands

    function, given_output = str(listed), mode == "given output"
    assert peers.Fastact.has(function, given_output=given_output) == (listed.takes_out or not given_output)
    x = logits((20, 30), dtype)
    arrays, values = operands(function, x), tuple(peers.standard(function).values())
    expected = listed.exact(dtype, arrays, values)[0].astype(np.float64)
    for peer in (peers.Fastact, peers.NumPy, peers.SciPy):
        if peer.has(function, given_output=given_output) and peer.is_installed():
            call = peer(1).call(function, *arrays, given_output=given_output)
            if call is not None:  # an older SciPy lacks some
                assert agrees(call(), expected, x.dtype, ELEMENTWISE_TOLERANCES), peer.name
                assert (call() is call()) == given_output, peer.name
    copy = peers.Copy(1).call(function, *arrays, given_output=given_output)
    assert_same_bits(copy(), arrays[-1])
    assert copy() is not arrays[-1]
    assert (copy() is copy()) == given_output


def test_parameters_without_default():
    """Every parameter has a value in its range, and one that is given a default in the list has that."""
    from fastact.cli import peers

    for activation in ACTIVATIONS:
        values = peers.standard(f"{activation}_backward")
        assert values == peers.standard(activation.name)
        for name, default, low, high in activation.parameters:
            assert low <= values[name] <= high, f"{activation}: {name}"
            assert default in (None, values[name]), f"{activation}: {name}"
