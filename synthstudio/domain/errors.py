"""The two kinds of trouble a job or an action can meet that are not our bugs.

A `UserError` means that the world is at fault (a file, the disk, memory, a setting). Everything else that
is raised is a bug: its traceback goes to the log and the user is shown a crash report.
"""


class UserError(Exception):
    """Something outside the program is wrong, in words for the user.

    Args:
        message: One sentence: what happened, to which object.
        hint: One sentence: what to do next. May be empty where the message already says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class NotFound(UserError):
    """A record that was asked for by id or name does not exist."""


class ProjectIsReadOnly(UserError):
    """A write was asked of a project that another window or command holds open."""


class Cancelled(Exception):
    """Raised by a tick once a cancel was asked for; unwinds the work without an error."""
