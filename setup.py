"""The extension modules; everything else about the package is in pyproject.toml."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HEADERS = sorted(str(path) for path in Path("include").rglob("*.h"))
KERNELS = sorted(str(path) for path in Path("fastact/kernels").glob("*.c"))


class BuildExt(build_ext):
    """Adds OpenMP where the compiler has it, and compiles the files of an extension side by side."""

    def build_extensions(self):
        if self.has_openmp():
            for extension in self.extensions:
                extension.extra_compile_args.append("-fopenmp")
                extension.extra_link_args.append("-fopenmp")
        else:
            print("fastact: this compiler has no OpenMP; building for one thread", file=sys.stderr)
        compile_files = self.compiler.compile

        def compile_side_by_side(sources, *arguments, **options):
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                files = [[source] for source in sources]
                return list(chain(*pool.map(lambda file: compile_files(file, *arguments, **options), files)))

        self.compiler.compile = compile_side_by_side
        super().build_extensions()

    def has_openmp(self):
        """Whether a program with a parallel region compiles and links. FASTACT_NO_OPENMP=1 says no."""
        if os.environ.get("FASTACT_NO_OPENMP", "0") not in ("", "0"):
            return False
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
            command = [*self.compiler.compiler_so, "-fopenmp", str(source), "-o", str(source.with_suffix(""))]
            command = [word for word in command if word != "-c"]
            return subprocess.run(command, capture_output=True).returncode == 0


def extension(name, sources):
    return Extension(
        name,
        sources,
        include_dirs=["include", numpy.get_include()],
        depends=HEADERS,
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
        # The kernels say where to fuse, so that every instruction set gives the same bits; errno and traps would keep
        # loops from vectorising.
        extra_compile_args=["-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-g0"],
    )


setup(
    ext_modules=cythonize(
        [
            extension("fastact._core", ["fastact/_core.pyx", *KERNELS]),
            extension("fastact._softmax", ["fastact/_softmax.pyx"]),
            extension("fastact._activations", ["fastact/_activations.pyx"]),
        ]
    ),
    cmdclass={"build_ext": BuildExt},
)
