"""Where `amqpadmin` begins: decides which grammar a command line is of, and has it carried out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from ... import __version__
from ..leave import carry_out
from . import commands, v1, v2

_VERBS: Final = frozenset(v1.ACTIONS)

_WITH_VALUE: Final = frozenset(
    spelt
    for verbs in commands.COMMANDS.values()
    for command in verbs.values()
    for option in command.options
    for spelt in (f"--{option.name}", f"-{option.short}")
    if not option.alone
)

_FIRST: Final[dict[str, Mapping[str, Any]]] = {
    "list": v1.LISTS,
    "show": v1.SHOWN,
    "declare": v1.DECLARED,
    "delete": v1.DELETED,
    "close": v1.CLOSED,
    "purge": v1.PURGED,
}
"""What v1 can do these things to."""


def main(arguments: Sequence[str] | None = None, tool: str = "amqpadmin") -> NoReturn:
    """Carry out a command line, and leave."""
    words = sys.argv[1:] if arguments is None else arguments
    carry_out(tool, lambda: answer(tool, words))


def answer(tool: str, words: Sequence[str]) -> int:
    """Carry out a command line; returns the exit code."""
    try:
        return _second(tool, words) if is_second(words) else _first(tool, words)
    except KeyboardInterrupt:
        return 130


def is_second(words: Sequence[str]) -> bool:
    """Whether it is of v2: a noun comes first, or options come after verb and noun that v1 does not have.

    What could be either, such as `list queues`, is v1's.
    """
    parsed = _parse(words, {**v2.OPTIONS, **v1.OPTIONS}, {**v2.SHORT, **v1.SHORT}, lenient=True)
    found = parsed.words
    if found[:1] == ["help"]:
        return found[1:2] not in ([], ["subcommands"], ["config"])
    if found[:2] == ["shell", "completions"]:
        return True
    if not found or commands.find(found[0], found[1] if len(found) > 1 else "") is None:
        return bool(found) and found[0] in commands.COMMANDS and found[0] not in _VERBS
    if found[0] not in _VERBS or found[1] not in _FIRST.get(found[0], found):
        return True
    if "=" in "".join(found[2:3]) and not parsed.unknown:
        return False
    only_second = {"--columns", "--idempotently", "--non-interactive", "--table-style", "--page", "--page-size"}
    if any(word.partition("=")[0] in only_second for word in words):
        return True
    named = commands.find(found[0], found[1])
    assert named is not None
    taken = {f"--{option.name}" for option in named[1].options} | {f"-{option.short}" for option in named[1].options}
    if taken & set(parsed.unknown):
        return True
    if found[0] in ("publish", "get"):
        return found[1] in ("message", "messages")
    return found[0] in ("export", "import") and found[1] == "definitions"


# --- v1


def _first(tool: str, words: Sequence[str]) -> int:
    parsed = _parse(words, v1.OPTIONS, v1.SHORT)
    if parsed.unknown or parsed.wrong:
        print(f"Usage: {tool} [options] subcommand\n", file=sys.stderr)
        for option in parsed.unknown:
            print(f"{tool}: error: no such option: {option}", file=sys.stderr)
        for option in parsed.wrong:
            print(f"{tool}: error: {option} option requires an argument, or another one", file=sys.stderr)
        return 2
    options = parsed.options
    if options.get("version"):
        print(f"{tool} {__version__}")
        return os.EX_OK
    if options.get("bash_completion"):
        print(completion(tool, "bash"))
        return os.EX_OK
    if options.get("help"):
        print(v1.OPTIONS_HELP)
        return os.EX_OK
    return v1.run(tool, parsed.words, options)


# --- v2


def _second(tool: str, words: Sequence[str]) -> int:
    first = _parse(words, v2.OPTIONS, v2.SHORT, lenient=True).words
    if first[:1] == ["help"]:
        print(commands.overview(tool))
        return os.EX_OK
    if first[:2] == ["shell", "completions"]:
        shell = _parse(words, {**v2.OPTIONS, "shell": str}, v2.SHORT).options.get("shell", "bash")
        print(completion(tool, shell))
        return os.EX_OK
    found = commands.find(first[0], first[1]) if len(first) > 1 else None
    if found is None:
        print(commands.overview(tool), file=sys.stderr)
        return os.EX_USAGE
    noun, command = found
    kinds = {option.name.replace("-", "_"): bool if option.alone else str for option in command.options}
    short = {option.short: option.name.replace("-", "_") for option in command.options if option.short}
    start = _after(words, first[:2])
    before = _parse(words[:start], v2.OPTIONS, v2.SHORT)
    after = _parse(words[start:], {**v2.OPTIONS, **kinds}, {**v2.SHORT, **short})
    unknown = [*before.unknown, *after.unknown, *before.wrong, *after.wrong]
    extra = [word for word in [*before.words, *after.words] if word not in first[:2]]
    given = {option.name: after.options.get(option.name.replace("-", "_")) for option in command.options}
    if command.positional and extra:
        given[command.positional] = extra.pop(0)
    options = {**before.options, **{key: value for key, value in after.options.items() if key not in kinds}}
    if options.get("help"):
        print(commands.help_of(tool, first[0], first[1], command))
        return os.EX_OK
    if unknown or extra:
        for each in [*unknown, *extra]:
            print(f"error: unexpected argument '{each}' found, or its value", file=sys.stderr)
        print(f"\n{commands.help_of(tool, first[0], first[1], command)}", file=sys.stderr)
        return os.EX_USAGE
    return v2.run(tool, command, noun, given, options)


def _after(words: Sequence[str], pair: Sequence[str]) -> int:
    """Where the options of the command begin: after its second word, which is not the value of an option before."""
    start = 0
    for word in pair:
        start = list(words).index(word, start) + 1
    return start


# --- command lines


class Parsed(NamedTuple):
    """A command line, taken apart."""

    words: list[str]
    options: dict[str, Any]
    unknown: list[str]
    wrong: list[str]  # options without a value, or with one that is none


def _parse(
    words: Sequence[str], kinds: Mapping[str, type], short: Mapping[str, str], *, lenient: bool = False
) -> Parsed:
    """Options may be anywhere; `lenient` knows those of v2's commands that take a value."""
    parsed = Parsed([], {}, [], [])
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            parsed.words.extend(rest)
            break
        if not word.startswith("-") or len(word) == 1:
            parsed.words.append(word)
            continue
        if word.startswith("--"):
            spelt, equals, value = word.partition("=")
            option = spelt[2:].replace("-", "_")
        else:
            spelt, value, equals = word[:2], word[2:], word[2:]
            option = short.get(spelt[1:], "")
        kind = kinds.get(option)
        if kind is None:
            parsed.unknown.append(spelt)
            if lenient and spelt in _WITH_VALUE and not equals and rest and not rest[0].startswith("-"):
                rest.pop(0)
        elif kind is bool:
            parsed.options[option] = True if not equals else value != "false"
            if value and not word.startswith("--"):
                rest.insert(0, f"-{value}")  # letters in one word
        elif not equals and not rest:
            parsed.wrong.append(spelt)
        else:
            value = value if equals else rest.pop(0)
            try:
                parsed.options[option] = kind(value)
            except ValueError:
                parsed.wrong.append(spelt)
    return parsed


def _completions() -> tuple[list[str], dict[str, list[str]]]:
    """What may come first, and what after the words there are: of both grammars."""
    first = sorted({*v1.ACTIONS, *commands.COMMANDS})
    then: dict[str, list[str]] = {noun: list(verbs) for noun, verbs in commands.COMMANDS.items()}
    then |= {verb: list(kinds) for verb, kinds in _FIRST.items()}
    then["show"] = [*v1.SHOWN, *[verb for verb in commands.COMMANDS["show"] if verb not in v1.SHOWN]]
    then["help"] = ["subcommands", "config", "v2"]
    for verb, kinds in _FIRST.items():
        for kind, known in kinds.items():
            then[f"{verb} {kind}"] = list(known.columns) if isinstance(known, v1.ListOf) else _keys(known)
    for verb, known in (("publish", v1.PUBLISH), ("get", v1.GET)):
        then[verb] = [*then.get(verb, []), *_keys(known)]
    for noun, verbs in commands.COMMANDS.items():
        for verb, command in verbs.items():
            options = [f"--{option.name}" for option in command.options]
            then[f"{noun} {verb}"] = [*then.get(f"{noun} {verb}", []), *options]
    return first, {words: found for words, found in then.items() if found}


def _keys(kind: v1.Kind) -> list[str]:
    needed = [key for each in kind.mandatory for key in ((each,) if isinstance(each, str) else each)]
    return [f"{key}=" for key in (*needed, *kind.optional)]


_BASH: Final = """{name}() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" word said="" value="" found i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        if [ -n "$value" ]; then value=""; continue; fi
        case "$word" in
            {valued}) value=1 ;;
            -*) ;;
            *) case "$said" in *" "*) ;; *) said="${{said:+$said }}$word" ;; esac ;;
        esac
    done
    case "$said" in
        "") found='{first}' ;;
{cases}
        *) found="" ;;
    esac
    case "$current" in -*) found="$found {options}" ;; esac
    COMPREPLY=($(compgen -W "$found" -- "$current"))
    case "${{COMPREPLY[0]-}}" in *=) compopt -o nospace 2>/dev/null ;; esac
}}
complete -o default -F {name} {tool}"""


def completion(tool: str, shell: str) -> str:
    """What a shell needs to complete both grammars."""
    first, then = _completions()
    known = {**v2.OPTIONS, **v1.OPTIONS}
    options = sorted(f"--{name.replace('_', '-')}" for name in known)
    if shell == "fish":
        lines = [f"complete -c {tool} -f -n '__fish_use_subcommand' -a '{' '.join(first)}'"]
        for words, found in then.items():
            seen = "; and ".join([f"__fish_seen_subcommand_from {word}" for word in words.split()])
            if " " not in words:
                seen += f"; and not __fish_seen_subcommand_from {' '.join(found)}"
            lines.append(f"complete -c {tool} -f -n '{seen}' -a '{' '.join(found)}'")
        lines += [f"complete -c {tool} -l {option[2:]}" for option in options]
        return "\n".join(lines)
    valued = [f"--{name.replace('_', '-')}" for name, kind in known.items() if kind is not bool]
    valued += [f"-{letter}" for letter, name in {**v2.SHORT, **v1.SHORT}.items() if known[name] is not bool]
    script = _BASH.format(
        name=f"_{tool.replace('-', '_')}",
        tool=tool,
        first=" ".join(first),
        valued="|".join(valued),
        cases="\n".join([f"        '{words}'|'{words} '*) found='{' '.join(found)}' ;;" if " " in words else
                         f"        '{words}') found='{' '.join(found)}' ;;" for words, found in then.items()]),
        options=" ".join(options),
    )  # fmt: skip
    return f"autoload -U +X bashcompinit && bashcompinit\n{script}" if shell == "zsh" else script
