"""One command for each chore: ``nox -s lint``, ``tests``, ``docs``, ``bench``."""

import glob

import nox

nox.options.sessions = ["lint", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, types and the arrows between modules."""
    session.install(".[test]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports", env={"PYTHONPATH": "python"})
    native = [
        path
        for folder in ("cpp", "cuda", "tests/cpp")
        for kind in ("cpp", "hpp", "inl", "cu", "cuh")
        for path in glob.glob(f"{folder}/**/*.{kind}", recursive=True)
    ]
    session.run("clang-format", "--dry-run", "-Werror", *native)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation."""
    session.install(".[docs]")
    session.run("mkdocs", "build", "--strict")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks."""
    session.install(".[bench]")
    session.run("python", "bench/run.py", *session.posargs)
