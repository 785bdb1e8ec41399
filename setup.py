"""Compiles the hot modules with Cython; everything else about the package is in pyproject.toml.

Without a compiler, or with AMQPD_PURE=1, the same modules are installed as the plain Python they are.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED = (
    "amqpd/message",
    "amqpd/wire/fields",
    "amqpd/wire/properties",
    "amqpd/wire/buffers",
    "amqpd/wire/reader",
    "amqpd/wire/writer",
    "amqpd/store/batch",
    "amqpd/store/records",
    "amqpd/broker/memory",
    "amqpd/broker/fifo",
    "amqpd/broker/entry",
    "amqpd/broker/traffic",
    "amqpd/broker/consumer",
    "amqpd/broker/priorities",
    "amqpd/broker/levels",
    "amqpd/broker/queue",
    "amqpd/broker/route",
    "amqpd/amqp/unacked",
    "amqpd/amqp/confirms",
    "amqpd/amqp/publishing",
    "amqpd/amqp/deliveries",
    "amqpd/amqp/commands",
)
"""The modules of the hot path. `buffers` has a source of its own for it, `buffers.pyx`; the others have a `.pxd`."""

DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,  # the .pxd files say what is typed
}

MESSAGES = ("amqpd/message", "amqpd/broker/entry")
"""Modules of what comes and goes by the million. It is no part of a cycle when it goes: see their classes."""

OF_MESSAGES = {**DIRECTIVES, "no_gc": True, "freelist": 1024}
"""Of these modules, for all of their classes; Cython heeds neither in a .pxd."""


class BuildAllOrNothing(build_ext):
    """A module that is compiled needs the others to be."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # noqa: BLE001 - whatever compilers raise
            for extension in self.extensions:
                for built in (self.get_ext_fullpath(extension.name), self.get_ext_filename(extension.name)):
                    Path(built).unlink(missing_ok=True)
            self.extensions = []
            say(error)


def extensions() -> list[Extension]:
    """What to compile; nothing when that is not wanted, or Cython is missing."""
    if os.environ.get("AMQPD_PURE"):
        return []
    found = [
        Extension(
            module.replace("/", "."),
            [next(str(path) for path in (Path(f"{module}.pyx"), Path(f"{module}.py")) if path.exists())],
            depends=["setup.py"],
            extra_compile_args=["-O3", "-g0"],
        )
        for module in COMPILED
    ]
    try:
        from Cython.Build import cythonize  # noqa: PLC0415 - may be missing
        from Cython.Compiler.Options import get_directive_defaults  # noqa: PLC0415
    except ImportError as error:
        say(error)
        return []
    get_directive_defaults().update(no_gc=False, freelist=0)  # allows them for a module
    messages = [extension for extension in found if extension.name.replace(".", "/") in MESSAGES]
    others = [extension for extension in found if extension not in messages]
    return [
        *cythonize(messages, compiler_directives=OF_MESSAGES, build_dir="build/cython", quiet=True),
        *cythonize(others, compiler_directives=DIRECTIVES, build_dir="build/cython", quiet=True),
    ]


def say(error: Exception) -> None:
    """Once, in one line."""
    print(f"amqpd: nothing is compiled, and all the slower for it: {error}", file=sys.stderr)


setup(
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildAllOrNothing},
    options={"build_ext": {"parallel": os.cpu_count()}},
)
