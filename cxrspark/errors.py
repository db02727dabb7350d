"""The error that a user can mend."""


class UserError(Exception):
    """Wrong input to a run: its text is one line that says what to do."""
