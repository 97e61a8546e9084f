"""Every exception that the tuner raises on purpose.

TunerError
├── ProfileError      the profile is wrong: refused whole, before anything is read or changed; names the line
├── MissingError      what the command names is not there (an interface, a file): nothing was changed
├── UnavailableError  not to be had of this kernel, NIC, namespace or privilege: a finding about one knob
│   ├── GoneError     the thing itself is no more: there is nothing to put back
│   └── InUseError    others use by now what we made: it stays
└── StateError        the record of original values cannot be read, written or locked: nothing is changed without it
    └── BusyError     another tuner changes the node just now: what is read back of it is of no moment
"""


class TunerError(Exception):
    """Base of all the errors below; the message is a sentence for people."""


class ProfileError(TunerError):
    """A knob is unknown, of a wrong type or impossible; the message begins with FILE:LINE."""


class MissingError(TunerError):
    """An interface or a file that was asked for is not there."""


class UnavailableError(TunerError):
    """A control cannot be read or written here; the message says why (kernel, NIC, namespace or privilege)."""


class GoneError(UnavailableError):
    """What a control is part of is no more, such as its interface; it took its values with it."""


class InUseError(UnavailableError):
    """What we made cannot be taken away any more, for others have put something into it."""


class StateError(TunerError):
    """The record of original values is unreadable, unwritable, held by another tuner, or another namespace's."""


class BusyError(StateError):
    """Another tuner is changing this node."""
