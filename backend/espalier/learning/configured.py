"""A classifier with what people set of it: `model_parameters`, held against the plugin's own schema."""

from __future__ import annotations

from collections.abc import Mapping

from ..contract import Classifier, ConfigurableClassifier
from ..errors import BadSetting
from ..plugin_settings import parse, problems

PARAMETERS = "model_parameters"


def configure(classifier: Classifier, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Untrained, it gets what it takes; what it does not take is left out, and said in words: no training fails by it.

    settings: a classification's, by their full names.
    """
    if PARAMETERS not in settings:
        return ()
    if not isinstance(classifier, ConfigurableClassifier):
        return ("its plugin has no parameters, so those that are set for it say nothing",)
    try:
        given = parse(settings[PARAMETERS], "model_parameters")
    except BadSetting as error:
        return (str(error),)
    refused = problems(classifier.schema, given)
    classifier.configure({name: value for name, value in given.items() if name not in refused})
    return tuple(f"left out: {words}" for words in refused.values())
