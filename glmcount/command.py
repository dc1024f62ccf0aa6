"""The command line's parser: a mistake is answered in a line, with what to write."""

from __future__ import annotations

import argparse
import math
import re
from typing import NoReturn

from glmcount.errors import near
from glmcount.request import TOLD as FIT_OPTIONS
from glmcount.spellings.lookup import instead
from glmcount.spellings.options import FLAGS

__all__ = ["Commands", "as_flags", "limit", "positive_number", "proportion", "whole_number"]

UNKNOWN = re.compile(r"unrecognized arguments: (\S+)")
VALUE = re.compile(r"argument (--[\w-]+): expected one argument")
# What a message has for those who write Python.
IN_PYTHON = re.compile(r" Write (cov=glmcount\.[^()]*\([^()]*\))\.")
DECIMAL = re.compile(r"in the data, by pandas\.read_csv\(file, decimal=','\)")
SHOWN = re.compile(r"summary\(full=True\) or summary\(keep=('[^']*')\) shows")
PANDAS = re.compile(r"(?:in the data, )?by pandas\.\w+\((?:[^()]|\[[^]]*\])*\)")
CHOICE = re.compile(r"argument (.*?): invalid choice: '(.*?)'")


class Commands(argparse.ArgumentParser):
    """A parser whose errors say what was probably meant, and where all options are shown."""

    def error(self, message: str) -> NoReturn:
        """End with code 2, the message and what to write on standard error.

        Raises
        ------
        SystemExit
        """
        every = self._every()
        told = message
        if (found := UNKNOWN.match(message)) is not None:
            word = found[1].partition("=")[0]
            told = f"there is no option {word}.{_flag(word, every)}"
            if not word.startswith("-"):
                told = f"one word too many: {word}. Put the formula in quotes: 'y ~ x'."
        elif (found := CHOICE.match(message)) is not None:
            choices = re.findall(r"'([^']+)'", message.partition("choose from")[2])
            told = f"{message}.{near(found[2], choices)}"
        elif (found := VALUE.match(message)) is not None:
            told = f"{found[1]} needs a value: {self._help(found[1])}"
        end = "" if told.endswith((".", "?")) else "."
        self.exit(2, f"{self.prog}: error: {told}{end} glmcount fit --help shows every option.\n")

    def _help(self, flag: str) -> str:
        """What an option is for."""
        return next(str(each.help) for each in self._actions if flag in each.option_strings)

    def _every(self) -> list[str]:
        """Options of this parser and of its commands."""
        out: list[str] = []
        for action in self._actions:
            out += action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for command in action.choices.values():
                    out += [each for own in command._actions for each in own.option_strings]
        return list(dict.fromkeys(out))


def _flag(word: str, every: list[str]) -> str:
    """What to write for an option that there is not."""
    return instead(FLAGS, word.lstrip("-"), ()) or near(word, every, 0.7)


def positive_number(text: str) -> float:
    """The number in an argument, which must be positive and finite."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def whole_number(text: str) -> int:
    """The whole number in an argument."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number") from None


def limit(text: str) -> float | str:
    """The number in an argument, or a column or expression as it stands."""
    try:
        return float(text)
    except ValueError:
        return text


def proportion(text: str) -> float:
    """The number in an argument, which must lie between 0 and 1."""
    told = f"{text} is not between 0 and 1; --alpha 0.05 gives intervals of 95 %"
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(told) from None
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(told)
    return value


def as_flags(message: str) -> str:
    """A message with options as the command line has them."""
    message = IN_PYTHON.sub(
        r" The command line has no such covariance; in Python it is \1.", message
    )
    message = DECIMAL.sub("by --decimal ','", message)
    message = SHOWN.sub(r"--full or --keep \1 shows", message)
    message = PANDAS.sub(
        "in the file: digits and a decimal point alone, missing values left empty", message
    )

    def flag(found: re.Match[str]) -> str:
        name, text, word = found.groups()
        known = name == "family" or name in FIT_OPTIONS
        return f"--{name.replace('_', '-')} {text or word}" if known else found[0]

    return re.sub(r"\b(\w+)=(?:'([\w.]+)'|(\w+)\b(?!\.\w|\())", flag, message)
