"""kubectl describe."""

from __future__ import annotations

from ...apiserver.errors import ApiError
from ..builder import FILES, SELECTING, Target, fetch, from_files, targets
from ..describe import describe as describe_object
from ..flags import Flag, parse
from ..terminal import Command, Terminal

FLAGS = (*SELECTING, *FILES, Flag("show-events", "bool", default=True), Flag("chunk-size", "int", default=500))


def describe(words: list[str], terminal: Terminal) -> Command:
    from ..run import server_error
    arguments, flags, _ = parse("describe", words, FLAGS)
    wanted = [Target(resource, manifest.object["metadata"]["name"]) for resource, manifest in from_files(terminal, flags)] \
        if flags["filename"] else targets(arguments)
    texts, code = [], 0
    for target in wanted:
        try:
            objects = fetch(terminal, flags, target)
        except ApiError as error:
            # like kubectl, take the word as a prefix of names when there is no such object
            objects = [] if error.code != 404 else [
                obj for obj in fetch(terminal, flags, Target(target.resource)) if obj["metadata"]["name"].startswith(target.name)]
            if not objects:
                terminal.err(server_error(error))
                code = 1
        for obj in objects:
            metadata = obj["metadata"]
            texts.append(describe_object(terminal.api.client, target.resource, metadata["name"], metadata.get("namespace"), terminal.api.now))
    if texts:
        terminal.out("\n\n".join(texts))
    elif code == 0:
        terminal.err(f"No resources found in {flags['namespace'] or terminal.namespace} namespace.\n")
    return code
    yield  # a command is a generator, even one that never waits
