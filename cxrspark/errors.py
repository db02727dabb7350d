"""The two kinds of error: of a run, which a user can mend, and of one image."""


class UserError(Exception):
    """Wrong input to a run: its text is one line that says what to do."""


class DeniedError(UserError):
    """Access is denied: to a whole store, unless another of its objects can be read."""


class ObjectError(Exception):
    """Says in one line why one listed object cannot be read: a fact about the image."""
