"""What can go wrong with the embedded servers, told to whoever runs the command."""


class EmbeddedError(RuntimeError):
    """The embedded servers cannot be had; the message says why and what to do."""
