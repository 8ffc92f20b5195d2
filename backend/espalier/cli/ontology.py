"""`espalier ontology`: what Espalier reads from a labeling configuration, and what is doubtful in it."""

from __future__ import annotations

from pathlib import Path

import click

from espalier_ontology.labeling_config import parse
from espalier_ontology.lint import lint as lint_config
from espalier_ontology.tree import Classification, Ontology

from ..errors import BadRequest
from .door import main
from .opened import opened
from .project import find_project


@main.group()
def ontology() -> None:
    """Show or lint the ontology of a project, or of a labeling configuration in a file."""


@ontology.command()
@click.argument("source")
def show(source: str) -> None:
    """The tree of SOURCE: a project id, or an XML file."""
    tree = _parse(read_config(source))
    for classification in tree.roots:
        _print(tree, classification, depth=0)
    for skipped in tree.skipped:
        click.secho(f"not predicted: {skipped.control} {skipped.name!r}: {skipped.reason}", dim=True)


@ontology.command("lint")
@click.argument("source")
def lint_command(source: str) -> None:
    """What is doubtful in SOURCE: a project id, or an XML file. Ends with 1 where something was found."""
    findings = lint_config(read_config(source))
    for finding in findings:
        click.echo(f"{finding.code}: {finding.control}: {finding.message}")
        if finding.instead:
            click.secho(f"    instead: {finding.instead}", fg="green")
    if not findings:
        click.echo("nothing doubtful")
    raise SystemExit(1 if findings else 0)


def read_config(source: str) -> str:
    if source.isdigit():
        with opened() as house:
            return find_project(house, source).label_config
    path = Path(source)
    if not path.is_file():
        raise BadRequest(f"{source!r} is neither a project id nor a file")
    return path.read_text()


def _parse(xml: str) -> Ontology:
    try:
        return parse(xml)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _print(tree: Ontology, classification: Classification, depth: int) -> None:
    indent = "  " * depth
    when = ""
    if classification.conditions:
        condition = classification.conditions[-1]
        options = ", ".join(sorted(path[-1] for path in condition.options or ())) or "anything"
        when = f"  (only where {condition.classification} is {'not ' if condition.negated else ''}{options})"
    click.secho(f"{indent}{classification.name}", bold=True, nl=False)
    click.echo(f": {classification.kind}, per {classification.scope}{when}")
    for option in classification.options:
        click.echo(f"{indent}  {'  ' * (len(option.path) - 1)}- {option.name}")
    for child in tree.children(classification.name):
        _print(tree, child, depth + 1)
