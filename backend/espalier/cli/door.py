"""The outer door of the command line: the commands, the settings, and errors as one line each."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from .. import __version__
from ..errors import EspalierError
from ..settings import Settings
from . import logs

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "serve": ("serve", "Answer Label Studio, with the workers beside it."),
        "worker": ("serve", "One worker more, here or on another machine."),
        "token": ("token", "Tokens for programs that use the REST API."),
        "demo": ("demo", "Label Studio, Espalier and two projects to look at."),
        "doctor": ("doctor", "Does everything answer, and if not, what to do."),
        "plugins": ("plugins", "Encoders, classifiers and indexes that are installed."),
        "settings": ("configuration", "Every setting, and what is in force."),
    },
    "Label": {
        "run": ("runs", "Automated labeling of a project."),
        "label": ("label", "A label for many frames at once."),
        "import": ("import_", "Labels from a table, or from pictures in directories."),
        "runs": ("runs", "The automated labeling runs of a project."),
        "undo": ("runs", "Take back what a run wrote."),
        "cancel": ("runs", "Stop a run, or a fine-tuning."),
        "next": ("next", "Which tasks to label next."),
        "errors": ("errors", "Which labels are likely wrong."),
        "quality": ("quality", "Duplicates, outliers and bad pictures."),
    },
    "Find": {
        "search": ("search", "The frames most like examples, a picture, or words."),
        "similar": ("search", "The frames most like one."),
        "pairs": ("duplicates", "The frames that are most alike."),
        "duplicates": ("duplicates", "Frames that show the same, exactly or nearly."),
        "clusters": ("clusters", "Which frames belong together, by name."),
        "map": ("clusters", "A map of all frames in the plane."),
        "outliers": ("outliers", "The least, or the most, typical frames."),
        "discover": ("discover", "New classes that unknown frames suggest."),
        "anomalies": ("anomalies", "Frames unlike the normal ones."),
        "embed": ("embed", "Make every frame of a project searchable."),
    },
    "Learn": {
        "ontology": ("ontology", "What is read from a labeling configuration, what is doubtful in it, what changed."),
        "revisit": ("revisit", "Answers to look at again, since the ontology changed."),
        "labels": ("labels", "What there is to learn from, and what is doubtful in it."),
        "train": ("train", "Train a project now."),
        "finetune": ("finetune", "Fine-tune a network of one's own."),
        "ensemble": ("ensemble", "Several versions as one."),
    },
    "Judge": {
        "versions": ("versions", "What was trained, on what, how well, and why it serves or does not."),
        "evaluate": ("evaluate", "How good a version is, figure by figure."),
        "coverage": ("coverage", "How much is labeled for you, at a promised precision."),
        "cutoffs": ("cutoffs", "How sure an answer must be, and what that does."),
        "forecast": ("forecast", "What another hundred labels would buy."),
        "explain": ("explain", "Where in a frame an answer comes from, as a picture."),
    },
    "Decide": {
        "promote": ("promote", "Let another version serve."),
        "rollback": ("promote", "Let the version serve again that served before."),
        "archive": ("promote", "Remove the files of old versions."),
        "export": ("export", "Labels, predictions, or pictures by what they show, as files."),
        "bundle": ("bundle", "Take a version away, and answer with it alone."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
"""The file that each command stands in, and its line in the list of commands. The file is imported when the command is
asked for: the web process loads no model code, and no command waits for what the others need."""

_OUTSIDE = {"redis": "the queue (Redis)", "sqlalchemy": "the database"}


class _Door(click.Group):
    """An error that people can act on is one line, and never a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            import_module(f"{__package__}.{COMMANDS[cmd_name][0]}")
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EspalierError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(str(error)) from error
        except Exception as error:
            what = _OUTSIDE.get(type(error).__module__.partition(".")[0])
            if what is None:
                raise
            said = str(error).strip().partition("\n")[0]
            raise click.ClickException(f"{what} fails: {said}; `espalier doctor` says more") from error


@click.group(cls=_Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="espalier")
def main() -> None:
    """Trains a Label Studio project's ontology tree on its frames, and labels the rest of them."""


def settings(*, quiet: bool = False) -> Settings:
    """The settings of this call, with logging set up to match; `quiet` where what is printed is the answer."""
    read = Settings.read(os.environ)
    logs.set_up(read.log_level, quiet=quiet)
    return read
