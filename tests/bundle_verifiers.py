#!/usr/bin/env python3
"""Changes a bundle in many ways and compares what its verifiers say of each.

    python3 tests/bundle_verifiers.py XUNZHENG BUNDLE [COUNT] [SEED]

XUNZHENG is the binary. It, assets/verify/verify_bundle.py and the page's assets/check/bundle.js
(run by node) must give the same verdict and name the same first item, and must find every change.
Prints counts; exit status 1 at the first difference, with the change that shows it.
"""

import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "assets" / "verify"))
import verify_bundle

BATCH = 100


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def byte_change(data, rng):
    """Returns another content and what was done; bytes weigh the same wherever they stand."""
    at = rng.randrange(len(data)) if data else 0
    how = rng.choice(["flip", "zero", "ones", "delete", "duplicate", "insert", "cut", "swap"])
    if how == "flip":
        changed = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    elif how in ("zero", "ones"):
        changed = data[:at] + (b"\0" if how == "zero" else b"\xff") + data[at + 1 :]
    elif how == "delete":
        changed = data[:at] + data[at + 1 :]
    elif how == "duplicate":
        changed = data[: at + 1] + data[at:]
    elif how == "insert":
        changed = data[:at] + bytes([rng.randrange(256)]) + data[at:]
    elif how == "cut":
        changed = data[:at]
    else:
        other = rng.randrange(len(data))
        low, high = min(at, other), max(at, other)
        changed = data[:low] + data[high : high + 1] + data[low + 1 : high] + data[low : low + 1]
        changed += data[high + 1 :] if low != high else b""
    return changed, f"{how} at {at}"


def change(folder, rng):
    """Changes the copy in `folder`; returns what was done, or None if nothing differs."""
    names = files_of(folder)
    name = rng.choice(names)
    path, data = folder / name, (folder / name).read_bytes()
    how = rng.randrange(12)
    if how < 8 and data:
        changed, done = byte_change(data, rng)
        if changed == data:
            return None
        path.unlink()
        path.write_bytes(changed)
        return f"{name}: {done}"
    if how == 8:
        path.unlink()
        return f"{name}: removed"
    other = rng.choice(names)
    theirs = (folder / other).read_bytes()
    if how == 9:
        stray = folder / (name + rng.choice([".copy", "x", "/in", "~"]).replace("/", "-"))
        stray.write_bytes(data)
        return f"{name}: copied to {stray.name}"
    if theirs == data:
        return None
    path.unlink()
    path.write_bytes(theirs)
    if how == 10:
        return f"{name}: replaced by {other}"
    (folder / other).unlink()
    (folder / other).write_bytes(data)
    return f"{name}: exchanged with {other}"


def verdicts(binary, folders):
    """Returns what each verifier says of each folder."""
    rust = subprocess.run([binary, "verify", "--json", *folders], capture_output=True, check=False)
    page = subprocess.run(
        ["node", pathlib.Path(__file__).with_name("bundle_page.mjs")],
        input="\n".join(folders).encode(),
        capture_output=True,
        check=False,
    )
    said = {"python": [verify_bundle.verdict(folder) for folder in folders]}
    for name, run in (("rust", rust), ("page", page)):
        said[name] = [json.loads(line) for line in run.stdout.decode().splitlines()]
        assert len(said[name]) == len(folders), (name, run.stderr.decode())
    return said


def compare(binary, copies, counts):
    said = verdicts(binary, [str(folder) for folder, _ in copies])
    for index, (_, done) in enumerate(copies):
        each = {name: lines[index] for name, lines in said.items()}
        items = {one.get("item") for one in each.values()}
        if items == {None}:
            sys.exit(f"not found: {done}\n  {each}")
        if len(items) > 1:
            sys.exit(f"they differ: {done}\n  {each}")
        counts[items.pop().split("/")[0]] += 1


def main(binary, bundle, count="1000", seed="1"):
    bundle, rng, counts = pathlib.Path(bundle), random.Random(int(seed)), collections.Counter()
    whole = [lines[0] for lines in verdicts(binary, [str(bundle)]).values()]
    assert "error" not in whole[0] and whole.count(whole[0]) == len(whole), whole
    made = 0
    while made < int(count):
        with tempfile.TemporaryDirectory() as room:
            copies = []
            while len(copies) < min(BATCH, int(count) - made):
                folder = pathlib.Path(room) / str(len(copies))
                shutil.copytree(bundle, folder, copy_function=os.link)
                done = change(folder, rng)
                if done is None:
                    shutil.rmtree(folder)
                else:
                    copies.append((folder, done))
            compare(binary, copies, counts)
            made += len(copies)
    print(json.dumps({"changes": made, "found": sum(counts.values()), "differences": 0, "seed": seed}))
    print(json.dumps({"first item in": dict(sorted(counts.items()))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
