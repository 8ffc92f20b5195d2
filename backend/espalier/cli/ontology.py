"""`espalier ontology`: what Espalier reads from a labeling configuration, what is doubtful in it, what changed."""

from __future__ import annotations

import click

from espalier_ontology.lint import lint as lint_config
from espalier_ontology.tree import Classification, Ontology

from .door import main
from .label_config import parse_config, read_config
from .ontology_diff import diff_command
from .ontology_map import map_command
from .ontology_set import set_command


@main.group()
def ontology() -> None:
    """Show or lint the ontology of a project or of a file; say what changed in it; choose what answers it."""


ontology.add_command(diff_command)
ontology.add_command(map_command)
ontology.add_command(set_command)


@ontology.command()
@click.argument("source")
def show(source: str) -> None:
    """The tree of SOURCE: a project id, or an XML file."""
    tree = parse_config(read_config(source))
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
