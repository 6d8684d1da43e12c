"""How every command says what is wrong: one line on standard error and exit status 2."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """Something the person at the keyboard can put right.

    The message is one line that says what was found, where, what was expected and what to do.
    """


_STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def run_command(main: Callable[[], None]) -> None:
    """Runs a command's `main`, turning what a user can mend into one line and exit status 2.

    A `UserError` and the ways in which storage refuses a write (full, read-only, not ours) are
    the user's; anything else is a defect of ours and keeps its traceback. Ctrl-C exits with 130.
    """
    try:
        main()
    except UserError as error:
        sys.exit(_complain(str(error)))
    except OSError as error:
        if error.errno not in _STORAGE_ERRORS:
            raise
        where = error.filename or "the output folder"
        sys.exit(_complain(f"{where}: {error.strerror}; free the space or name another folder"))
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2
