"""Files that only their owner may read, changed in one step: whoever reads one meanwhile gets the old or the new."""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked_folder(path: Path) -> Generator[None]:
    """Let nobody else who asks so change a file meanwhile; makes a missing folder for it, its owner's only.

    The folder is what is locked: the file in it gets replaced.

    :raises OSError: the folder can't be made or locked.
    """
    folder = path.resolve().parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> os.stat_result:
    """Write a file anew, or what a link of that name leads to; its folder must exist. Returns how the new one stands.

    :raises OSError: it can't be written; the old one is as it was.
    """
    path = path.resolve()
    # Made readable by its owner only.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            if path.exists() and os.geteuid() == 0:
                # root may do this for the gateway's own user, who has to be able to go on reading the file.
                owner = path.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            status = os.fstat(descriptor)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return status
