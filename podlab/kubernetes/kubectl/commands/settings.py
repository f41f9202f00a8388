"""kubectl alpha, completion and options: what is about the program itself (S/kubectl/pkg/cmd)."""

from __future__ import annotations

from ..flags import GLOBAL
from ..terminal import KubectlError
from ..verbs import Call, verb

SHELLS = ("bash", "zsh", "fish", "powershell")


@verb("alpha", summary="Commands for features in alpha", usage="alpha [flags]")
def alpha(call: Call) -> None:
    call.terminal.err("No alpha commands are available in this version of kubectl\n")


@verb("completion", summary="Output shell completion code for the specified shell (bash, zsh, fish, or powershell)", usage="completion SHELL")
def completion(call: Call) -> None:
    if len(call.arguments) != 1:
        raise call.usage_error("Too many arguments. Expected only the shell type." if call.arguments else "Shell not specified.")
    if call.arguments[0] not in SHELLS:
        raise call.usage_error(f'Unsupported shell type "{call.arguments[0]}".')
    raise KubectlError("error: kubectl completion has no code to give here: this terminal completes words by itself, with the Tab key\n")


@verb("options", summary="Print the list of flags inherited by all commands", usage="options")
def options(call: Call) -> None:
    call.terminal.out("The following options can be passed to any command:\n\n" + "".join(
        f"    {f'-{flag.short}, ' if flag.short else '    '}--{flag.name}\n" for flag in sorted(GLOBAL, key=lambda f: f.name)))
