"""Threads: how many, by whose wish, and that they neither block Python nor survive a fork."""

import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import registry

import fastact
from fastact import _core, _threads

has_openmp = pytest.mark.skipif(not _core.openmp_version(), reason="built without OpenMP")
has_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

LARGE = 1_000_000  # entries that any number of threads is worth, if they are awake


def _python(code, timeout=60, **environment):
    """Run a program of its own; returns what it printed, or fails with what it complained of."""
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("FASTACT_ISA", "FASTACT_NUM_THREADS", "OMP_NUM_THREADS")
    }
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def _refused(code, **environment):
    """The last line of the error that the program ends with."""
    with pytest.raises(AssertionError) as error:
        _python(code, **environment)
    return str(error.value)


# --- how many -----------------------------------------------------------------------------------------------------

COUNT = """
    import os
    import numpy as np
    import fastact
    usual = fastact._core._set_waking(0)
    def started():
        return len(os.listdir("/proc/self/task")) - alone
    alone = len(os.listdir("/proc/self/task"))
"""


@has_openmp
@has_proc
@pytest.mark.parametrize("shape", [(1, LARGE), (3, LARGE // 3), (1000, LARGE // 1000), (LARGE // 10, 10)], ids=str)
def test_as_many_threads_as_set(shape):
    code = (
        COUNT
        + f"""
    fastact.set_num_threads(7)
    fastact.softmax(np.zeros({shape}))
    print(started() + 1)
    """
    )
    assert _python(code) == "7"


@has_openmp
@has_proc
def test_small_calls_start_no_thread():
    code = (
        COUNT
        + """
    fastact.set_num_threads(7)
    for shape in ((1, 10), (100, 50), (1, 9_000)):
        fastact.softmax(np.zeros(shape))
    fastact.relu(np.zeros(30_000))
    print(started())
    """
    )
    assert _python(code) == "0"


@has_openmp
@has_proc
def test_threads_are_woken_where_it_pays():
    """For a call that takes as long as to wake them, or for one of many that follow one another without a pause."""
    code = (
        COUNT
        + f"""
    import time
    fastact.set_num_threads(2)
    fastact._core._set_waking(usual)
    x = np.zeros({LARGE // 10})
    for _ in range(20):
        fastact.softmax(x)
        time.sleep(0.01)
    print(started())
    fastact.logsumexp(np.broadcast_to(x, (1000, {LARGE // 10})), axis=1)
    print(started())
    """
    )
    assert _python(code).split() == ["0", "1"]
    code = code.replace("time.sleep(0.01)", "pass").replace("range(20)", "range(1000)")
    assert _python(code).split() == ["1", "1"]


POLICY = r"""
#include <stdio.h>
#include <time.h>
static double now = 1e9;
static int clock_of_the_test(clockid_t id, struct timespec *t) {
    (void)id;
    t->tv_sec = (time_t)(now / 1e9);
    t->tv_nsec = (long)(now - 1e9 * (double)t->tv_sec);
    return 0;
}
#define clock_gettime clock_of_the_test
#include "fastact/threads.h"
int main(void) {
    double pause, work, took;
    while (scanf("%lf %lf %lf", &pause, &work, &took) == 3) {
        now += pause;
        printf("%d", fastact_is_worth_waking(work));
        now += took;
        fastact_end();
    }
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here")
def test_policy_of_waking(tmp_path):
    """By a clock of the test's own; milliseconds of pause before a call, of its work, and that it took."""
    (tmp_path / "policy.c").write_text(POLICY)
    include = Path(__file__).parents[1] / "include"
    command = ["cc", "-I", include, "-o", tmp_path / "policy", tmp_path / "policy.c", "-lm"]
    subprocess.run(command, check=True, capture_output=True)

    def woken(*calls):
        lines = "".join(f"{pause * 1e6} {work * 1e6} {took * 1e6}\n" for pause, work, took in calls)
        return subprocess.run([tmp_path / "policy"], input=lines, capture_output=True, text=True, check=True).stdout

    busy = [(0, 1, 1)] * 10
    assert woken((0, 4.9, 4.9)) == "0", "work for less than to wake threads"
    assert woken((0, 5, 5)) == "1", "work for as long"
    assert woken(*busy) == "0000111111", "calls without a pause earn it"
    assert woken(*busy, (3, 1, 1), (9, 1, 1)) == "0000111111" + "10", "pauses wear it away"
    lost = [*busy, (0, 1, 100)]  # a call that took a hundred times as long as its work, for want of a processor
    assert woken(*lost, (0, 1, 1), (400, 1, 1)) == "0000111111" + "1" + "00", "a debt of 20 times the loss, up to 500"
    paid = [(0, 400, 400), (0, 90, 90), *[(0, 6, 6)] * 3]
    assert woken(*lost, *paid) == "0000111111" + "1" + "00001", "work pays it back"
    assert woken(*lost, (600, 1, 1), *busy) == "0000111111" + "1" + "0" + "0001111111", "so does time"
    assert woken(*busy, (0, 1, 8), (0, 1, 1)) == "0000111111" + "11", "eight times is no loss"


@has_openmp
@has_proc
def test_one_thread_starts_no_other():
    code = (
        COUNT
        + f"""
    fastact.set_num_threads(1)
    fastact.softmax(np.zeros({LARGE}))
    fastact.set_num_threads(7)
    with fastact.threads(1):
        fastact.softmax(np.zeros({LARGE}))
        fastact.logsumexp(np.zeros((1000, {LARGE // 1000})), axis=0)
    print(started())
    """
    )
    assert _python(code) == "0"


@has_openmp
@has_proc
def test_threadpoolctl_limits_it():
    pytest.importorskip("threadpoolctl")
    code = (
        COUNT
        + f"""
    from threadpoolctl import threadpool_limits
    fastact.set_num_threads(7)
    with threadpool_limits(1):
        fastact.softmax(np.zeros({LARGE}))
    print(started())
    with threadpool_limits(2, user_api="openmp"):
        fastact.softmax(np.zeros({LARGE}))
    print(started())
    """
    )
    assert _python(code, OMP_NUM_THREADS="7").split() == ["0", "1"]


@has_openmp
def test_threadpoolctl_finds_the_library():
    pytest.importorskip("threadpoolctl")
    code = """
    import fastact, threadpoolctl
    print([p["user_api"] for p in threadpoolctl.threadpool_info()])
    """
    assert "openmp" in _python(code)


def test_set_and_get():
    for n in (1, 2, 7, np.int64(3)):
        fastact.set_num_threads(n)
        assert fastact.get_num_threads() == n
    assert fastact.show_config(mode="dicts")["threads"] == (3 if _core.openmp_version() else 1)


@pytest.mark.parametrize("n", [0, -1, 10**9, 1.0, 2.5, "2", None], ids=repr)
def test_bad_counts(n):
    error = ValueError if type(n) is int else TypeError
    before = fastact.get_num_threads()
    with pytest.raises(error, match=r"\bn\b"):
        fastact.set_num_threads(n)
    with pytest.raises(error, match=r"\bn\b"), fastact.threads(n):
        pass
    assert fastact.get_num_threads() == before


def test_threads_is_put_back():
    fastact.set_num_threads(5)
    with fastact.threads(3):
        assert fastact.get_num_threads() == 3
        with fastact.threads(2):
            assert fastact.get_num_threads() == 2
        assert fastact.get_num_threads() == 3
        fastact.set_num_threads(6)
        assert fastact.get_num_threads() == 3
    assert fastact.get_num_threads() == 6
    with pytest.raises(ZeroDivisionError), fastact.threads(2):
        raise ZeroDivisionError
    assert fastact.get_num_threads() == 6


def test_threads_holds_for_its_own_thread():
    fastact.set_num_threads(5)
    inside, seen = threading.Barrier(2, timeout=30), []

    def other():
        inside.wait()
        seen.append(fastact.get_num_threads())
        with fastact.threads(4):
            seen.append(fastact.get_num_threads())
            inside.wait()
            inside.wait()

    thread = threading.Thread(target=other)
    thread.start()
    with fastact.threads(2):
        inside.wait()
        inside.wait()
        assert fastact.get_num_threads() == 2
    assert fastact.get_num_threads() == 5
    inside.wait()
    thread.join(30)
    assert seen == [5, 4]


def test_threads_as_a_decorator():
    @fastact.threads(2)
    def inside():
        return fastact.get_num_threads()

    fastact.set_num_threads(5)
    assert (inside(), inside(), fastact.get_num_threads()) == (2, 2, 5)


# --- the environment ----------------------------------------------------------------------------------------------

PRINT_THREADS = "import fastact; print(fastact.get_num_threads())"


def test_environment_of_threads():
    assert _python(PRINT_THREADS, FASTACT_NUM_THREADS="3") == "3"
    assert _python(PRINT_THREADS, OMP_NUM_THREADS="5") == "5"
    assert _python(PRINT_THREADS, OMP_NUM_THREADS="4,2") == "4"
    assert _python(PRINT_THREADS, FASTACT_NUM_THREADS="3", OMP_NUM_THREADS="5") == "3"
    assert _python(PRINT_THREADS, FASTACT_NUM_THREADS="", OMP_NUM_THREADS="") == str(_threads.processors())
    assert _python(PRINT_THREADS) == str(_threads.processors())


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "1e3"])
def test_bad_environment_of_threads(value):
    message = _refused(PRINT_THREADS, FASTACT_NUM_THREADS=value)
    assert "FASTACT_NUM_THREADS" in message
    assert repr(value) in message


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_affinity_limits_the_default():
    code = """
    import os
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    import fastact
    print(fastact.get_num_threads())
    """
    assert _python(code) == "1"


@pytest.mark.parametrize("name", fastact.available_isas())
def test_environment_of_the_instruction_set(name):
    assert _python("import fastact; print(fastact.isa())", FASTACT_ISA=name) == name


def test_bad_environment_of_the_instruction_set():
    assert _python("import fastact; print(fastact.isa())", FASTACT_ISA="") == fastact.available_isas()[0]
    message = _refused("import fastact", FASTACT_ISA="avx1024")
    for part in ("ImportError", "FASTACT_ISA", "'avx1024'", *fastact.available_isas()):
        assert part in message


def _cgroup(tmp_path, membership, **files):
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return _threads._quota(tmp_path / "membership", tmp_path / "root")


@pytest.mark.parametrize(
    ("membership", "files", "want"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "300000 100000\n", "a/cpu.max": "200000 100000\n", "cpu.max": "max 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a\n", {"a/cpu.max": "nonsense\n"}, None),
        ("0::/a\n", {"b/cpu.max": "100000 100000\n"}, None),
        (
            "3:cpu,cpuacct:/d\n0::/\n",
            {"cpu,cpuacct/d/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/d/cpu.cfs_period_us": "100000\n"},
            2.5,
        ),
        (
            "3:cpu,cpuacct:/d\n",
            {"cpu,cpuacct/d/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/d/cpu.cfs_period_us": "100000\n"},
            None,
        ),
        ("5:cpuset:/d\n", {"cpuset/d/cpu.cfs_quota_us": "1\n", "cpuset/d/cpu.cfs_period_us": "1\n"}, None),
        ("4:memory:/m\n1:name=systemd:/s\n", {}, None),
        ("", {}, None),
    ],
)
def test_quota(tmp_path, membership, files, want):
    assert _cgroup(tmp_path, membership, **files) == want


def test_quota_without_control_groups(tmp_path):
    assert _threads._quota(tmp_path / "none", tmp_path) is None


@pytest.mark.parametrize(("quota", "want"), [(None, 8), (0.5, 1), (1.0, 1), (2.9, 2), (100.0, 8)])
def test_processors(monkeypatch, quota, want):
    monkeypatch.setattr(_threads, "_quota", lambda membership, root: quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(8), raising=False)
    assert _threads.processors() == want


# --- together with Python's threads -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_many_callers_get_the_same_bits(dtype):
    """Each thread has its own arrays of many sizes; the results are those of one thread."""
    rng = np.random.default_rng(1)
    inputs = [
        rng.standard_normal(shape).astype(dtype) for shape in ((1, 300_000), (700, 300), (3, 10), (5, 60_000), (9,))
    ]
    fastact.set_num_threads(1)
    calls = [(f, f.operands(x)) for f in registry.FUNCTIONS for x in inputs]
    want = [np.asarray(f(*operands)).tobytes() for f, operands in calls]
    fastact.set_num_threads(7)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            got = list(pool.map(lambda call: np.asarray(call[0](*call[1])).tobytes(), calls))
            assert got == want


@pytest.mark.parametrize("layout", ["fast path", "axis 0", "where"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("function", registry.FORWARD, ids=str)
def test_python_runs_meanwhile(function, threads, layout):
    """Another Python thread takes steps while a call is under way: the GIL is released."""
    x = np.zeros((4000, 1000), np.float32)
    options = {"axis": 0} if layout == "axis 0" else {"where": np.ones(x.shape, bool)} if layout == "where" else {}
    fastact.set_num_threads(threads)
    steps, inside, started, ended = [0], [False], threading.Event(), threading.Event()

    def count():
        started.set()
        while not ended.is_set():
            steps[0] += inside[0]
            time.sleep(1e-4)  # lets go of the GIL

    # So long an interval that the other thread gets its turn only where the call itself lets go.
    interval = sys.getswitchinterval()
    other = threading.Thread(target=count)
    other.start()
    assert started.wait(30)
    try:
        sys.setswitchinterval(1000)
        for _ in range(200):
            inside[0] = True
            function(x, **options)
            inside[0] = False
            if steps[0] >= 10:
                break
    finally:
        ended.set()
        sys.setswitchinterval(interval)
        other.join(30)
    assert steps[0] >= 10


# --- fork ---------------------------------------------------------------------------------------------------------

FORK = """
    import os, sys
    import numpy as np
    import fastact
    fastact.set_num_threads(4)
    fastact._core._set_waking(0)
    x = np.random.default_rng(0).standard_normal((3, 400_000))
    want = fastact.softmax(x).tobytes()
    def same():
        return fastact.softmax(x).tobytes() == want
"""


@has_fork
def test_fork_after_use():
    code = (
        FORK
        + """
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if same() and same() else 3)
        assert same()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    print("done")
    """
    )
    assert _python(code, timeout=60) == "done"


@has_fork
def test_fork_of_a_fork():
    code = (
        FORK
        + """
    pid = os.fork()
    if pid == 0:
        first = same()
        pid = os.fork()
        if pid == 0:
            os._exit(0 if same() else 3)
        second = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        os._exit(0 if first and second and same() else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    print("done")
    """
    )
    assert _python(code, timeout=60) == "done"


@has_fork
def test_multiprocessing_by_fork():
    code = (
        FORK
        + """
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert all(pool.starmap(same, [()] * 4))
    assert same()
    print("done")
    """
    )
    assert _python(code, timeout=60) == "done"


@has_fork
@has_openmp
@has_proc
def test_child_uses_threads_again():
    code = (
        COUNT
        + f"""
    import sys
    fastact.set_num_threads(3)
    fastact.softmax(np.zeros({LARGE}))
    pid = os.fork()
    if pid == 0:
        alone = len(os.listdir("/proc/self/task"))
        fastact.softmax(np.zeros({LARGE}))
        os._exit(started())
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    )
    assert _python(code, timeout=60) == "2"


@has_fork
def test_fork_while_another_thread_computes():
    code = (
        FORK
        + """
    import threading
    ended = threading.Event()
    def work():
        while not ended.is_set():
            same()
    thread = threading.Thread(target=work)
    thread.start()
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    for _ in range(5):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if same() else 3)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    ended.set()
    thread.join()
    print("done")
    """
    )
    assert _python(code, timeout=60) == "done"
