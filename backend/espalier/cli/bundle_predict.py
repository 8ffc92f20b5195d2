"""`espalier bundle predict`: answer a directory of pictures and videos with a bundle alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..bundle.asked import Asked, cutoff_of
from ..bundle.export import FORMATS, files_below, write_csv, write_folders, write_json
from ..bundle.opening import opened
from ..bundle.predictor import MAX_MEGAPIXELS, Predictor
from ..errors import BadRequest
from .bundle import bundle
from .table import counted


@bundle.command("predict")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), help="A file, or for folders a directory or .zip."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="json", show_default=True)
@click.option("--by", help="The classification to make folders by; the first one by default.")
@click.option("--sequences", is_flag=True, help="The pictures of each folder are one sequence.")
@click.option("--model", type=click.Choice(("best", "last")), default="best", show_default=True)
@click.option("--precision", type=click.Choice(("fp32", "int8")), help="By default the bundle's own choice.")
@click.option("--cutoff", type=float, help="How sure every answer must be, 0 to 1; by default the bundle's cutoffs.")
@click.option("--set", "cutoffs", multiple=True, metavar="NAME=CUTOFF", help="For one classification, or one option.")
@click.option("--stride", default=0, help="Look at every n-th frame of a video; 0 chooses by its length.")
@click.option("--first", default=1, help="First frame of every video, counted from 1.")
@click.option("--last", type=int, help="Last frame of every video.")
@click.option("--media", help="The tag that the files are for, where the model is shown several.")
@click.option("--regions", is_flag=True, help="With Label Studio's regions, in JSON.")
@click.option("--scores", is_flag=True, help="With the score of every option of a picture, in JSON.")
@click.option("--max-megapixels", default=MAX_MEGAPIXELS, show_default=True, help="Largest picture that is decoded.")
def bundle_predict(
    path: Path,
    directory: Path,
    to: Path,
    form: str,
    by: str | None,
    sequences: bool,
    cutoffs: tuple[str, ...],
    max_megapixels: int,
    **asked: Any,
) -> None:
    """Answer every picture and video below DIRECTORY with the bundle at PATH (a directory or ZIP)."""
    if to.exists() and form == "folders":
        raise BadRequest(f"{to} is there already: remove it, or name another place")
    wanted = Asked(cutoffs=dict(map(cutoff_of, cutoffs)), **asked)
    with opened(path) as found:
        predictor = Predictor(found, max_megapixels=max_megapixels)
        files = files_below(directory, sequences=sequences)
        with click.progressbar(predictor.predict(files, wanted), length=len(files), label="predicting") as replies:
            if form == "json":
                about = {"version": found.manifest.version, "bundle": found.manifest.digest}
                failed = write_json(replies, to, about)
            elif form == "csv":
                failed = write_csv(replies, to, predictor.ontology)
            else:
                failed = write_folders(replies, to, directory, predictor.ontology, by)
    for one in failed[:10]:
        click.secho(f"   note  {one['error']}", fg="yellow", err=True)
    more = f", {counted(len(failed), 'file')} could not be read" if failed else ""
    click.echo(f"{counted(len(files) - len(failed), 'file')} answered in {to}{more}")
