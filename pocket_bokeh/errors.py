"""Errors of the user: one line on standard error and exit status 2."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """An error that the user can fix, such as a missing file or a wrong option.

    The message is one line: where, what was found, what was expected and what to do.

        try:
            photo = pocket_bokeh.read_photo(file)
        except pocket_bokeh.UserError as error:
            print(error)  # photo.jpg: no such file
    """


_STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def run_command(main: Callable[[], None]) -> None:
    """Runs a command's `main` and reports the user's errors in one line, with exit status 2.

    These are `UserError` and failed writes (disk full, read-only, no permission). Anything else is
    a bug and keeps its traceback. Ctrl-C exits with status 130.
    """
    try:
        main()
    except UserError as error:
        sys.exit(_complain(str(error)))
    except OSError as error:
        if error.errno not in _STORAGE_ERRORS:
            raise
        where = error.filename or "the output folder"
        sys.exit(_complain(f"{where}: {error.strerror}; free some space or choose another folder"))
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2
