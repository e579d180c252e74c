"""The whole exception tree. Anything else that escapes is a defect.

::

    NetauditError             code, message, where, hint                   exit code 2
      UsageError              the command or a setting is wrong
        ConfigError
      InputError              a file is not what it was said to be
        UnknownFormatError    what was tried, and the option that settles it
        CaptureError          bad magic, impossible header
        BlocklistError
        RuleError, NormError, TemplateError
      CaseError               a transition that is not allowed
      StoreError              database newer than the program, locked, damaged

`message` and `hint` are English message ids with ``{name}`` slots filled from `values`, so that
this module needs no language; the interfaces translate them. The code is never translated and
has a heading in ``docs/errors.md``.
"""

from __future__ import annotations


class NetauditError(Exception):
    """What stops this file or this command, said to the person at the desk."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        **values: object,
    ) -> None:
        """Make an error.

        Args:
            code: Kebab-case, unique, never reused.
            message: What is wrong; English message id with ``{name}`` slots.
            where: A path, with a line, packet number, offset or key where known.
            hint: What to do about it; message id with the same slots.
            values: What fills the slots.
        """
        super().__init__(message.format(**values) if values else message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint
        self.values = values


class UsageError(NetauditError):
    """The command or a setting is wrong."""


class ConfigError(UsageError):
    """``netaudit.toml`` says something that cannot be."""


class InputError(NetauditError):
    """A file is not what it was said to be."""


class UnknownFormatError(InputError):
    """No format, or more than one, recognises this file."""


class CaptureError(InputError):
    """A capture file that cannot be walked at all."""


class BlocklistError(InputError):
    """A block list, or its description, that cannot be used."""


class RuleError(InputError):
    """A policy rule that does not load or fails its own examples."""


class NormError(InputError):
    """A norm file that does not load, or an article that is cited but absent."""


class TemplateError(InputError):
    """A report template that does not load or names what does not exist."""


class CaseError(NetauditError):
    """A step that the case does not allow now."""


class StoreError(NetauditError):
    """The case's database cannot be used."""
