"""`espalier bundle PROJECT`: write a model version as one directory or ZIP."""

from __future__ import annotations

from pathlib import Path

import click

from ..bundle.writing import ENOUGH, size_of, write
from .bundle import bundle
from .opened import opened
from .project import find_project

_SAME = 1e-3


@bundle.command("write")
@click.argument("project")
@click.argument("version", required=False)
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    help="Where: a directory that is made, or a file ending with .zip.",
)
@click.option("--int8", is_flag=True, help="With an 8-bit network too, checked on the project's own frames.")
def bundle_write(project: str, version: str | None, to: Path, int8: bool) -> None:
    """Write VERSION of PROJECT, or the one that serves, with everything that its answers need.

    How far they are those of the house is measured on some of the project's frames, and written in.
    """
    with opened() as house:
        found = find_project(house, project)
        row = house.version(found, version)
        manifest = write(house, found, row, to, int8=int8, progress=lambda step: click.echo(f"{step} ...", err=True))
    click.echo(f"{row.name} of {manifest.project} is in {to} ({size_of(to) / 1e6:.1f} MB)")
    for name, figures in manifest.measured.items():
        other = figures["against"].partition(":")[0]
        way = f" ({figures['way']} in 8 bits)" if "way" in figures else ""
        click.echo(
            f"    {name}{way}: {figures['agreement']:.1%} of {figures['frames']} frames answered as by {other}, "
            f"scores differ by at most {figures['score_difference_max']:.4f}"
        )
    fp32 = manifest.measured.get("fp32")
    if fp32 and fp32["score_difference_max"] > _SAME:
        click.secho(f"   note  the house computes otherwise ({fp32['against']})", fg="yellow")
    if not manifest.measured:
        click.echo("    nothing was measured: no network in it, or none of the project's frames could be read")
    if int8 and manifest.precision != "int8":
        click.secho(
            f"   note  under {ENOUGH:.0%} alike: fp32 answers, and int8 only where it is asked for", fg="yellow"
        )
    click.echo(f"    espalier bundle serve {to}")
