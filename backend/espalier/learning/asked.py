"""A sibling set as it is asked: by the ontology, and by the person who chose how it is to be learned."""

from __future__ import annotations

import numpy as np

from espalier_ontology.tree import Classification, Ontology, Siblings

from .training_parameters import TrainingParameters, options_named


class Asked:
    """exclusive: at most one option holds per frame; None: as people answered it. default: the number of the option
    that counts where several hold, or None. kept bool (k,): the options that are learned.
    """

    def __init__(
        self, ontology: Ontology, classification: Classification, siblings: Siblings, chosen: TrainingParameters
    ) -> None:
        self.classification, self.options = classification, siblings.options
        self.key = (classification.name, siblings.parent)
        self.exclusive: bool | None = classification.exclusive
        if classification.kind == "taxonomy" and not classification.exclusive:
            self.exclusive = None  # as people answered it
        if classification.name in chosen.single_label:
            self.exclusive = True
        elif classification.name in chosen.one_vs_rest:
            self.exclusive = False
        default = chosen.default_labels.get(classification.name)
        named = options_named(ontology, f"{classification.name}/{default}") if default is not None else []
        self.default = next((self.options.index(path) for _, path in named if path in self.options), None)
        dropped = {path for name in chosen.leave_out for _, path in options_named(ontology, name)}
        self.kept = np.array(
            [not any(path[: len(gone)] == gone for gone in dropped) for path in self.options], np.bool_
        )
