"""Run programs, each in a process of its own, forked from one that has loaded what is large.

To start an interpreter and import torch takes longer than most programs of the book. So one
interpreter, of those that `alone` makes, imports torch and matplotlib once, and then forks for each
line that it reads: a program, its folder, a folder for pictures. gdla is imported by the programs
themselves. What it answers is a line of JSON: exit code, output, complaints.

Run as a script this is that interpreter; it sees nothing of the house but this folder.
"""

import json
import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path

LARGE = "numpy", "torch", "torch._dynamo", "matplotlib.pyplot"  # optimisers load torch._dynamo


def serve() -> None:
    for name in LARGE:
        __import__(name)
    for line in sys.stdin:
        print(json.dumps(forked(**json.loads(line))), flush=True)


def forked(file: str, folder: str, pictures: str) -> dict[str, object]:
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(said.fileno(), 1)
            os.dup2(complained.fileno(), 2)
            os.chdir(folder)
            os.environ["SHOWING_FOLDER"] = pictures
            os._exit(ended(file))
        _, status = os.waitpid(child, 0)
        texts = []
        for stream in said, complained:
            stream.seek(0)
            texts.append(stream.read().decode())
    return {"code": os.waitstatus_to_exitcode(status), "said": texts[0], "complained": texts[1]}


def ended(file: str) -> int:
    """Run a program to its end, as an interpreter does; return its exit code."""
    sys.argv, sys.path[0] = [file], str(Path(file).parent)
    code = 1
    try:
        runpy.run_path(file, run_name="__main__")
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        else:
            code = end.code or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve()
