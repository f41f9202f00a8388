"""Keeps live clusters running in real time, their projection up to date and their viewers told."""


async def run() -> None:
    """Started once by `manage.py serve`, on the server's event loop; returns when there is nothing to keep."""
